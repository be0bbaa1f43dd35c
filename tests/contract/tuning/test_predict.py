"""Asking tuned models: whose they are, with which prompt, and what becomes of each prompt."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from google import genai
from google.cloud import aiplatform
from google.genai import types
from rich.console import Console

from gemini_sft.data.prompting import mark
from gemini_sft.errors import UserError
from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.tuning import Candidate, Selection
from launcher.place import Request, Where
from launcher.predicting import Question, ask_model
from tests.contract.conftest import Server
from tests.contract.tuning.conftest import VALIDATION, wait
from tests.unit.gemini_sft.report.sample import sample_record
from vertex_emulator.environment import PROJECT

pytestmark = [
    pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental"),
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
]

INSTRUCTION = "Extract the order id."
TEXTS = [one["contents"][0]["parts"][0]["text"] for one in VALIDATION]
ORDERS = [one["contents"][1]["parts"][0]["text"] for one in VALIDATION]
NAME = "orders"


@pytest.fixture(scope="module")
def job(client: genai.Client, training: str) -> types.TuningJob:
    """A model of the experiment, with the label of its prompt."""
    labels = {"experiment": NAME, "prompt": mark(INSTRUCTION, "{text}")}
    return wait(
        client,
        client.tunings.tune(
            base_model="gemini-2.5-flash",
            training_dataset=types.TuningDataset(gcs_uri=training),
            config=types.CreateTuningJobConfig(epoch_count=3, labels=labels),
        ),
    )


@pytest.fixture
def request_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: types.TuningJob) -> Request:
    """The experiment of that model, whose only run is `orders-1`."""
    monkeypatch.chdir(tmp_path)
    document = {
        "name": NAME,
        "task": "generation",
        "base_model": "gemini-2.5-flash",
        "data": {"train": "nowhere.jsonl"},
        "prompt": {"system_instruction": INSTRUCTION, "template": "{text}", "target": "order"},
        "evaluation": {"backend": "batch", "temperature": 0.0},
    }
    Path("orders.yaml").write_text(yaml.safe_dump(document), "utf-8")
    assert job.tuned_model
    write_run("orders-1", str(job.tuned_model.model), str(job.tuned_model.endpoint))
    return Request(Path("orders.yaml"), on=Where.VERTEX, project=PROJECT)


@pytest.fixture
def trouble(server: Server) -> Iterator[Any]:
    yield lambda *rules: server.http.put("/emulator/faults", json=list(rules)).raise_for_status()
    server.http.put("/emulator/faults", json=[])


def write_run(run_id: str, model: str, endpoint: str) -> None:
    taken = Candidate(job="j", model=model, checkpoint="3", epoch=3, step=30, endpoint=endpoint)
    selection = Selection(by=CheckpointChoice.LAST, metric="m", candidates=[taken], chosen=0, reason="r")
    folder = Path(".local/runs") / run_id
    folder.mkdir(parents=True)
    (folder / "report.html").touch()
    (folder / "selection.json").write_text(selection.model_dump_json())
    (folder / "tuning.json").write_text(sample_record(base_model="gemini-2.5-flash").model_dump_json())


def asked(request: Request, *texts: str, **question: Any) -> dict[str, Any]:
    return ask_model(request, Question(texts=texts, **question), Console(stderr=True))


def write_file(*rows: dict[str, Any]) -> Path:
    Path("asked.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    return Path("asked.jsonl")


def test_the_model_of_a_run_answers(request_: Request, job: types.TuningJob) -> None:
    found = asked(request_, TEXTS[0], run_id="orders-1")
    assert job.tuned_model
    (answer,) = found["answers"]
    assert (answer["text"], answer["outcome"], answer["error"]) == (ORDERS[0], "answered", None)
    assert answer["tokens"]["prompt"] > 0 < answer["tokens"]["answer"]
    assert (found["endpoint"], found["failures"]) == (job.tuned_model.endpoint, 0)


def test_a_file_is_answered_in_its_order(request_: Request) -> None:
    file = write_file(*({"text": text, "order": "not this"} for text in TEXTS))
    found = asked(request_, file=file, run_id="orders-1", out=Path("new/answers.jsonl"))
    assert (found["answers"], found["out"], found["examples"]) == (None, "new/answers.jsonl", len(TEXTS))
    written = [json.loads(line) for line in Path("new/answers.jsonl").read_text("utf-8").splitlines()]
    assert [(one["source"], one["line"]) for one in written] == [("asked.jsonl", n + 1) for n in range(len(TEXTS))]
    assert [one["text"] for one in written] == ORDERS
    assert [one.name for one in Path("new").iterdir()] == ["answers.jsonl"]


def test_a_prompt_without_an_answer_keeps_its_place(request_: Request, trouble: Any) -> None:
    trouble(
        {"path": "generateContent", "body_matches": "AA-4774", "status": 400},
        {"path": "generateContent", "body_matches": "AA-4811", "answer": "safety"},
    )
    found = asked(request_, file=write_file(*({"text": one} for one in TEXTS)), run_id="orders-1")
    assert [one["text"] or one["outcome"] for one in found["answers"]] == [
        {"AA-4774": "error", "AA-4811": "blocked"}.get(order, order) for order in ORDERS
    ]
    assert found["failures"] == 2
    assert found["outcomes"] == {"answered": len(TEXTS) - 2, "error": 1, "blocked": 1}
    errors = [one["error"] for one in found["answers"] if one["error"]]
    assert len(errors) == 2 and "400" in errors[0] and "SAFETY" in errors[1]


def test_nothing_of_prompts_and_answers_is_in_the_log(
    request_: Request, trouble: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    trouble({"path": "generateContent", "body_matches": ORDERS[1], "status": 400})
    with caplog.at_level(logging.INFO):
        asked(request_, file=write_file(*({"text": one} for one in TEXTS[:3])), run_id="orders-1")
    told = caplog.text + "".join(capsys.readouterr())
    assert not any(one in told for one in (*TEXTS, *ORDERS, INSTRUCTION))


def test_without_a_run_the_champion_is_asked(request_: Request, job: types.TuningJob) -> None:
    assert job.tuned_model and job.tuned_model.model
    with pytest.raises(UserError) as caught:
        asked(request_, TEXTS[0])
    assert str(caught.value).startswith(f"no champion of {NAME} can be asked: ")
    assert str(caught.value).endswith("; or ask the model of a run: --run RUN_ID")
    registry = aiplatform.Model(job.tuned_model.model).versioning_registry
    registry.add_version_aliases(["champion"], "1")
    try:
        # Where the next tuning is to begin is no matter of who is asked.
        further = Request(request_.experiment_file, ["tuning.from_checkpoint='1'"], on=Where.VERTEX, project=PROJECT)
        found = asked(further, TEXTS[1])
    finally:
        registry.remove_version_aliases(["champion"], "1")
    assert found["model"] == f"{job.tuned_model.model.partition('@')[0]}@1"
    assert found["endpoint"] == job.tuned_model.endpoint
    assert found["answers"][0]["text"] == ORDERS[1]


@pytest.mark.parametrize(
    "override", ["prompt.system_instruction=Find it.", "prompt.template='Text: {text}'", "prompt.system_instruction="]
)
def test_another_prompt_than_was_tuned_with_is_not_sent(request_: Request, override: str) -> None:
    other = Request(request_.experiment_file, [override], on=Where.VERTEX, project=PROJECT)
    with pytest.raises(UserError, match="was tuned with another prompt"):
        asked(other, TEXTS[0], run_id="orders-1")


def test_neither_is_one_that_stands_in_the_file(request_: Request) -> None:
    own = {"systemInstruction": {"parts": [{"text": "Find it."}]}}
    rows = [{"contents": [{"role": "user", "parts": [{"text": text}]}]} for text in TEXTS[:2]]
    assert asked(request_, file=write_file(*rows), run_id="orders-1")["failures"] == 0
    with pytest.raises(UserError, match="was tuned with another prompt"):
        asked(request_, file=write_file(rows[0], rows[1] | own), run_id="orders-1")


def test_a_model_that_is_elsewhere_is_not_waited_for(request_: Request) -> None:
    write_run("orders-2", "projects/1/locations/us-central1/models/1@1", "projects/1/locations/us/endpoints/404")
    with pytest.raises(UserError, match=r"endpoints/404 is not there: it was deleted, or is elsewhere \(give --on"):
        asked(request_, TEXTS[0], run_id="orders-2")
