"""What a promotion leaves in the registry, and what it refuses."""

from typing import Any

import pytest
from google.cloud import aiplatform
from google.protobuf import json_format

from gemini_sft.errors import RunError, UserError
from gemini_sft.release import Champions, Rollback, promote, rollback
from gemini_sft.release.evaluation import attach
from tests.contract.conftest import Server
from tests.contract.release.conftest import PROMPT, Faults, Team, evaluated
from vertex_emulator.environment import LOCATION, PROJECT

SCHEMA = "gs://google-cloud-aiplatform/schema/modelevaluation/{}_metrics_1.0.0.yaml"


@pytest.fixture(autouse=True)
def sdk(aiplatform_sdk: None) -> None:
    """Every test here may use google-cloud-aiplatform."""


def evaluations(model: str) -> list[dict[str, Any]]:
    """What the SDK reads of a version's evaluations."""
    return [json_format.MessageToDict(one.gca_resource._pb) for one in aiplatform.Model(model).list_model_evaluations()]


def test_the_first_champion(team: Team) -> None:
    model = team.model()
    wanted = team.promotion(model, None)
    assert promote(wanted) == Champions(model, None)
    (version,) = team.versions()
    assert version.aliases == {"champion", "default"} and version.default_checkpoint == "1"
    assert (
        version.labels
        | {
            "experiment": team.name,
            "run": wanted.run_id,
            "verdict": "promote",
            "prompt": PROMPT,
            "data": "d0",
            "tune-type": "sft",
        }
        == version.labels
    )
    (evaluation,) = evaluations(model)
    assert evaluation["displayName"] == f"gemini-sft {wanted.run_id}"
    assert evaluation["metricsSchemaUri"] == SCHEMA.format("summarization")
    assert evaluation["metrics"] == {"rougeLSum": 0.5}
    assert evaluation["metadata"] | {"rougeL_f": 0.25, "examples": 4, "failures": 1} == evaluation["metadata"]
    # Anybody who knows the model finds it by its alias.
    assert aiplatform.Model(f"{model.partition('@')[0]}@champion").version_id == "1"


def test_one_after_the_other(team: Team) -> None:
    first, second, third = team.model(), team.model(), team.model()
    promote(team.promotion(first, None))
    assert promote(team.promotion(second, first)) == Champions(second, first)
    assert promote(team.promotion(third, second)) == Champions(third, second)
    assert team.aliases() == {second: {"previous"}, third: {"champion"}}
    stamps = {one.name: one.promoted for one in team.versions()}
    assert stamps[first] < stamps[second] < stamps[third]


def test_again_changes_nothing(team: Team, faults: Faults) -> None:
    first, second = team.model(), team.model()
    promote(team.promotion(first, None))
    promote(team.promotion(second, first))
    faults(
        {"method": "POST", "path": "/models/", "status": 403}, {"method": "PATCH", "path": "/models/", "status": 403}
    )
    assert promote(team.promotion(second, first)) == Champions(second, first)
    assert len(evaluations(second)) == 1


def test_the_one_before_is_promoted_again(team: Team) -> None:
    """A run may adopt a job whose model was in use before."""
    first, second = team.model(), team.model()
    promote(team.promotion(first, None))
    promote(team.promotion(second, first))
    assert promote(team.promotion(first, second, run_id="again")) == Champions(first, second)
    assert team.aliases() == {first: {"champion"}, second: {"previous"}}
    assert len(evaluations(first)) == 2, "one of each run"


def test_a_race_of_two_runs(team: Team) -> None:
    first, second, third = team.model(), team.model(), team.model()
    promote(team.promotion(first, None))
    promote(team.promotion(second, first))
    for expected in (first, None):
        with pytest.raises(RunError, match="has become the champion meanwhile") as caught:
            promote(team.promotion(third, expected))
        assert second in str(caught.value) and "run again" in str(caught.value)
    assert team.standing() == (second, first) and evaluations(third) == []


def test_a_clock_that_is_late(team: Team) -> None:
    """The order of promotions is that of their calls, whatever the clocks of the machines say."""
    first, second = team.model(promoted="29991231t235959-999999"), team.model()
    promote(team.promotion(first, None))
    assert promote(team.promotion(second, first)) == Champions(second, first)


def test_an_alias_that_was_given_by_hand(team: Team) -> None:
    first, second = team.model(), team.model()
    old = team.model(promoted="20200101t000000-000000")
    for model, alias in ((first, "champion"), (old, "previous")):
        team.give(model, alias)
    assert promote(team.promotion(second, first)) == Champions(second, first)
    assert team.aliases() == {second: {"champion"}, first: {"previous"}}


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"experiment": "others"}, "experiment=others"),
        ({"prompt": "another"}, "prompt=another"),
        ({"promoted": "zzz"}, "promoted=zzz, which is no time"),
    ],
)
def test_models_that_are_not_promoted(team: Team, labels: dict[str, str], said: str) -> None:
    model = team.model(**labels)
    with pytest.raises((RunError, UserError), match=said):
        promote(team.promotion(model, None))
    assert team.standing() == (None, None)


def test_a_model_that_was_deleted(team: Team) -> None:
    model = team.model()
    gone = f"{model.partition('@')[0]}7@1"
    with pytest.raises(RunError, match="no longer in the Model Registry"):
        promote(team.promotion(gone, None))


def test_another_checkpoint_of_the_champion_does_not_take_its_place(team: Team) -> None:
    """Nothing could bring the other one back: an alias stands for a version."""
    model = team.model()
    promote(team.promotion(model, None, checkpoint="1"))
    with pytest.raises(RunError, match="is the champion already, with checkpoint 1: its checkpoint 2 cannot"):
        promote(team.promotion(model, model, checkpoint="2"))
    assert [one.default_checkpoint for one in team.versions()] == ["1"]


def test_versions_of_one_model_take_each_others_place_and_go_back(team: Team) -> None:
    """Continued tuning makes them; an alias stands for one of them only."""
    other, first = team.model(), team.model()
    second = team.model(first.rpartition("/")[2].partition("@")[0])
    promote(team.promotion(other, None))
    promote(team.promotion(first, other))
    assert promote(team.promotion(second, first)) == Champions(second, first)
    assert team.aliases() == {second: {"champion"}, first: {"previous"}}
    for was, now in ((second, first), (first, second)):
        assert rollback(PROJECT, LOCATION, team.name) == Rollback(was, now, was)
        assert team.aliases() == {now: {"champion"}, was: {"previous"}}


def test_two_champions_that_nobody_can_tell_apart(team: Team) -> None:
    first, second = team.model(), team.model()
    for model in (first, second):
        team.give(model, "champion")
    with pytest.raises(UserError, match="does not tell which was promoted last") as caught:
        promote(team.promotion(team.model(), first))
    assert first in str(caught.value) and second in str(caught.value)


@pytest.mark.parametrize(
    ("task", "changes", "schema", "metrics"),
    [
        (
            "question_answering",
            {"metrics": {"exact_match": 0.5, "token_f1": 0.7}},
            "question_answering",
            {"exactMatch": 0.5},
        ),
        ("extraction", {"metrics": {"exact_object": 0.25}}, "question_answering", {"exactMatch": 0.25}),
        ("chat", {"corpus": {"bleu": 12.5}}, "general_text_generation", {"bleu": 12.5, "rougeLSum": 0.5}),
        ("generation", {"corpus": {"bleu": None}}, "general_text_generation", {"rougeLSum": 0.5}),
        (
            "classification",
            {"metrics": {"accuracy": 0.75}, "confusion": {"labels": ["a", "(other)"], "counts": [[3, 1], [0, 0]]}},
            "classification",
            {
                "confusionMatrix": {
                    "annotationSpecs": [{"id": "0", "displayName": "a"}, {"id": "1", "displayName": "(other)"}],
                    "rows": [[3.0, 1.0], [0.0, 0.0]],
                }
            },
        ),
        ("classification", {"metrics": {"accuracy": 0.75}}, "classification", {}),
    ],
)
def test_the_evaluation_in_googles_words(
    server: Server, task: str, changes: dict[str, Any], schema: str, metrics: dict[str, Any]
) -> None:
    team = Team(server, task)
    model = team.model()
    attach(model, "1", "run", team.experiment.task, evaluated(**changes))
    (evaluation,) = evaluations(model)
    assert evaluation["metricsSchemaUri"] == SCHEMA.format(schema) and evaluation["metrics"] == metrics
    assert changes.get("metrics", {}).items() <= evaluation["metadata"].items()
