"""A schedule's life with Google's SDK."""

import time
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud.aiplatform_v1.types import Schedule

from tests.contract.schedules.conftest import BUCKET, PARENT, Scheduling

State = Schedule.State


def new(sdk: Any, scheduling: Scheduling, name: str, given: str = "for") -> Any:
    job = sdk.PipelineJob(
        display_name="run",
        template_path=str(scheduling.template),
        pipeline_root=f"gs://{BUCKET}/root",
        parameter_values={"given": given, "count": 3},
        labels={"team": "red"},
    )
    return sdk.PipelineJobSchedule(pipeline_job=job, display_name=name)


def test_weekly_runs_come_within_seconds_and_tell_when_they_are_for(sdk: Any, scheduling: Scheduling) -> None:
    scheduling.clock("2026-10-20T00:00:00Z", speed=0)
    schedule = new(sdk, scheduling, "weekly", given="{{$.pipeline_job_schedule_time_utc}}")
    schedule.create(cron="TZ=Europe/Berlin 0 6 * * 1", max_run_count=2, service_account="a@b.iam.gserviceaccount.com")
    assert schedule.state == State.ACTIVE
    scheduling.clock("2026-10-20T00:00:00Z", speed=7 * 24 * 3600)  # a week a second
    scheduling.wait(lambda: schedule.state, lambda state: state == State.COMPLETED)
    assert schedule.done()
    document = scheduling.get(schedule.resource_name)
    assert (document["startedRunCount"], "nextRunTime" in document) == ("2", False)
    # Clocks go back on the Sunday between.
    assert document["lastScheduledRunResponse"] == {"scheduledRunTime": "2026-11-02T05:00:00Z", "runResponse": "OK"}

    def jobs(**arguments: Any) -> list[Any]:
        # Of the simple view, the SDK warns with a method of logging that is deprecated itself.
        return list(schedule.list_jobs(order_by="create_time", enable_simple_view=False, **arguments))

    ended = "state=PIPELINE_STATE_SUCCEEDED"
    first, second = scheduling.wait(lambda: jobs(filter=ended), lambda found: len(found) == 2)
    for job, due in ((first, "2026-10-26T05:00:00Z"), (second, "2026-11-02T05:00:00Z")):
        resource = scheduling.get(job.resource_name)
        assert resource["scheduleName"] == schedule.resource_name
        assert resource["serviceAccount"] == "a@b.iam.gserviceaccount.com"
        assert resource["labels"] == {"team": "red"}
        texts = [
            task["execution"]["metadata"]["output:Output"]
            for task in sorted(resource["jobDetail"]["taskDetails"], key=lambda task: task["taskUniqueName"])
        ]
        assert texts == [f"{due} {due}", resource["createTime"], job.resource_name]
        assert abs(job.create_time.timestamp() - time.time()) < 120  # only schedules see their clock
    assert jobs(filter=f'create_time>"{second.create_time.isoformat()}"') == []

    def ids(order: str) -> list[str]:
        return [job["name"] for job in scheduling.jobs(schedule.resource_name, orderBy=order)]

    names = [first.resource_name, second.resource_name]
    assert ids("create_time") == names and ids("") == ids("create_time desc") == ids("startTime desc") == names[::-1]
    wrong = scheduling.http.get(f"/v1/{PARENT}/pipelineJobs", params={"orderBy": "display_name"})
    assert wrong.status_code == 400 and "order_by" in wrong.text
    for call in (schedule.pause, schedule.resume, lambda: schedule.update(cron="* * * * *")):
        with pytest.raises(BadRequest, match="in state COMPLETED and cannot be"):
            call()


def test_get_list_pause_resume_update_and_delete(sdk: Any, scheduling: Scheduling) -> None:
    scheduling.clock("2026-12-01T12:00:00Z", speed=0)
    schedule = new(sdk, scheduling, "changed often")
    schedule.create(cron="CRON_TZ=America/New_York 30 6 * * *", end_time="2027-01-01T00:00:00Z")
    again = sdk.PipelineJobSchedule.get(schedule.resource_name.rpartition("/")[2])
    assert again.resource_name == schedule.resource_name
    assert (again.cron, again.max_concurrent_run_count, again.allow_queueing) == (schedule.cron, 1, False)
    stored = again.gca_resource
    assert stored.create_pipeline_job_request.pipeline_job.runtime_config.parameter_values["count"] == 3
    assert stored.start_time == stored.create_time == stored.update_time
    assert str(stored.next_run_time) == "2026-12-02 11:30:00+00:00"

    other = new(sdk, scheduling, "other")
    scheduling.clock("2026-12-01T13:00:00Z", speed=0)
    other.create(cron="0 0 1 1 *", start_time="2030-01-01T00:00:00Z")
    assert str(other.gca_resource.next_run_time) == "2030-01-01 00:00:00+00:00"
    mine = 'create_time>="2026-12-01T12:00:00Z" AND start_time>"2020-01-01T00:00:00Z"'

    def names(text: str, order: str = "") -> list[str]:
        answer = scheduling.http.get(f"/v1beta1/{PARENT}/schedules", params={"filter": text, "orderBy": order})
        assert answer.status_code == 200, answer.text
        return [one["displayName"] for one in answer.json().get("schedules", [])]

    assert [one.display_name for one in sdk.PipelineJobSchedule.list(filter=mine)] == ["other", "changed often"]
    assert names(mine, "next_run_time") == ["changed often", "other"]
    assert names(f'{mine} AND (end_time>"2028-01-01T00:00:00Z" OR NOT end_time:*)') == ["other"]
    assert names(f'{mine} AND display_name:"changed*" AND create_pipeline_job_request:*') == ["changed often"]

    schedule.pause()
    assert schedule.state == State.PAUSED and names(f"{mine} AND state=PAUSED") == ["changed often"]
    with pytest.raises(BadRequest, match="in state PAUSED and cannot be paused"):
        schedule.pause()
    scheduling.clock("2026-12-05T12:00:00Z", speed=0)
    schedule.resume()  # the SDK sends no catch_up, whatever it is told
    assert schedule.state == State.ACTIVE
    resumed = schedule.gca_resource
    assert [str(moment) for moment in (resumed.last_pause_time, resumed.last_resume_time, resumed.next_run_time)] == [
        "2026-12-01 13:00:00+00:00",
        "2026-12-05 12:00:00+00:00",
        "2026-12-06 11:30:00+00:00",
    ]
    assert not resumed.catch_up and resumed.started_run_count == 0
    with pytest.raises(BadRequest, match="in state ACTIVE and cannot be resumed"):
        schedule.resume()

    schedule.update(display_name="renamed", cron="0 0 * * 0", max_concurrent_active_run_count=2, allow_queueing=True)
    assert (schedule.cron, schedule.max_concurrent_active_run_count, schedule.allow_queueing) == ("0 0 * * 0", 2, True)
    assert str(schedule.gca_resource.next_run_time) == "2026-12-06 00:00:00+00:00"
    assert schedule.gca_resource.display_name == "renamed"
    schedule.update(allow_queueing=False, end_time="2026-12-05T20:00:00Z")
    assert not schedule.allow_queueing and not schedule.gca_resource.next_run_time
    scheduling.clock("2026-12-05T20:00:00Z", speed=0)
    scheduling.wait(lambda: schedule.state, lambda state: state == State.COMPLETED)
    for one in (schedule, other):
        one.delete()
        with pytest.raises(NotFound):
            sdk.PipelineJobSchedule.get(one.resource_name)
