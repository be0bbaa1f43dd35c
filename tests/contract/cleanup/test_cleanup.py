"""Cleaning up after real tuning jobs, over HTTP: what goes, what stays, and what happens in between."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
from google.genai import types

from gemini_sft.errors import ServiceError
from gemini_sft.release.cleanup_delete import carry_out
from gemini_sft.release.cleanup_items import Kind
from gemini_sft.release.cleanup_reading import experiment_uri, pipelines_of
from gemini_sft.storage import list_files, read_text, write_text
from tests.contract.cleanup.conftest import BUCKET, PLACE, House, made_by
from vertex_emulator import registry
from vertex_emulator.environment import PROJECT
from vertex_emulator.names import project_number

pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")


def run_of(job: types.TuningJob) -> str:
    return (job.labels or {})["run"]


def of_run(house: House, run_id: str) -> list[str]:
    return [name for name in house.files() if run_id in name and "/outcomes/" not in name]


def left(house: House, job: types.TuningJob) -> list[str]:
    """What is still there of a job and its run."""
    model, endpoints = made_by(job)
    names = [*endpoints, model, job.experiment or "", *boards(house, job)]
    return [name for name in names if house.exists(name)] + of_run(house, run_of(job))


def boards(house: House, job: types.TuningJob) -> list[str]:
    """The TensorBoards that were made for a job."""
    query = f'labels.intent="{(job.labels or {})["intent"]}"'
    found = house.server.http.get(f"/v1/{PLACE}/tensorboards", params={"filter": query}).json()
    return [one["name"] for one in found.get("tensorboards", [])]


def contexts(house: House, job: types.TuningJob) -> list[str]:
    """The contexts of the Vertex AI experiment of a job."""
    stamp = (job.experiment or "").rpartition("/")[2]
    found = house.server.http.get(f"/v1/{PLACE}/metadataStores/default/contexts", params={"pageSize": 1000}).json()
    return [one["name"] for one in found.get("contexts", []) if stamp in one["name"]]


def test_of_a_rejected_run_nothing_is_left_and_nothing_else_is_touched(house: House) -> None:
    rejected, champion, previous, undecided = (
        house.run(one) for one in ("reject", "promote", "promote", "inconclusive")
    )
    house.alias(made_by(champion)[0], "champion")
    house.alias(made_by(previous)[0], "previous")
    other = House(house.server, house.client)
    foreign = other.run("reject")
    kept = (champion, previous, undecided, foreign)
    before = [left(house, job) for job in kept]
    assert len(left(house, rejected)) == 9, "two endpoints, model, experiment, TensorBoard, four files"
    planned = house.plan()
    assert [item.kind.value for item in planned.items] == [
        *(
            "endpoint",
            "endpoint",
            "model",
            "experiment",
            "artifacts",
            "artifacts",
            "answers",
            "answers",
            "staging",
            "staging",
        )
    ]
    assert {item.run for item in planned.items} == {run_of(rejected), ""}
    done = carry_out(house.scope, planned.items)
    assert all(one.deleted for one in done), done
    assert left(house, rejected) == [] and contexts(house, rejected) == []
    assert [left(house, job) for job in kept] == before
    assert house.files("outcomes"), "how runs came out outlives them"
    assert not house.plan().items
    assert other.plan().items


def test_prepared_data_are_let_go_of_before_anything_is_deleted(house: House) -> None:
    job = house.run("reject")
    planned = house.plan()
    house.server.http.put("/emulator/faults", json=[{"path": "/upload/storage/", "status": 403, "times": 1}])
    with pytest.raises(ServiceError, match=r"cleaned\.txt could not be written"):
        carry_out(house.scope, planned.items)
    assert house.exists(made_by(job)[0]) and house.plan().items == planned.items
    carry_out(house.scope, [])
    assert not list_files(house.scope.cleaned.rpartition("/")[0])
    house.clean()
    first = read_text(house.scope.cleaned)
    house.run("reject")
    house.clean()
    assert first and read_text(house.scope.cleaned) != first


def test_what_a_run_that_has_begun_since_may_read_is_left(house: House) -> None:
    house.run("reject")
    planned = house.plan()
    house.pipeline(f"{house.name}-now", f"{house.root}/0123456789abcdef/experiment.yaml", "RUNNING")
    fates = {one.item.kind: one for one in carry_out(house.scope, planned.items)}
    assert fates[Kind.ARTIFACTS].refused == f"run {house.name}-now has begun and may use it"
    assert fates[Kind.ANSWERS].deleted


def test_the_weights_of_a_deleted_model_are_gone_from_the_disk_of_the_emulator(house: House) -> None:
    job = house.run("reject")
    folder = house.server.data_dir / "adapters" / made_by(job)[0].rpartition("/")[2]
    assert folder.exists()
    house.clean()
    assert not folder.exists()


def test_a_run_that_was_not_rejected_goes_by_its_age_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    job = house.run("inconclusive")
    assert not house.plan(days=1).items
    assert [one.why for one in house.plan().kept] == [f"its run {run_of(job)} is not old enough, inconclusive"]


def test_while_a_run_is_under_way_no_model_or_artifact_is_planned(house: House) -> None:
    job = house.run("reject")
    house.pipeline(f"{house.name}-now", f"{house.root}/0123456789abcdef/experiment.yaml", "RUNNING")
    found = house.plan()
    assert {item.kind for item in found.items} == {Kind.ANSWERS}
    assert f"run {house.name}-now is under way and may use it" in [one.why for one in found.kept]
    assert house.exists(made_by(job)[0])


def test_a_run_with_another_bucket_keeps_the_models_too(house: House) -> None:
    job = house.run("reject")
    house.pipeline(
        f"{house.name}-now", f"gs://another/staging/{house.name}/0123456789abcdef/experiment.yaml", "RUNNING"
    )
    assert not {Kind.ENDPOINT, Kind.MODEL, Kind.EXPERIMENT} & {item.kind for item in house.plan().items}
    assert house.exists(made_by(job)[0])


def test_a_champion_that_another_experiment_has_made_keeps_the_files_of_the_run_that_adopted_it(house: House) -> None:
    model, (endpoint, _) = made_by(House(house.server, house.client).run("reject"))
    house.alias(model, "champion")
    run_id = f"{house.name}-adopter"
    house.pipeline(run_id, f"{house.root}/0123456789abcdef/experiment.yaml")
    house.judge(run_id, "reject", model, endpoint)
    write_text(f"gs://{BUCKET}/pipelines/{project_number(PROJECT)}/{run_id}/compare/report", "of the champion")
    assert not house.plan().items


def test_a_model_that_became_champion_after_the_plan_is_left_with_all_that_is_its_own(house: House) -> None:
    job = house.run("reject")
    planned = house.plan()
    before = left(house, job)
    house.alias(made_by(job)[0], "champion")
    done = carry_out(house.scope, planned.items)
    assert not any(one.deleted for one in done)
    assert "is now the champion" in done[0].refused
    assert left(house, job) == before and read_text(planned.items[-1].objects[0].uri)


def test_a_run_that_began_after_the_plan_keeps_the_models(house: House) -> None:
    job = house.run("reject")
    planned = house.plan()
    house.pipeline(f"{house.name}-now", f"{house.root}/0123456789abcdef/experiment.yaml", "RUNNING")
    done = carry_out(house.scope, planned.items)
    assert not any(one.deleted for one in done if one.item.kind in (Kind.ENDPOINT, Kind.MODEL, Kind.EXPERIMENT))
    assert "has begun and may use it" in done[0].refused
    assert house.exists(made_by(job)[0])


def test_an_endpoint_that_got_another_model_or_lost_its_labels_after_the_plan_is_left(house: House) -> None:
    job, other = house.run("reject"), house.run("inconclusive")
    planned = house.plan()
    _, (first, second) = made_by(job)
    deployed = {"deployedModel": {"model": made_by(other)[0]}}
    house.http("POST", f"{first}:deployModel", deployed)
    house.http("PATCH", f"{second}?updateMask=labels", {"labels": {"team": "another"}})
    done = {one.item.name.rpartition("/")[2]: one for one in carry_out(house.scope, planned.items)}
    assert "it now serves" in done[first.rpartition("/")[2]].refused
    assert "labels any more" in done[second.rpartition("/")[2]].refused
    (model,) = [one for one in done.values() if one.item.kind is Kind.MODEL]
    assert model.refused == "what hangs on it had to be left"
    assert all(house.exists(name) for name in (first, second, made_by(job)[0], job.experiment or ""))


def test_a_model_that_got_another_version_after_the_plan_is_left(house: House) -> None:
    job = house.run("reject")
    planned = house.plan()
    second = add_version(house, made_by(job)[0])
    (model,) = [one for one in carry_out(house.scope, planned.items) if one.item.kind is Kind.MODEL]
    assert "it now has the version" in model.refused and house.exists(second)


def add_version(house: House, version: str, **labels: str) -> str:
    added: str = house.server.inside(
        registry.add_version,
        PLACE,
        model_id=version.partition("@")[0].rpartition("/")[2],
        display_name="further",
        labels=labels,
        base_model="gemini-3.1-flash-lite",
        checkpoints=[{"checkpointId": "1", "epoch": 1, "step": 5}],
        default_checkpoint_id="1",
    )
    return added


def test_of_a_model_with_a_champion_only_the_rejected_version_goes(house: House) -> None:
    job = house.run("promote")
    champion = made_by(job)[0]
    house.alias(champion, "champion")
    rejected = add_version(house, champion, experiment=house.name, intent="0123", run=f"{house.name}-second")
    house.pipeline(f"{house.name}-second", f"{house.root}/0123456789abcdef/experiment.yaml")
    house.judge(f"{house.name}-second", "reject", rejected, "")
    (done,) = [one for one in house.clean() if one.item.kind is not Kind.STAGING]
    assert done.deleted and done.item.kind is Kind.VERSION
    assert house.exists(champion) and not house.exists(rejected)
    # Where the rejected one is the default, it cannot go: nobody moves aliases behind the user's back.
    second = add_version(house, champion, experiment=house.name, intent="0123", run=f"{house.name}-second")
    house.alias(second, "default")
    found = house.plan()
    assert not [item for item in found.items if item.kind is Kind.VERSION]
    assert "it is the default version of a model that stays" in [one.why for one in found.kept]


def test_an_object_that_was_written_again_after_the_plan_is_left(house: House) -> None:
    house.run("reject")
    planned = house.plan()
    (again, *_) = [one for item in planned.items if item.kind is Kind.STAGING for one in item.objects]
    write_text(again.uri, "staged for a run to come")
    carry_out(house.scope, planned.items)
    assert read_text(again.uri) == "staged for a run to come"
    assert not [name for name in house.files() if "train.jsonl" in name and name not in again.uri]


def test_what_a_schedule_gives_to_its_next_run_stays_until_the_schedule_is_gone(house: House) -> None:
    rejected = house.run("reject")
    (pipeline,) = [one for one in pipelines_of(house.scope) if one["name"].endswith(f"/{run_of(rejected)}")]
    schedule = house.schedule(experiment_uri(pipeline))
    house.clean()
    staged = [name for name in house.files() if name.endswith(("/train.jsonl", "/experiment.yaml"))]
    assert len(staged) == 2 and len(of_run(house, run_of(rejected))) == 0
    house.http("DELETE", schedule)
    house.clean()
    assert not [name for name in house.files() if name in staged]


def test_files_of_users_in_the_same_bucket_are_not_touched(house: House) -> None:
    run = run_of(house.run("reject"))
    mine = [
        f"{house.root}/my-data/train.jsonl",
        f"{house.root}/notes.txt",
        f"gs://{BUCKET}/pipelines/{project_number(PROJECT)}/{run}-of-mine/report",
        f"{house.root}/token-counts/gemini.json",
    ]
    for uri in mine:
        write_text(uri, "mine")
    house.clean()
    assert [read_text(uri) for uri in mine] == ["mine"] * len(mine)


def test_a_tensorboard_that_others_use_too_stays(house: House) -> None:
    job = house.run("reject")
    (board,) = boards(house, job)
    house.http("POST", f"{board}/experiments?tensorboardExperimentId=of-somebody-else", {})
    assert all(one.deleted for one in house.clean())
    assert house.exists(f"{board}/experiments/of-somebody-else")
    assert not house.exists(f"{board}/experiments/{(job.experiment or '').rpartition('/')[2]}")


@pytest.mark.parametrize("unlabelled", [True, False])
def test_a_tensorboard_without_our_labels_stays(house: House, unlabelled: bool) -> None:
    job = house.run("reject")
    (board,) = boards(house, job)
    if unlabelled:
        house.http("PATCH", f"{board}?updateMask=labels", {"labels": {}})
    house.clean()
    assert house.exists(board) is unlabelled


def test_what_the_sdk_adds_to_an_experiment_goes_with_it(house: House) -> None:
    job = house.run("reject")
    experiment = job.experiment or ""
    store = experiment.rpartition("/contexts/")[0]
    artifact = f"{experiment.rpartition('/')[2]}-run-tb-run"
    house.http("POST", f"{store}/artifacts?artifactId={artifact}", {"schemaTitle": "google.VertexTensorboardRun"})
    house.http("POST", f"{store}/artifacts?artifactId=data-of-mine", {"schemaTitle": "system.Dataset"})
    both = [f"{store}/artifacts/{one}" for one in (artifact, "data-of-mine")]
    house.http("POST", f"{experiment}:addContextArtifactsAndExecutions", {"artifacts": both})
    assert all(one.deleted for one in house.clean())
    assert [house.exists(one) for one in both] == [False, True]


def test_it_goes_on_after_one_failure_and_the_next_cleanup_finishes(house: House) -> None:
    first, second = house.run("reject"), house.run("reject")
    _, (endpoint, _) = made_by(first)
    refusal = {"path": f"endpoints/{endpoint.rpartition('/')[2]}$", "method": "DELETE", "status": 403}
    assert house.server.http.put("/emulator/faults", json=[refusal]).status_code == 200
    done = house.clean()
    failed = [one for one in done if one.error]
    assert [one.item.name.rpartition("/")[2] for one in failed] == [endpoint.rpartition("/")[2]]
    assert "403" in failed[0].error
    assert left(house, second) == []
    assert house.exists(made_by(first)[0]) and house.exists(first.experiment or "")
    house.server.http.put("/emulator/faults", json=[])
    assert all(one.deleted for one in house.clean())
    assert left(house, first) == []


def test_a_fault_that_passes_is_not_noticed(house: House) -> None:
    job = house.run("reject")
    rules = [
        {"path": "endpoints", "method": "POST", "status": 503, "times": 1},
        {"path": "models", "method": "DELETE", "body": "cut", "times": 1},
    ]
    assert house.server.http.put("/emulator/faults", json=rules).status_code == 200
    assert all(one.deleted for one in house.clean())
    assert left(house, job) == []


class Killed(BaseException):
    """What a process that is killed never catches."""


def kill_at(patch: pytest.MonkeyPatch, at: int) -> None:
    """Kills this thread when its n-th change was served, before it hears of it."""
    inner: Callable[..., Any] = requests.Session.send
    thread, changes = threading.current_thread(), itertools.count(1)

    def send(client: Any, request: Any, **given: Any) -> Any:
        answer = inner(client, request, **given)
        if threading.current_thread() is thread and request.method in ("POST", "DELETE") and next(changes) == at:
            raise Killed
        return answer

    patch.setattr(requests.Session, "send", send)


def test_killed_after_any_change_it_is_finished_by_the_next(house: House) -> None:
    for at in itertools.count(1):
        job = house.run("reject", epochs=2)
        with pytest.MonkeyPatch.context() as patch:
            kill_at(patch, at)
            try:
                house.clean()
            except Killed:
                pass
            else:
                break
        assert all(one.deleted for one in house.clean())
        assert left(house, job) == [] and contexts(house, job) == [], f"killed after change {at}"
    assert at > 8, "two endpoints undeployed and deleted, model, curves, TensorBoard, run, experiment"
