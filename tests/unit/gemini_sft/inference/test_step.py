"""The step that evaluates one model, against a small Gemini."""

from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from gemini_sft import storage
from gemini_sft.data.dataset import examples_uri, prompt_uri, sources_uri
from gemini_sft.data.example import turn
from gemini_sft.errors import EvaluationError
from gemini_sft.inference.evaluation import most_failures
from gemini_sft.steps.absent import class_of_absence, why_absent
from gemini_sft.steps.evaluate_model import evaluate_model
from tests.unit.gemini_sft.cost.conftest import record, write_split
from tests.unit.gemini_sft.inference.fake_gemini import BASE, ENDPOINT, Gemini, answered, examples, refused

# google-genai's own, when it makes its first session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

FINGERPRINT = "0123456789abcdef"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    experiment = {
        "name": "demo",
        "task": "summarization",
        "base_model": "gemini-2.5-flash",
        "data": {"train": "t.jsonl", "test": "t.jsonl"},
        "evaluation": {"max_failure_rate": 0.25},
    }
    storage.write_json(str(tmp_path / "staging" / "abc" / "x.yaml"), experiment)
    test = str(tmp_path / "test")
    storage.write_jsonl(examples_uri(test), (one.record for one in examples(4)))
    storage.write_jsonl(sources_uri(test), ({"id": one.id, "source": "f", "line": 1} for one in examples(4)))
    storage.write_json(prompt_uri(test), {"fingerprint": FINGERPRINT})
    storage.write_json(str(tmp_path / "models.json"), {"base": {"id": "gemini-2.5-flash"}})
    names = {"experiment": "staging/abc/x.yaml", "test": "test", "predictions": "p.jsonl", "evaluation": "e.json"}
    names |= {"train": "test", "traffic": "t.json", "models": "models.json"}
    return {f"{port}_uri": str(tmp_path / name) for port, name in names.items()}


def run(arm: str = "base", endpoint: str = "", **files: Any) -> dict[str, float]:
    return evaluate_model(project="p", location="us-central1", run_id="run", arm=arm, endpoint=endpoint, **files)


def test_writes_predictions_and_scores(gemini: Gemini, files: dict[str, Any]) -> None:
    async def one_fails(question: str, attempt: int) -> Response:
        return refused(400, "INVALID_ARGUMENT") if question == "q2" else answered("a")

    gemini.answer = one_fails
    metrics = run(**files)
    assert (metrics["examples"], metrics["failures"], metrics["rougeL_f"]) == (4, 1, 0.75)
    outcomes = [one["outcome"] for one in storage.read_jsonl(files["predictions_uri"])]
    assert outcomes == ["answered", "answered", "error", "answered"]
    evaluation = storage.read_json(files["evaluation_uri"])
    assert (evaluation["model"], evaluation["n"], evaluation["served_by"]) == ("gemini-2.5-flash", 4, "fake-1")
    assert evaluation["failed"] == [examples(4)[2].id] and evaluation["prompt"] == FINGERPRINT
    assert {path for path, _ in gemini.calls} == {BASE}


def test_too_many_failures_leave_the_predictions_but_no_evaluation(gemini: Gemini, files: dict[str, Any]) -> None:
    async def fail(question: str, attempt: int) -> Response:
        return refused(403, "PERMISSION_DENIED")

    gemini.answer = fail
    with pytest.raises(EvaluationError, match=r"^4 of 4 examples have no answer .*PERMISSION_DENIED"):
        run("candidate", ENDPOINT, **files)
    assert len(list(storage.read_jsonl(files["predictions_uri"]))) == 4
    assert not Path(files["evaluation_uri"]).exists()


def test_a_model_that_was_tuned_with_this_prompt_is_asked(gemini: Gemini, files: dict[str, Any]) -> None:
    gemini.labels = {"prompt": FINGERPRINT}
    assert run("candidate", ENDPOINT, **files)["failures"] == 0
    assert {path for path, _ in gemini.calls} == {f"/v1beta1/{ENDPOINT}:generateContent"}


def test_a_model_that_was_tuned_with_another_prompt_is_not_asked(gemini: Gemini, files: dict[str, Any]) -> None:
    gemini.labels = {"prompt": "f" * 16}
    with pytest.raises(EvaluationError, match=f"another prompt .*{'f' * 16}.*{FINGERPRINT}"):
        run("candidate", ENDPOINT, **files)
    assert not gemini.calls and not Path(files["predictions_uri"]).exists()


def test_a_base_model_that_was_tuned_with_another_prompt_is_not_asked(gemini: Gemini, files: dict[str, Any]) -> None:
    """It would be easy to beat."""
    gemini.labels = {"prompt": "f" * 16}
    base = {"id": "gemini-2.5-flash", "model": "projects/7/locations/us/models/3@2", "endpoint": ENDPOINT}
    storage.write_json(files["models_uri"], {"base": base})
    with pytest.raises(EvaluationError, match=f"another prompt .*{'f' * 16}.*{FINGERPRINT}"):
        run("base", **files)
    assert not gemini.calls and not Path(files["evaluation_uri"]).exists()
    gemini.labels = {"prompt": FINGERPRINT}
    assert run("base", **files)["failures"] == 0


class TestFewShot:
    def test_without_it_nothing_is_done(self, gemini: Gemini, files: dict[str, Any]) -> None:
        assert run("few_shot", **files) == {}
        assert not gemini.calls and not any(Path(files[f"{one}_uri"]).exists() for one in ("predictions", "evaluation"))

    def test_examples_from_train_stand_in_the_instruction(self, gemini: Gemini, files: dict[str, Any]) -> None:
        ask_for(files, 2)
        assert run("few_shot", **files)["examples"] == 4
        told = {body["systemInstruction"]["parts"][0]["text"] for _, body in gemini.calls}
        assert told == {"Here are some examples:\n\nown\nAnswer: a\n\nmine\nAnswer: b"}, "q1 is asked, so not told"
        assert storage.read_json(files["evaluation_uri"])["prompt"] == "", "that is not the split's prompt"
        ids = [one["example_id"] for one in storage.read_jsonl(files["predictions_uri"])]
        assert ids == [one.id for one in examples(4)], "whatever stands in the prompt, an example is the same"

    def test_its_answers_are_not_those_of_the_plain_base_model(self, gemini: Gemini, files: dict[str, Any]) -> None:
        ask_for(files, 1)
        run(**files)
        run("few_shot", **files)
        assert len(gemini.calls) == 8


CHAMPION = {"id": "gemini-2.5-flash", "model": "projects/7/locations/us/models/3@2", "checkpoint": "4"}


class TestChampion:
    @pytest.fixture(autouse=True)
    def tuned(self, gemini: Gemini) -> None:
        gemini.labels = {"prompt": FINGERPRINT}

    def test_the_promoted_model_is_asked_at_its_endpoint(self, gemini: Gemini, files: dict[str, Any]) -> None:
        promote(files, endpoint=ENDPOINT)
        assert run("champion", **files)["examples"] == 4
        assert {path for path, _ in gemini.calls} == {f"/v1beta1/{ENDPOINT}:generateContent"}
        assert storage.read_json(files["evaluation_uri"])["model"] == ENDPOINT

    def test_its_settings_are_those_of_its_own_root(self, gemini: Gemini, files: dict[str, Any]) -> None:
        promote(files, endpoint=ENDPOINT, id="gemini-2.5-pro")
        run("champion", **files)
        assert {body["generationConfig"]["thinkingConfig"]["thinking_budget"] for _, body in gemini.calls} == {128}

    @pytest.mark.parametrize("base", [None, {**CHAMPION, "endpoint": ENDPOINT}], ids=["none", "the base model"])
    def test_without_another_model_nothing_is_done(
        self, gemini: Gemini, files: dict[str, Any], base: dict[str, Any] | None
    ) -> None:
        if base:
            storage.write_json(files["models_uri"], {"base": base, "champion": base})
        assert run("champion", **files) == {}
        written = [port for port in ("predictions", "evaluation", "traffic") if Path(files[f"{port}_uri"]).exists()]
        assert not gemini.calls and not written

    def test_another_checkpoint_of_the_base_model_is_another_model(self, gemini: Gemini, files: dict[str, Any]) -> None:
        promote(files, endpoint=ENDPOINT)
        base = {**CHAMPION, "checkpoint": "3", "endpoint": ENDPOINT}
        storage.write_json(files["models_uri"], storage.read_json(files["models_uri"]) | {"base": base})
        assert run("champion", **files)["examples"] == 4

    @pytest.mark.parametrize(
        ("champion", "labels", "why"),
        [
            ({}, FINGERPRINT, "no endpoint serves projects/7/locations/us/models/3@2: deploy it"),
            ({"endpoint": ENDPOINT, "id": "gemini-1.0-pro"}, FINGERPRINT, "gemini-1.0-pro"),
            ({"endpoint": ENDPOINT}, "f" * 16, "was tuned with another prompt"),
        ],
        ids=["served nowhere", "unheard-of root", "another prompt"],
    )
    def test_why_it_cannot_be_had_is_written(
        self, gemini: Gemini, files: dict[str, Any], champion: dict[str, str], labels: str, why: str
    ) -> None:
        gemini.labels = {"prompt": labels}
        promote(files, **champion)
        assert run("champion", **files) == {} and not gemini.calls
        said = why_absent(storage.read_json(files["evaluation_uri"]))
        assert said and said.startswith(f"the evaluation of {CHAMPION['model']}, the champion, could not be had: ")
        assert why in said

    def test_too_many_failures_end_no_run(self, gemini: Gemini, files: dict[str, Any]) -> None:
        async def fail(question: str, attempt: int) -> Response:
            return refused(400, "INVALID_ARGUMENT")

        gemini.answer = fail
        promote(files, endpoint=ENDPOINT)
        assert run("champion", **files) == {}
        assert "4 of 4 examples have no answer" in str(why_absent(storage.read_json(files["evaluation_uri"])))

    def test_what_it_answered_is_not_asked_again_of_the_same_candidate(
        self, gemini: Gemini, files: dict[str, Any]
    ) -> None:
        promote(files, endpoint=ENDPOINT)
        run("champion", **files)
        assert run("candidate", ENDPOINT, **files)["examples"] == 4 and len(gemini.calls) == 4


class TestRecheck:
    @pytest.fixture(autouse=True)
    def tuned(self, gemini: Gemini) -> None:
        gemini.labels = {"prompt": FINGERPRINT}

    @pytest.mark.parametrize("base", [{"id": "gemini-2.5-flash"}, {**CHAMPION, "endpoint": ENDPOINT}])
    def test_the_champion_is_asked_whatever_the_base_model(
        self, gemini: Gemini, files: dict[str, Any], base: dict[str, Any]
    ) -> None:
        storage.write_json(files["models_uri"], {"base": base, "champion": {**CHAMPION, "endpoint": ENDPOINT}})
        assert run("recheck", **files)["examples"] == 4
        assert {path for path, _ in gemini.calls} == {f"/v1beta1/{ENDPOINT}:generateContent"}
        assert run("recheck", **files)["examples"] == 4 and len(gemini.calls) == 4, "another attempt asks nothing again"

    def test_what_another_run_was_answered_is_asked_again(self, gemini: Gemini, files: dict[str, Any]) -> None:
        promote(files, endpoint=ENDPOINT)
        run("champion", **files)
        run("recheck", **files)
        assert len(gemini.calls) == 8

    def test_without_a_champion_nothing_is_done(self, gemini: Gemini, files: dict[str, Any]) -> None:
        assert run("recheck", **files) == {} and not gemini.calls and not Path(files["evaluation_uri"]).exists()

    def test_answers_that_cannot_be_scored_are_left_to_the_recheck(self, gemini: Gemini, files: dict[str, Any]) -> None:
        async def empty(question: str, attempt: int) -> Response:
            return answered("")

        gemini.answer = empty
        promote(files, endpoint=ENDPOINT)
        assert run("recheck", **files)["failures"] == 4
        assert why_absent(storage.read_json(files["evaluation_uri"])) is None

    def test_a_service_that_refuses_says_nothing_of_the_champion(self, gemini: Gemini, files: dict[str, Any]) -> None:
        async def fail(question: str, attempt: int) -> Response:
            return refused(403, "PERMISSION_DENIED")

        gemini.answer = fail
        promote(files, endpoint=ENDPOINT)
        assert run("recheck", **files) == {}
        document = storage.read_json(files["evaluation_uri"])
        assert "PERMISSION_DENIED" in str(why_absent(document)) and class_of_absence(document) == "EvaluationError"


def promote(files: dict[str, Any], **champion: str) -> None:
    models = {"base": {"id": "gemini-2.5-flash"}, "champion": CHAMPION | champion}
    storage.write_json(files["models_uri"], models)


@pytest.mark.parametrize(
    ("arm", "endpoint"), [("candidate", ""), ("base", ENDPOINT), ("champion", ENDPOINT), ("x", "")]
)
def test_an_arm_that_is_none(gemini: Gemini, files: dict[str, Any], arm: str, endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"an endpoint is given for|not a valid Arm"):
        run(arm, endpoint, **files)
    assert not gemini.calls


def ask_for(files: dict[str, Any], shots: int) -> None:
    """Asks for the control arm; two examples of train can be shown, one is asked in test."""
    experiment = storage.read_json(files["experiment_uri"])
    experiment["evaluation"]["few_shot"] = shots
    storage.write_json(files["experiment_uri"], experiment)
    folder = Path(files["predictions_uri"]).parent / "train"
    files["train_uri"] = write_split(folder, [record("q1", "leak"), record("own", "a"), record("mine", "b")])


@pytest.mark.parametrize("rate", [0.0, 0.07, 0.1, 0.29, 0.57, 0.58, 1 / 3, 1.0])
@pytest.mark.parametrize("n", [1, 3, 7, 100, 1000])
def test_as_many_may_fail_as_the_evaluation_lets_pass(n: int, rate: float) -> None:
    most = most_failures(n, rate)
    assert most / n <= rate and (most + 1) / n > rate


def test_a_run_that_may_lose_so_many_is_not_ended_early(gemini: Gemini, files: dict[str, Any]) -> None:
    async def one_fails(question: str, attempt: int) -> Response:
        return refused(400, "INVALID_ARGUMENT") if question == "q0" else answered("a")

    gemini.answer = one_fails
    assert run(**files)["failures"] == 1 and set(gemini.asked) == {"q0", "q1", "q2", "q3"}


def test_the_control_arm_cannot_end_a_run(gemini: Gemini, files: dict[str, Any]) -> None:
    async def fail(question: str, attempt: int) -> Response:
        return refused(400, "INVALID_ARGUMENT")

    gemini.answer = fail
    experiment = storage.read_json(files["experiment_uri"]) | {"evaluation": {"few_shot": 1}}
    storage.write_json(files["experiment_uri"], experiment)
    train = Path(files["test_uri"]).with_name("train")
    storage.write_jsonl(examples_uri(str(train)), [{"contents": [turn("user", "other"), turn("model", "a")]}])
    storage.write_jsonl(sources_uri(str(train)), [{"id": "t", "source": "f", "line": 1}])
    assert run("few_shot", **files | {"train_uri": str(train)}) == {}
    why = why_absent(storage.read_json(files["evaluation_uri"]))
    assert why and why.startswith("the evaluation of gemini-2.5-flash with examples in its prompt could not be had: ")
