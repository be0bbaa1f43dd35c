"""Which runs of a schedule are started, which wait and which are left out."""

from typing import Any

from google.cloud.aiplatform_v1 import ScheduleServiceClient

from tests.contract.schedules.conftest import PARENT, Scheduling

RUNNING = "PIPELINE_STATE_RUNNING"


def response(scheduling: Scheduling, name: str, due: str) -> Any:
    """Waits until a run that was due is dealt with; returns the response."""
    document = scheduling.wait(
        lambda: scheduling.get(name),
        lambda found: found.get("lastScheduledRunResponse", {}).get("scheduledRunTime") == due,
    )
    return document["lastScheduledRunResponse"]["runResponse"]


def test_a_run_waits_or_is_left_out_while_others_are_active(scheduling: Scheduling) -> None:
    scheduling.clock("2026-12-01T00:00:00Z", speed=0)
    name = scheduling.create(scheduling.endless, cron="0 * * * *", maxConcurrentActiveRunCount="1")
    free = scheduling.create(scheduling.endless, cron="0 * * * *", maxRunCount=2)
    scheduling.clock("2026-12-01T01:00:00Z", speed=0)
    assert response(scheduling, name, "2026-12-01T01:00:00Z") == "OK"

    # Left out; the other schedule, which limits only how many are being started at once, starts a second one.
    scheduling.clock("2026-12-01T02:10:00Z", speed=0)
    assert response(scheduling, name, "2026-12-01T02:00:00Z") == (
        "FAILED_PRECONDITION: The run was skipped: 1 of the schedule are active, and"
        " max_concurrent_active_run_count is 1."
    )
    assert response(scheduling, free, "2026-12-01T02:00:00Z") == "OK"
    assert scheduling.get(free)["state"] == "COMPLETED"
    second, first = scheduling.jobs(free)
    assert {first["state"], second["state"]} <= {RUNNING, "PIPELINE_STATE_PENDING"}

    # Waiting: next_run_time stays in the past until there is a place.
    query = "?updateMask=allowQueueing"
    assert scheduling.http.patch(f"/v1/{name}{query}", json={"allowQueueing": True}).status_code == 200
    scheduling.clock("2026-12-01T03:30:00Z", speed=0)
    (active,) = scheduling.jobs(name)
    stood = scheduling.get(name)
    assert (stood["nextRunTime"], stood["startedRunCount"]) == ("2026-12-01T03:00:00Z", "1")
    assert scheduling.http.post(f"/v1/{active['name']}:cancel").status_code == 200
    assert response(scheduling, name, "2026-12-01T03:00:00Z") == "OK"
    assert scheduling.get(name)["nextRunTime"] == "2026-12-01T04:00:00Z"
    assert len(scheduling.jobs(name)) == 2

    # A deleted schedule leaves its run alone.
    assert scheduling.http.delete(f"/v1/{name}").status_code == 200
    assert scheduling.http.get(f"/v1/{name}").status_code == 404
    running = scheduling.jobs(name)[0]
    scheduling.wait(lambda: scheduling.get(running["name"])["state"], lambda state: state == RUNNING)
    for job in (first, second, running):
        assert scheduling.http.post(f"/v1/{job['name']}:cancel").status_code == 200


def test_runs_missed_in_a_pause_are_made_up_if_wanted(sdk: Any, scheduling: Scheduling) -> None:
    client: ScheduleServiceClient = sdk.PipelineJobSchedule._empty_constructor().api_client
    scheduling.clock("2026-12-01T00:00:00Z", speed=0)
    name = scheduling.create(scheduling.quick, cron="0 0 * * *", maxConcurrentActiveRunCount=1, maxRunCount=3)
    client.pause_schedule(name=name)
    scheduling.clock("2026-12-03T12:00:00Z", speed=0)
    assert scheduling.get(name)["nextRunTime"] == "2026-12-02T00:00:00Z"
    client.resume_schedule(request={"name": name, "catch_up": True})
    # One after the other, for both were missed: neither is left out.
    assert response(scheduling, name, "2026-12-03T00:00:00Z") == "OK"
    made_up = scheduling.get(name)
    assert made_up["catchUp"] and made_up["startedRunCount"] == "2"
    assert made_up["nextRunTime"] == "2026-12-04T00:00:00Z"
    second, first = scheduling.jobs(name)
    assert first["state"] == "PIPELINE_STATE_SUCCEEDED" and first["endTime"] < second["createTime"]
    scheduling.http.delete(f"/v1/{name}")


def test_an_update_and_a_clock_that_is_set_back_compute_the_next_run_anew(scheduling: Scheduling) -> None:
    scheduling.clock("2026-12-01T00:00:00Z", speed=0)
    name = scheduling.create(
        scheduling.endless, cron="0 * * * *", maxConcurrentActiveRunCount=1, allowQueueing=True, displayName="old"
    )
    scheduling.clock("2026-12-01T03:30:00Z", speed=0)
    assert response(scheduling, name, "2026-12-01T01:00:00Z") == "OK"
    assert scheduling.get(name)["nextRunTime"] == "2026-12-01T02:00:00Z"
    answer = scheduling.http.patch(f"/v1/{name}?updateMask=display_name", json={"displayName": "new"})
    assert answer.json()["nextRunTime"] == "2026-12-01T04:00:00Z"
    scheduling.clock("2026-12-01T02:10:00Z", speed=0)  # set back
    assert scheduling.get(name)["nextRunTime"] == "2026-12-01T03:00:00Z"
    (job,) = scheduling.jobs(name)
    assert scheduling.http.post(f"/v1/{job['name']}:cancel").status_code == 200
    scheduling.http.delete(f"/v1/{name}")


def test_a_schedule_that_is_always_due_leaves_the_others_their_turn(scheduling: Scheduling) -> None:
    scheduling.clock("2026-12-01T00:00:30Z", speed=0)
    names = [
        scheduling.create(scheduling.endless, cron="* * * * *", maxConcurrentActiveRunCount=1),
        scheduling.create(scheduling.quick, cron="0 0 1 * *", maxRunCount=1),
    ]
    scheduling.clock(speed=1e8)  # a million runs a second are left out
    scheduling.wait(lambda: scheduling.get(names[1])["state"], lambda state: state == "COMPLETED", seconds=15)
    scheduling.clock(speed=0)
    for name in names:
        for job in scheduling.jobs(name):
            scheduling.http.post(f"/v1/{job['name']}:cancel")
        scheduling.http.delete(f"/v1/{name}")


def test_a_run_that_cannot_be_started_is_told_and_not_counted(scheduling: Scheduling) -> None:
    scheduling.clock("2026-12-01T00:00:00Z", speed=0)
    assert scheduling.http.post("/storage/v1/b?project=p", json={"name": "goes-away"}).status_code == 200
    job = {
        **scheduling.quick,
        "runtimeConfig": {"gcsOutputDirectory": "gs://goes-away", "parameterValues": {"given": "x"}},
    }
    name = scheduling.create(job, cron="0 0 * * *", maxRunCount=1)
    assert scheduling.http.delete("/storage/v1/b/goes-away").status_code == 204
    scheduling.clock("2026-12-02T00:00:00Z", speed=0)
    said = response(scheduling, name, "2026-12-02T00:00:00Z")
    assert said == "INVALID_ARGUMENT: The bucket of gcs_output_directory 'gs://goes-away' does not exist."
    document = scheduling.get(name)
    assert (document["state"], document["startedRunCount"]) == ("ACTIVE", "0")
    assert scheduling.jobs(name) == []
    scheduling.http.delete(f"/v1/{name}")
    assert scheduling.http.get(f"/v1/{PARENT}/schedules", params={"filter": "state=ACTIVE"}).json() == {}
