"""What a scheduled run chooses to do, after a real tuning job and on its labels."""

import logging
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from google.cloud import storage as gcs

from gemini_sft import registry, storage
from gemini_sft.catalog import catalog
from gemini_sft.cost import quote_recheck
from gemini_sft.data.dataset import examples_uri, prompt_uri, sources_uri
from gemini_sft.decision.outcome import Outcome, outcome_uri
from gemini_sft.errors import ExperimentError
from gemini_sft.experiment import Gate, load_experiment
from gemini_sft.registry import PROMOTED
from gemini_sft.release.promotion import NOT_WITHDRAWN, WITHDRAWN
from gemini_sft.release.writing import set_labels
from gemini_sft.retraining.plan import Path, Plan
from gemini_sft.steps.find_models import find_models
from gemini_sft.steps.places import OUTCOMES, PLANS, SPENDING, beside
from gemini_sft.steps.plan_retraining import plan_retraining
from gemini_sft.steps.tune_model import tune_model
from gemini_sft.tuning import TuningRecord
from tests.contract.conftest import Server
from tests.contract.tuning.conftest import example
from vertex_emulator.environment import LOCATION, PROJECT

pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")

BUCKET = "retraining-data"
PLACE = {"project": PROJECT, "location": LOCATION}
MODEL = "gemini-3.1-flash-lite"


class Team:
    """An experiment whose data and settings change from run to run."""

    def __init__(self, server: Server) -> None:
        self._server, self.name = server, f"again-{secrets.token_hex(4)}"
        self.root = f"gs://{BUCKET}/staging/{self.name}"
        self.say()
        self.have(range(20))

    def say(self, **sections: Any) -> None:
        """Writes the experiment; each content has a place of its own, as staged ones do."""
        document = {"name": self.name, "task": "chat", "base_model": MODEL, "data": {"train": "gs://x/t.jsonl"}}
        document |= {"tuning": {"epochs": 1}} | sections
        self.experiment = f"{self.root}/0f/experiment.yaml"
        storage.write_json(self.experiment, document)

    def have(self, numbers: Sequence[int]) -> None:
        """Prepares training data, in that order."""
        train = f"{self.root}/train"
        storage.write_jsonl(examples_uri(train), (example(n) for n in numbers))
        storage.write_jsonl(sources_uri(train), ({"id": f"{n:016x}", "source": "t.jsonl", "line": n} for n in numbers))
        storage.write_jsonl(sources_uri(f"{self.root}/validation"), [])
        for split in ("train", "test"):
            storage.write_json(prompt_uri(f"{self.root}/{split}"), {"fingerprint": "0123456789abcdef"})

    def find(self, purpose: str = "retrain") -> None:
        find_models(**PLACE, experiment_uri=self.experiment, models_uri=f"{self.root}/models.json", purpose=purpose)

    def tuned_on(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = storage.read_json(f"{self.root}/models.json")["tuned_on"]
        return found

    def tune(self, run_id: str) -> TuningRecord:
        self.find()
        return tune_model(
            **PLACE,
            experiment_uri=self.experiment,
            run_id=run_id,
            models_uri=f"{self.root}/models.json",
            train_uri=f"{self.root}/train",
            validation_uri=f"{self.root}/validation",
            trial="",
            tuning_uri=f"{self.root}/tuning.json",
        )

    def plan(self, run_id: str, refused: str = "") -> Plan:
        self.find()
        quote = quote_recheck(load_experiment(self.experiment, allow_retired=True), None, None).model_copy(
            update={"refused": refused}
        )
        document = quote.model_copy(update={"recheck": quote}).model_dump(mode="json")
        storage.write_json(f"{self.root}/quote.json", document)
        made = plan_retraining(
            **PLACE,
            experiment_uri=self.experiment,
            run_id=run_id,
            models_uri=f"{self.root}/models.json",
            train_uri=f"{self.root}/train",
            test_uri=f"{self.root}/test",
            quote_uri=f"{self.root}/quote.json",
            plan_uri=f"{self.root}/plan.json",
        )
        for uri in (f"{self.root}/plan.json", beside(self.experiment, f"{PLANS}/{run_id}.json")):
            assert storage.read_json(uri) == made.model_dump(mode="json")
        return made

    def judge(self, run_id: str, record: TuningRecord, verdict: str) -> None:
        """Leaves the outcome of a run."""
        labels = self.version(record.model).labels
        outcome = Outcome(
            run_id=run_id,
            experiment=self.name,
            verdict=verdict,
            reasons=[],
            metric="m",
            base=0.0,
            champion=None,
            candidate=0.0,
            gain=0.0,
            low=0.0,
            high=0.0,
            confidence=0.95,
            model=record.model,
            checkpoint="",
            endpoint=record.endpoint,
            against=MODEL,
            data=labels["data"],
            intent=labels["intent"],
            test="t",
            gate=Gate(),
            report="r",
        )
        uri = outcome_uri(beside(self.experiment, OUTCOMES), run_id)
        storage.write_json(uri, outcome.model_dump(mode="json"))

    def promote(self, model: str) -> None:
        body = {"versionAliases": ["champion"]}
        assert self._server.http.post(f"/v1/{model}:mergeVersionAliases", json=body).status_code == 200

    def version(self, model: str) -> registry.Version:
        found = registry.find_version(model)
        assert found
        return found


@pytest.fixture(scope="module")
def bucket(server: Server) -> None:
    storage._client.cache_clear()
    gcs.Client(project=PROJECT).create_bucket(BUCKET)


@pytest.fixture
def team(server: Server, bucket: None) -> Iterator[Team]:
    yield Team(server)
    storage._client.cache_clear()


def test_from_schedule_to_schedule(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    first = team.plan("run-1")
    assert (first.path, first.reasons) == (Path.TUNE, ["there is no champion yet"])
    record = team.tune("run-1")
    team.judge("run-1", record, "promote")
    failed = team.plan("run-2")
    assert failed.path is Path.TUNE, "a run that came to promote, and did not, is to be done again"
    team.promote(record.model)
    team.judge("run-1", record, "inconclusive")  # as if somebody had promoted it by hand

    with caplog.at_level(logging.INFO, "gemini_sft.steps.plan_retraining"):
        unchanged = team.plan("run-3")
    assert unchanged.path is Path.RECHECK and unchanged.champion == record.model
    assert unchanged.reasons == ["the 20 training examples are those that the champion was tuned on"]
    assert f"recheck: {unchanged.reasons[0]}" in caplog.messages
    team.have(range(21))
    assert team.plan("run-4").new_examples == 1 and team.plan("run-4").path is Path.SKIP
    team.have(range(40))
    more = team.plan("run-5")
    assert (more.path, more.new_examples) == (Path.TUNE, 20)
    assert team.plan("run-6", refused="too dear").reasons[-1] == "too dear"
    entries = storage.list_files(beside(team.experiment, SPENDING), deep=True)
    noted = {uri.rpartition("/")[2].removesuffix(".json") for uri in entries}
    assert noted == {"run-1", "run-2", "run-3", "run-5"}, "a skip costs nothing"

    another = team.tune("run-5")
    team.judge("run-5", another, "inconclusive")
    tried = team.plan("run-7")
    assert tried.path is Path.RECHECK
    assert tried.reasons[0].startswith("run run-5 has tuned on these very data with these settings and came to inconcl")
    team.have(range(39, -1, -1))
    assert team.plan("run-7").path is Path.RECHECK, "the same rows in another order are nothing new"
    team.have(range(40))
    team.say(tuning={"epochs": 1, "attempt": 2})
    assert team.plan("run-8").reasons[0].endswith("tuning.attempt is 2, and was 1")
    team.say()

    team.judge("run-5", another, "promote")
    assert team.plan("run-9").path is Path.TUNE
    set_labels(another.model, {WITHDRAWN: "20300101t000000"})
    back = team.plan("run-10")
    assert back.path is Path.RECHECK and "a rollback has taken out of use" in back.reasons[0]
    set_labels(another.model, {WITHDRAWN: NOT_WITHDRAWN})
    assert team.plan("run-11").path is Path.TUNE

    team.have(range(20))
    for uri in storage.list_files(f"{team.root}/trained"):
        storage.delete(uri)
    assert "is not known here" in team.plan("run-12").reasons[0]


def test_a_model_that_was_tuned_further_knows_what_the_one_before_it_was_tuned_on(team: Team) -> None:
    first = team.tune("run-1").model
    team.promote(first)
    set_labels(first, {PROMOTED: "20300101t000000"})
    team.say(base_model="champion", tuning={"epochs": 1})
    team.have(range(50, 80))
    further = team.tune("run-2").model
    label = {one: team.version(one).labels["data"] for one in (first, further)}
    assert team.tuned_on() == {first: [label[first]]}
    team.promote(further)
    set_labels(further, {PROMOTED: "20300102t000000"})
    team.find("recheck")
    assert team.tuned_on() == {further: [label[further], label[first]]}


def test_a_base_model_that_is_gone_ends_a_run_to_tune_and_no_other(team: Team) -> None:
    gone, entry = next(iter(catalog().retired.items()))
    team.say(base_model=gone)
    with pytest.raises(ExperimentError, match=f"{gone} was retired on {entry.since}: use "):
        team.find("run")
    team.find("recheck")
    plan = team.plan("run-1")
    assert plan.path is Path.SKIP and plan.reasons[0].startswith(f"nothing is tuned: {gone} was retired")
    assert plan.alarms == [f"the base model {gone} was retired on {entry.since}: use {entry.replacement}"]
    team.say(tuning={"evaluation": ["bleu"]}, data={"train": "gs://x/t.jsonl", "test": "gs://x/t.jsonl"})
    with pytest.raises(ExperimentError, match=r"tuning\.evaluation"):
        team.find("retrain")
    team.find("recheck")
