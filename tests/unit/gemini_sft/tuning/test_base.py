"""What the name of a base model stands for, against a small model registry on 127.0.0.1."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from starlette.routing import BaseRoute

from gemini_sft.errors import ServiceError, UserError
from gemini_sft.experiment import Experiment
from gemini_sft.tuning import Base, find_base, find_champion
from tests.unit.gemini_sft.tuning.registry import PLACE, ROOT, Registry
from tests.unit.gemini_sft.tuning.tuner import request


@pytest.fixture
def registry(serve: Callable[[Sequence[BaseRoute]], str]) -> Registry:
    fake = Registry()
    serve(fake.routes())
    return fake


def found(base_model: str, from_checkpoint: str | None = None, name: str = "demo") -> Base:
    document: dict[str, Any] = {"name": name, "task": "chat", "base_model": base_model, "data": {"train": "t.jsonl"}}
    if from_checkpoint:
        document["tuning"] = {"from_checkpoint": from_checkpoint}
    return find_base("p", "us-central1", Experiment.model_validate(document))


def refused(base_model: str, from_checkpoint: str | None = None) -> str:
    with pytest.raises(UserError) as caught:
        found(base_model, from_checkpoint)
    return str(caught.value)


class TestGeminiModel:
    def test_its_id_is_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody is asked."""
        monkeypatch.setenv("VERTEX_API_ENDPOINT", "http://127.0.0.1:1")
        base = found(ROOT)
        assert base == Base(id=ROOT) and base.asked == ROOT

    def test_it_has_no_checkpoints(self) -> None:
        assert (
            refused(ROOT, "2") == f"tuning.from_checkpoint is for a tuned base_model, and {ROOT} is none: take it out"
        )


class TestTunedModel:
    @pytest.mark.parametrize(
        ("name", "version"),
        [("5", "1"), ("5@1", "1"), ("5@2", "2"), ("5@default", "1"), ("5@champion", "2"), ("5@best", "2")],
    )
    def test_a_name_with_a_version_an_alias_or_neither(self, registry: Registry, name: str, version: str) -> None:
        registry.add("5", "1")
        registry.add("5", "2", "champion", "best")
        base = found(f"{PLACE}/models/{name}")
        assert base == Base(
            id=ROOT,
            model=f"{PLACE}/models/5@{version}",
            checkpoint="2",
            endpoint=f"{PLACE}/endpoints/5{version}2",
        )
        assert base.asked == base.endpoint

    def test_a_name_that_has_its_version_in_it(self, registry: Registry) -> None:
        registry.add("5", "2", name=f"{PLACE}/models/5@2")
        assert found(f"{PLACE}/models/5@2").model == f"{PLACE}/models/5@2"

    @pytest.mark.parametrize("name", ["6", "5@9", "5@nobody"])
    def test_nothing_of_that_name(self, registry: Registry, name: str) -> None:
        registry.add("5")
        model = f"{PLACE}/models/{name}"
        assert refused(model) == f"base_model {model}: there is no such model, version or alias"

    def test_one_that_may_not_be_seen_is_not_said_to_be_missing(self, registry: Registry) -> None:
        registry.refused["5"] = 403
        with pytest.raises(ServiceError, match=r"models/5 answered 403"):
            found(f"{PLACE}/models/5")

    @pytest.mark.parametrize(
        "changes",
        [
            {"baseModelSource": {"genieSource": {"baseModelUri": f"publishers/google/models/{ROOT}@001"}}},
            {"baseModelSource": {"genieSource": {"baseModelUri": f"projects/1/publishers/google/models/{ROOT}"}}},
            {"baseModelSource": None, "labels": {"google-vertex-llm-tuning-base-model-id": ROOT}},
            {"baseModelSource": {"genieSource": {}}, "labels": {"google-vertex-llm-tuning-base-model-id": ROOT}},
        ],
    )
    def test_its_root(self, registry: Registry, changes: dict[str, Any]) -> None:
        registry.add("5", **changes)
        assert found(f"{PLACE}/models/5").id == ROOT

    @pytest.mark.parametrize(
        "changes", [{"baseModelSource": {"modelGardenSource": {}}}, {"baseModelSource": None, "deployedModels": None}]
    )
    def test_one_that_is_no_gemini_model(self, registry: Registry, changes: dict[str, Any]) -> None:
        registry.add("5", **changes)
        assert refused(f"{PLACE}/models/5") == f"base_model {PLACE}/models/5@1 is no tuned Gemini model"


class TestCheckpoint:
    def test_one_that_is_given(self, registry: Registry) -> None:
        registry.add("5", checkpoints="123")
        base = found(f"{PLACE}/models/5", "1")
        assert (base.checkpoint, base.endpoint) == ("1", f"{PLACE}/endpoints/511")

    def test_else_the_default_one(self, registry: Registry) -> None:
        registry.add("5", checkpoints="123", defaultCheckpointId="2")
        base = found(f"{PLACE}/models/5")
        assert (base.checkpoint, base.endpoint) == ("2", f"{PLACE}/endpoints/512")

    def test_another_default_one_is_another_job(self, registry: Registry) -> None:
        """Choosing a checkpoint changes the default one, also of a model that others go on from."""
        intents = set()
        for default in "123":
            registry.add("5", checkpoints="123", defaultCheckpointId=default)
            intents.add(replace(request(), base=found(f"{PLACE}/models/5")).intent)
        assert len(intents) == 3

    def test_one_that_there_is_not(self, registry: Registry) -> None:
        registry.add("5")
        assert refused(f"{PLACE}/models/5", "7") == (
            f"tuning.from_checkpoint is 7, which {PLACE}/models/5@1 does not have: there are 1, 2"
        )

    def test_a_model_that_has_none(self, registry: Registry) -> None:
        endpoint = f"{PLACE}/endpoints/8"
        registry.add("5", checkpoints="", deployedModels=[{"endpoint": endpoint, "deployedModelId": "1"}])
        assert found(f"{PLACE}/models/5") == Base(id=ROOT, model=f"{PLACE}/models/5@1", endpoint=endpoint)
        assert refused(f"{PLACE}/models/5", "1") == (
            f"tuning.from_checkpoint is 1, which {PLACE}/models/5@1 does not have: it has none"
        )


class TestEndpoint:
    def test_none(self, registry: Registry) -> None:
        registry.add("5", deployedModels=None)
        assert refused(f"{PLACE}/models/5") == (
            f"base_model checkpoint 2 of {PLACE}/models/5@1 answers nowhere: no endpoint has it deployed"
        )
        registry.add("6", checkpoints="")
        assert refused(f"{PLACE}/models/6") == (
            f"base_model {PLACE}/models/6@1 answers nowhere: no endpoint has it deployed"
        )

    def test_one_that_does_not_say_its_checkpoint_has_the_default_one(self, registry: Registry) -> None:
        plain = [{"endpoint": f"{PLACE}/endpoints/8", "deployedModelId": "1"}]
        registry.add("5", deployedModels=plain)
        assert found(f"{PLACE}/models/5").endpoint == f"{PLACE}/endpoints/8"
        assert "checkpoint 1 of " in refused(f"{PLACE}/models/5", "1"), "it may answer with another"

    def test_it_is_that_of_the_checkpoint_and_no_other(self, registry: Registry) -> None:
        other = [{"endpoint": f"{PLACE}/endpoints/8", "deployedModelId": "1", "checkpointId": "1"}]
        registry.add("5", deployedModels=other)
        assert found(f"{PLACE}/models/5", "1").endpoint == f"{PLACE}/endpoints/8"
        assert "checkpoint 2 of " in refused(f"{PLACE}/models/5")


class TestChampion:
    def test_the_one_that_the_experiment_has_promoted(self, registry: Registry) -> None:
        registry.add("4")
        registry.add("5", "1")
        registry.add("5", "2")
        registry.add("5", "3", "champion")
        registry.add("6", "1", "champion", labels={"experiment": "other"})
        base = found("champion")
        assert (base.model, base.endpoint) == (f"{PLACE}/models/5@3", f"{PLACE}/endpoints/532")
        assert {*registry.filters} == {'labels.experiment="demo"'}
        assert found("champion", name="other").model == f"{PLACE}/models/6@1"

    def test_it_may_stand_on_any_page(self, registry: Registry) -> None:
        for number in range(10, 15):
            registry.add(f"{number}")
        registry.add("15", "1", "champion")
        assert found("champion").model == f"{PLACE}/models/15@1"
        assert len(registry.filters) == 6

    def test_there_is_none(self, registry: Registry) -> None:
        said = (
            "base_model is champion, but in us-central1 no model with the label experiment=demo has that alias:"
            " run the experiment with a Gemini model until one is promoted, or name a model"
        )
        assert refused("champion") == said
        registry.add("5")
        registry.add("6", "1", "champion", labels={"experiment": "other"})
        assert refused("champion") == said

    def test_of_several_the_one_that_was_promoted_last(self, registry: Registry) -> None:
        """So it is between the two halves of a move from one model to another."""
        registry.add("5", "1", "champion", labels={"experiment": "demo", "promoted": "20261126t101500-000002"})
        registry.add("6", "1", "champion", labels={"experiment": "demo", "promoted": "20261126t101500-000010"})
        registry.add("7", "1", "champion")
        assert found("champion").model == f"{PLACE}/models/6@1"

    def test_several_that_nobody_can_tell_apart(self, registry: Registry) -> None:
        registry.add("5", "1", "champion")
        registry.add("6", "1")
        registry.add("6", "2", "champion")
        assert refused("champion") == (
            "several models have the alias champion, and their label promoted does not tell which was promoted last:"
            f" {PLACE}/models/5@1, {PLACE}/models/6@2: take the alias from all but one in the Model Registry"
        )

    def test_a_version_that_another_experiment_has_made(self, registry: Registry) -> None:
        registry.add("5", "1")
        registry.add("5", "2", "champion", labels={"experiment": "other"})
        assert find_champion("p", "us-central1", "demo") is None

    def test_one_that_nothing_serves_is_found_and_cannot_be_tuned(self, registry: Registry) -> None:
        registry.add("5", "1", "champion", deployedModels=None)
        champion = find_champion("p", "us-central1", "demo")
        assert champion == Base(id=ROOT, model=f"{PLACE}/models/5@1", checkpoint="2", endpoint=None)
        assert refused("champion").endswith("answers nowhere: no endpoint has it deployed")

    def test_one_of_its_checkpoints(self, registry: Registry) -> None:
        registry.add("5", "1", "champion")
        assert found("champion", "1").checkpoint == "1"
        assert refused("champion", "9").endswith("does not have: there are 1, 2")
