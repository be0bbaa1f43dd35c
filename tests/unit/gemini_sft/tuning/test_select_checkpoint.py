"""The step that scores checkpoints on validation and takes one, with the real SDK against endpoints on 127.0.0.1."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gemini_sft import storage
from gemini_sft.cost import Bill
from gemini_sft.data.dataset import prompt_uri
from gemini_sft.errors import EvaluationError, ServiceError
from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.inference import online
from gemini_sft.steps.select_checkpoint import select_checkpoint
from gemini_sft.tuning import Curves, Selection
from gemini_sft.tuning.curves import Curve
from gemini_sft.tuning.record import Checkpoint
from tests.unit.gemini_sft.cost.conftest import record as example
from tests.unit.gemini_sft.cost.conftest import write_split
from tests.unit.gemini_sft.inference.fake_gemini import answered, refused
from tests.unit.gemini_sft.report.sample import sample_record
from tests.unit.gemini_sft.tuning.registry import Defaults
from tests.unit.gemini_sft.tuning.tuner import Clock, refusal

# google-genai's own, when it makes its first session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

PLACE = "projects/7/locations/us"
MODEL = "projects/7/locations/us-central1/models/3@1"
N = 8


class Endpoints:
    """One for each checkpoint: `right` says how many of the examples it answers rightly, `broken` which refuse."""

    def __init__(self) -> None:
        self.right = {"e1": 2, "e2": 6, "e3": 4}
        self.broken: set[str] = set()
        self.broken_at: dict[str, str] = {}
        self.asked: Counter[tuple[str, str]] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.others: list[str] = []
        self.there: dict[str, dict[str, Any]] = {}

    def routes(self) -> list[BaseRoute]:
        ask = Route(f"/v1beta1/{PLACE}/endpoints/{{name}}:generateContent", self.ask, methods=["POST"])
        return [ask, Route("/{path:path}", self.other, methods=["GET", "POST", "PUT"])]

    async def ask(self, request: Request) -> Response:
        body, name = await request.json(), request.path_params["name"]
        question = body["contents"][-1]["parts"][0]["text"]
        self.asked[name, question] += 1
        self.bodies.append(body)
        if name in self.broken or self.broken_at.get(name) == question:
            return refused(403, "PERMISSION_DENIED")
        return answered("yes" if int(question.removeprefix("q")) < self.right[name] else "no")

    async def other(self, request: Request) -> Response:
        if found := self.there.get(request.url.path.removeprefix("/v1/")):
            return JSONResponse(found)
        self.others.append(f"{request.method} {request.url.path}")
        return refused(404, "NOT_FOUND")

    @property
    def per_endpoint(self) -> dict[str, int]:
        """How often each was asked."""
        count: Counter[str] = Counter()
        for (name, _), number in self.asked.items():
            count[name] += number
        return dict(count)


@pytest.fixture
def defaults() -> Defaults:
    return Defaults()


@pytest.fixture
def endpoints(
    serve: Callable[[Sequence[BaseRoute]], str], defaults: Defaults, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Endpoints:
    monkeypatch.setattr(online, "_LONGEST_PAUSE_SECONDS", 0.01)
    fake = Endpoints()
    serve([*defaults.routes(), *fake.routes()])
    return fake


class Step:
    """The files that the step reads, and the step."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        names = {"experiment": "staging/demo/0f/x.yaml", "models": "models.json", "validation": "validation"}
        names |= {one: f"{one}.json" for one in ("tuning", "curves", "selection")} | {"page": "page.html"}
        self.uris = {f"{port}_uri": str(folder / name) for port, name in names.items()}
        self.experiment()
        self.models("gemini-2.5-flash")
        self.validation(N)
        self.job()
        storage.write_json(
            self.uris["curves_uri"],
            Curves(validation_loss=Curve(steps=[10, 20, 30], values=[0.25, 0.5, 0.75])).model_dump(mode="json"),
        )

    def experiment(self, **sections: Any) -> None:
        data = {"train": "t.jsonl", "validation": "v.jsonl", "test": "e.jsonl"}
        head = {"name": "demo", "task": "summarization", "base_model": "gemini-2.5-flash", "data": data}
        storage.write_json(self.uris["experiment_uri"], head | sections)

    def models(self, root: str) -> None:
        storage.write_json(self.uris["models_uri"], {"base": {"id": root}})

    def validation(self, n: int, fingerprint: str = "0123456789abcdef") -> None:
        write_split(self._folder / "validation", [example(f"q{number}", "yes") for number in range(n)])
        storage.write_json(prompt_uri(self.uris["validation_uri"]), {"fingerprint": fingerprint})

    def job(self, left: Sequence[int] = (1, 2, 3), **changes: Any) -> None:
        """A tuning job that has left these checkpoints."""
        checkpoints = [Checkpoint(id=f"{n}", epoch=n, step=10 * n, endpoint=f"{PLACE}/endpoints/e{n}") for n in left]
        made = sample_record(checkpoints=checkpoints, model=MODEL, endpoint=f"{PLACE}/endpoints/e3", **changes)
        storage.write_json(self.uris["tuning_uri"], made.model_dump(mode="json"))

    def run(self, run_id: str = "run-1") -> Selection:
        made = select_checkpoint(project="p", location="us-central1", run_id=run_id, **self.uris)
        assert Selection.model_validate(storage.read_json(self.uris["selection_uri"])) == made
        assert made.reason[1:] in storage.read_text(self.uris["page_uri"])
        return made


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return Step(tmp_path)


def scores(selection: Selection) -> list[float | None]:
    return [one.score for one in selection.candidates]


class TestByTheMetric:
    def test_every_checkpoint_is_asked_every_example_once(self, endpoints: Endpoints, step: Step) -> None:
        selection = step.run()
        assert scores(selection) == [2 / N, 6 / N, 4 / N]
        assert [(one.n, one.failures, one.error) for one in selection.candidates] == [(N, 0, None)] * 3
        assert [one.validation_loss for one in selection.candidates] == [0.25, 0.5, 0.75]
        assert {*endpoints.asked.values()} == {1} and endpoints.per_endpoint == {"e1": N, "e2": N, "e3": N}
        assert (selection.by, selection.metric, selection.taken.checkpoint) == (
            CheckpointChoice.METRIC, "rougeL_f", "2",
        )  # fmt: skip

    def test_the_best_becomes_the_default_one_of_the_model(
        self, endpoints: Endpoints, step: Step, defaults: Defaults
    ) -> None:
        step.run()
        assert defaults.requests == [(MODEL, {"defaultCheckpointId": "2"})]

    def test_the_job_is_on_the_bill(self, endpoints: Endpoints, step: Step) -> None:
        step.job(billable_tokens=1234, epochs=3, trial="")
        assert step.run().bills == [Bill(trial="", tokens=1234, epochs=3)]

    def test_the_only_checkpoint_is_not_asked(self, endpoints: Endpoints, step: Step, defaults: Defaults) -> None:
        step.job([3])
        selection = step.run()
        assert (selection.by, selection.taken.checkpoint, selection.reason) == ("last", "3", "there is no other")
        assert not endpoints.asked and defaults.defaults == {MODEL: "3"}

    def test_that_of_a_trial_is_for_it_has_rivals(self, endpoints: Endpoints, step: Step) -> None:
        step.job([3], trial="epochs=3")
        selection = step.run()
        assert endpoints.per_endpoint == {"e3": N}
        assert (selection.taken.trial, selection.taken.score) == ("epochs=3", 4 / N)

    def test_a_model_without_checkpoints_has_no_default_one(
        self, endpoints: Endpoints, step: Step, defaults: Defaults
    ) -> None:
        step.job([], trial="epochs=3")
        selection = step.run()
        assert (selection.taken.checkpoint, selection.taken.score) == ("", 4 / N)
        assert selection.taken.endpoint == f"{PLACE}/endpoints/e3" and defaults.requests == []

    def test_of_a_metric_of_which_less_is_better_the_lowest(
        self, endpoints: Endpoints, step: Step, defaults: Defaults, tmp_path: Path
    ) -> None:
        (tmp_path / "own.py").write_text("def wrong(answer, references): return answer not in references\n")
        step.experiment(
            evaluation={
                "metrics": [str(tmp_path / "own.py:wrong")],
                "lower_is_better": {"wrong": 3},
                "max_failure_rate": 0.125,
            },
            gate={"metric": "wrong"},
        )
        endpoints.broken_at = {"e2": "q0"}
        selection = step.run()
        assert scores(selection) == [6 / N, (2 + 3) / N, 4 / N] and defaults.defaults == {MODEL: "3"}
        assert selection.reason == f"its wrong on {N} validation examples, 0.500, is the lowest of 3 checkpoints"

    def test_failures_count_as_nothing_up_to_the_rate(self, endpoints: Endpoints, step: Step) -> None:
        step.experiment(evaluation={"max_failure_rate": 0.125})
        endpoints.broken_at = {"e2": "q0"}
        second = step.run().candidates[1]
        assert (second.n, second.failures, second.score) == (N, 1, 5 / N)

    def test_the_settings_are_those_of_the_model_at_the_root(self, endpoints: Endpoints, step: Step) -> None:
        step.experiment(base_model="projects/7/locations/us-central1/models/2@1")
        step.models("gemini-2.5-pro")
        step.run()
        thinking = [body["generationConfig"]["thinkingConfig"] for body in endpoints.bodies]
        assert thinking == [{"thinking_budget": 128}] * 3 * N
        assert all(len(body["contents"]) == 1 for body in endpoints.bodies), "the target is not sent"

    def test_no_batch_job_is_made(self, endpoints: Endpoints, step: Step) -> None:
        """It would ask the model, which has one default checkpoint."""
        step.experiment(evaluation={"backend": "batch"})
        assert scores(step.run()) == [2 / N, 6 / N, 4 / N]
        assert [one for one in endpoints.others if not one.startswith("GET ")] == []


class TestOneThatCannotBeScored:
    def test_it_is_passed_over_and_says_why(self, endpoints: Endpoints, step: Step, defaults: Defaults) -> None:
        endpoints.broken = {"e2"}
        selection = step.run()
        assert scores(selection) == [2 / N, None, 4 / N] and defaults.defaults == {MODEL: "3"}
        broken = selection.candidates[1]
        assert (broken.n, broken.failures) == (0, 0)
        assert broken.error and broken.error.startswith(f"{N} of {N} examples have no answer from {PLACE}/endpoints/e2")
        assert "PERMISSION_DENIED" in broken.error
        assert selection.reason == f"its rougeL_f on {N} validation examples, 0.500, is the best of 2 checkpoints"

    def test_if_none_can_be_nothing_is_taken(self, endpoints: Endpoints, step: Step, defaults: Defaults) -> None:
        endpoints.broken = {"e1", "e2", "e3"}
        with pytest.raises(
            EvaluationError, match=rf"^no checkpoint could be scored on validation: {N} of {N} .*PERMISSION_DENIED"
        ):
            step.run()
        assert defaults.requests == [] and not Path(step.uris["selection_uri"]).exists()

    def test_a_trial_of_which_none_can_be_leaves_it_to_the_others(self, endpoints: Endpoints, step: Step) -> None:
        endpoints.broken = {"e1", "e2", "e3"}
        step.job(trial="epochs=3")
        assert [one.error is None for one in step.run().candidates] == [False] * 3


class TestOfAJobThatAnotherRunHasMade:
    @staticmethod
    def registered(endpoints: Endpoints, default: str, *answering: str) -> None:
        endpoints.there = {MODEL: {"name": MODEL, "versionId": "1", "defaultCheckpointId": default}}
        endpoints.there |= {f"{PLACE}/endpoints/{name}": {"name": name} for name in answering}

    @pytest.mark.parametrize(("default", "kept"), [("1", "1"), ("2", None), ("3", None)])
    def test_a_default_that_somebody_has_chosen_stays(
        self, endpoints: Endpoints, step: Step, defaults: Defaults, default: str, kept: str | None
    ) -> None:
        """By itself it is the last, 3; this run takes 2."""
        self.registered(endpoints, default, "e1", "e2", "e3")
        step.job(adopted=True)
        selection = step.run()
        assert (selection.taken.checkpoint, selection.other_default) == ("2", kept)
        assert defaults.defaults == ({} if kept else {MODEL: "2"})

    @pytest.mark.parametrize("alias", ["champion", "previous"])
    def test_what_is_in_use_answers_as_it_did(
        self, endpoints: Endpoints, step: Step, defaults: Defaults, alias: str
    ) -> None:
        """Its default is the last, which nobody needed to choose."""
        self.registered(endpoints, "3", "e1", "e2", "e3")
        endpoints.there[MODEL]["versionAliases"] = [alias]
        step.job(adopted=True)
        selection = step.run()
        assert (selection.taken.checkpoint, selection.other_default) == ("2", "3") and defaults.defaults == {}

    def test_an_endpoint_that_was_deleted_is_not_waited_for(self, endpoints: Endpoints, step: Step) -> None:
        self.registered(endpoints, "3", "e1", "e3")
        step.job(adopted=True)
        selection = step.run()
        assert [one.error for one in selection.candidates] == [None, f"{PLACE}/endpoints/e2 is no longer there", None]
        assert "e2" not in endpoints.per_endpoint and selection.taken.checkpoint == "3"


class TestByLossOrPosition:
    @pytest.mark.parametrize(("by", "taken"), [("loss", "1"), ("last", "3")])
    def test_nobody_is_asked(self, endpoints: Endpoints, step: Step, defaults: Defaults, by: str, taken: str) -> None:
        step.experiment(tuning={"checkpoint": by})
        selection = step.run()
        assert (selection.by, selection.taken.checkpoint) == (by, taken)
        assert not endpoints.asked and defaults.defaults == {MODEL: taken}
        assert scores(selection) == [None] * 3

    def test_by_the_loss_curves_that_could_not_be_read_are_read_again(
        self, endpoints: Endpoints, step: Step, defaults: Defaults
    ) -> None:
        step.experiment(tuning={"checkpoint": "loss"})
        step.job(experiment="projects/7/locations/us-central1/metadataStores/default/contexts/x")
        storage.write_json(step.uris["curves_uri"], {"absent": "Nobody answered."})
        with pytest.raises(ServiceError, match="contexts/x answered 404"):
            step.run()
        assert defaults.requests == [], "nothing is taken for want of what it is chosen by"

    def test_by_the_loss_of_a_job_that_kept_no_curves_it_is_the_last(
        self, endpoints: Endpoints, step: Step, defaults: Defaults
    ) -> None:
        step.experiment(tuning={"checkpoint": "loss"})
        step.job(experiment="")
        storage.write_json(step.uris["curves_uri"], {"absent": "There are none."})
        selection = step.run()
        assert selection.taken.checkpoint == "3" and "no loss on validation" in selection.reason

    def test_of_a_trial_the_last_is_asked(self, endpoints: Endpoints, step: Step) -> None:
        step.experiment(tuning={"checkpoint": "last"})
        step.job(trial="epochs=3")
        selection = step.run()
        assert endpoints.per_endpoint == {"e3": N}
        assert (selection.taken.checkpoint, selection.taken.score) == ("3", 4 / N)

    def test_a_trial_whose_loss_is_compared_is_not(self, endpoints: Endpoints, step: Step) -> None:
        step.experiment(tuning={"checkpoint": "loss"})
        step.job(trial="epochs=3")
        assert step.run().taken.checkpoint == "1" and not endpoints.asked

    @pytest.mark.parametrize("trial", ["", "epochs=3"])
    def test_without_validation_examples_it_is_the_last(
        self, endpoints: Endpoints, step: Step, defaults: Defaults, trial: str
    ) -> None:
        step.validation(0)
        step.job(trial=trial)
        selection = step.run()
        assert (selection.by, selection.taken.checkpoint) == ("last", "3")
        assert selection.reason == "there are no validation examples to choose by, so it is the last"
        assert not endpoints.asked and defaults.defaults == {MODEL: "3"}


class TestAnotherAttempt:
    def test_what_was_answered_is_not_asked_again(self, endpoints: Endpoints, step: Step, defaults: Defaults) -> None:
        defaults.answers = [refusal(403, "PERMISSION_DENIED")]
        with pytest.raises(ServiceError, match="checkpoint 2 could not be made the default one"):
            step.run()
        assert not Path(step.uris["selection_uri"]).exists()
        asked = endpoints.asked.copy()
        selection = step.run()
        assert endpoints.asked == asked
        assert scores(selection) == [2 / N, 6 / N, 4 / N] and defaults.defaults == {MODEL: "2"}

    def test_what_failed_is(self, endpoints: Endpoints, step: Step) -> None:
        endpoints.broken_at = {"e2": "q7"}
        assert step.run().taken.checkpoint == "3", "e2 is passed over"
        endpoints.broken_at = {}
        before = endpoints.per_endpoint
        assert step.run().taken.checkpoint == "2"
        assert {name: endpoints.per_endpoint[name] - number for name, number in before.items()} == {
            "e1": 0, "e2": 1, "e3": 0,
        }  # fmt: skip

    def test_answers_to_another_prompt_are_not_taken_for_its_own(self, endpoints: Endpoints, step: Step) -> None:
        step.run()
        step.validation(N, "fedcba9876543210")
        step.run()
        assert {*endpoints.asked.values()} == {2}


def test_the_component_hands_on_model_and_endpoint(endpoints: Endpoints, step: Step) -> None:
    from components.select_checkpoint import select_checkpoint as component

    metrics = SimpleNamespace(metadata={})
    ports = {name.removesuffix("_uri"): SimpleNamespace(uri=uri) for name, uri in step.uris.items()}
    del ports["experiment"]
    taken = component.python_func(
        project="p", location="us-central1", experiment_uri=step.uris["experiment_uri"], run_id="r", metrics=metrics,
        **ports,
    )  # fmt: skip
    model, model_uri, endpoint, endpoint_uri = taken
    assert (model, endpoint) == (MODEL, f"{PLACE}/endpoints/e2")
    assert model_uri.endswith(f"/v1/{model}") and endpoint_uri.endswith(f"/v1/{endpoint}")
    assert metrics.metadata["checkpoint"] == "2" and metrics.metadata["validation_rougeL_f"] == 6 / N
