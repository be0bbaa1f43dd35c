"""The step and its component, on files."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gemini_sft import storage
from gemini_sft.data.dataset import examples_uri, prompt_uri, sources_uri
from gemini_sft.errors import ServiceError
from gemini_sft.judging import Judgement
from gemini_sft.steps.absent import why_absent
from gemini_sft.steps.judge_answers import judge_answers
from tests.unit.gemini_sft.inference.fake_gemini import Gemini, examples
from tests.unit.gemini_sft.judging.conftest import longer, says
from tests.unit.gemini_sft.judging.test_judge import predictions

PRO = "/v1beta1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-pro:generateContent"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    test = str(tmp_path / "test")
    storage.write_jsonl(examples_uri(test), (one.record for one in examples(3)))
    storage.write_jsonl(sources_uri(test), ({"id": one.id, "source": "f", "line": 1} for one in examples(3)))
    storage.write_json(prompt_uri(test), {"fingerprint": "0" * 16})
    for side, texts in (("base", ["x", "same", "y"]), ("candidate", ["longer", "same", "z"])):
        storage.write_jsonl(str(tmp_path / side), (one.model_dump(mode="json") for one in predictions(texts)))
    names = {"experiment": "staging/abc/x.yaml", "test": "test", "base_predictions": "base"}
    names |= {"candidate_predictions": "candidate", "judgement": "out/judgement.json"}
    return {f"{port}_uri": str(tmp_path / name) for port, name in names.items()}


def say(files: dict[str, str], **judge: Any) -> None:
    experiment = {
        "name": "demo",
        "task": "summarization",
        "base_model": "gemini-2.5-flash",
        "data": {"train": "t.jsonl", "test": "t.jsonl"},
        "evaluation": {"judge": judge},
    }
    storage.write_json(files["experiment_uri"], experiment)


def test_without_a_judge_nothing_is_done(gemini: Gemini, files: dict[str, str]) -> None:
    say(files)
    assert judge_answers(project="p", location="us-central1", run_id="run", **files) == {}
    assert not gemini.calls and not Path(files["judgement_uri"]).exists()


def test_the_judge_is_asked_and_what_it_said_is_written(gemini: Gemini, files: dict[str, str]) -> None:
    from components.judge_answers import judge_answers as component

    gemini.answer = says(longer)
    say(files, model="gemini-2.5-pro")
    metrics = SimpleNamespace(metadata={})
    ports = {name.removesuffix("_uri"): SimpleNamespace(uri=uri) for name, uri in files.items() if "exper" not in name}
    component.python_func(
        project="p",
        location="us-central1",
        experiment_uri=files["experiment_uri"],
        run_id="run",
        metrics=metrics,
        **ports,
    )
    judgement = Judgement.model_validate(storage.read_json(files["judgement_uri"]))
    assert metrics.metadata == judgement.summary()
    assert (judgement.tally.wins, judgement.tally.ties, judgement.tally.identical) == (1, 2, 1)
    assert {path for path, _ in gemini.calls} == {PRO} and len(gemini.calls) == 4
    kept = Path(files["experiment_uri"]).parents[1] / "answers" / "verdicts-of-gemini-2.5-pro"
    assert [one.name for one in kept.iterdir()] == ["run"], "until the run has ended"


def test_a_judge_that_cannot_be_had_ends_no_run(
    gemini: Gemini, files: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def out_of_reach(*arguments: Any, **named: Any) -> None:
        raise ServiceError("the journal could not be written")

    monkeypatch.setattr("gemini_sft.steps.judge_answers.judge", out_of_reach)
    say(files, model="gemini-2.5-pro")
    assert judge_answers(project="p", location="us-central1", run_id="run", **files) == {}
    said = "the judgement of gemini-2.5-pro could not be had: the journal could not be written"
    assert why_absent(storage.read_json(files["judgement_uri"])) == said and caplog.messages == [said]
