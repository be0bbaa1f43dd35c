"""The step that rechecks the champion, on the files that a run leaves."""

from datetime import date
from pathlib import Path

import pytest

from gemini_sft import storage
from gemini_sft.catalog import catalog
from gemini_sft.catalog.catalog import Retirement
from gemini_sft.data.dataset import read_sources
from gemini_sft.errors import EvaluationError
from gemini_sft.experiment import load_experiment
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.report.words import sentence
from gemini_sft.retraining.recheck import Recheck, State
from gemini_sft.steps.absent import write_absent
from gemini_sft.steps.places import RECHECKS, beside
from gemini_sft.steps.recheck_champion import recheck_champion
from gemini_sft.steps.references import find_reference, keep_reference
from tests.unit.gemini_sft.report.step_files import arm_uris
from tests.unit.gemini_sft.steps.found import (
    BASE,
    CHAMPION,
    RIGHT,
    TUNED,
    Files,
    N,
    answer,
    ask,
    find,
    learn,
    mark,
    other_examples,
)

MODEL = (CHAMPION["model"], CHAMPION["checkpoint"])
PROMPT = "0123456789abcdef"


GONE = "gemini-0"


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalog in which no model goes but one that is gone: the real one's alarms come and go with the days."""
    models = {name: one.model_copy(update={"retires": None}) for name, one in catalog().models.items()}
    retired = {GONE: Retirement(since=date(2020, 1, 1), replacement="gemini-9")}
    changed = catalog().model_copy(update={"models": models, "retired": retired})
    monkeypatch.setattr("gemini_sft.retraining.retiring.catalog", lambda: changed)


@pytest.fixture(autouse=True)
def promoted(files: Files) -> None:
    """A champion that answered well when it was promoted, and does so today."""
    find(files, CHAMPION)
    today(files, TUNED)
    said = EvaluationResult.model_validate(storage.read_json(arm_uris(files, "recheck").evaluation))
    experiment = load_experiment(files["experiment_uri"])
    keep_reference(experiment, files["experiment_uri"], "demo-0", files["test_uri"], MODEL, said)


def today(files: Files, text: str) -> None:
    answer(files, recheck=text)
    uri = arm_uris(files, "recheck").evaluation
    storage.write_json(uri, storage.read_json(uri) | {"prompt": PROMPT})


def rechecked(files: Files, run_id: str = "demo-1") -> Recheck:
    made = recheck_champion(
        experiment_uri=files["experiment_uri"],
        run_id=run_id,
        models_uri=files["models_uri"],
        test_uri=files["test_uri"],
        champion=arm_uris(files, "recheck"),
        recheck_uri=files["comparison_uri"],
        report_uri=files["report_uri"],
    )
    kept = storage.read_json(beside(files["experiment_uri"], f"{RECHECKS}/{run_id}.json"))
    assert kept == storage.read_json(files["comparison_uri"]) == made.model_dump(mode="json")
    return made


def page(files: Files) -> str:
    return Path(files["report_uri"]).read_text("utf-8")


def test_what_answers_as_it_did_has_held(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        found = rechecked(files)
    assert (found.state, found.change, found.paired, found.model) == (State.HELD, 0, N, MODEL[0])
    assert found.report == files["report_uri"]
    assert "The champion has held" in page(files) and sentence(found.reasons[1]) in page(files)
    assert f"champion held: {'; '.join(found.reasons)}" in caplog.messages
    assert RIGHT not in caplog.text


def test_what_answers_worse_has_fallen(files: Files) -> None:
    today(files, BASE)
    found = rechecked(files)
    assert found.state is State.FALLEN and sentence(found.alarms[0]) in page(files)
    ask(files, "retraining", max_drop=1.0)
    assert rechecked(files).state is State.HELD


def test_on_other_examples_too(files: Files) -> None:
    other_examples(files)
    today(files, BASE)
    found = rechecked(files)
    assert (found.state, found.paired, found.n_then) == (State.FALLEN, 0, N)


def test_groups_of_then_and_today_are_drawn_as_a_whole(files: Files) -> None:
    mark(files, group=["a", "b", "c"])
    assert rechecked(files).reasons == ["fewer than 10 examples, or groups of them, decide nothing"]


def test_the_first_to_ask_a_champion_leaves_what_the_next_goes_by(files: Files) -> None:
    find(files, {**CHAMPION, "checkpoint": "9"})
    found = rechecked(files)
    assert found.state is State.UNKNOWN and found.now is not None and not found.alarms
    assert found.reasons == [
        "how the champion scored when it was promoted is not known here: today's scores are kept, and the next recheck"
        " goes by them"
    ]
    assert rechecked(files).reasons == found.reasons, "another attempt is not held against itself"
    kept = find_reference(files["experiment_uri"], (MODEL[0], "9"))
    assert kept and (kept.promoted, kept.run_id) == (False, "demo-1")
    today(files, BASE)
    found = rechecked(files, "demo-2")
    assert found.state is State.FALLEN and "since run demo-1 asked it first" in found.reasons[0]


@pytest.mark.parametrize(
    ("section", "changes", "why"),
    [
        ("evaluation", {"tokenizer": "unicode"}, "evaluation.tokenizer changed since the champion was scored"),
        (
            "evaluation",
            {"temperature": 0.5, "max_output_tokens": 9},
            "evaluation.max_output_tokens and evaluation.temperature changed",
        ),
        ("evaluation", {"max_concurrency": 3}, ""),
    ],
)
def test_what_was_scored_otherwise_is_not_compared(
    files: Files, section: str, changes: dict[str, object], why: str
) -> None:
    ask(files, section, **changes)
    found = rechecked(files)
    assert found.state is (State.UNKNOWN if why else State.HELD) and (not why or found.reasons[0].startswith(why))
    assert rechecked(files, "demo-2").state is State.HELD, "the next one has something to go by"


def test_a_champion_that_could_not_be_asked_is_an_alarm_without_the_services_words(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    write_absent(arm_uris(files, "recheck").evaluation, "the evaluation", EvaluationError("SECRET prompt"))
    caplog.clear()
    found = rechecked(files)
    said = "the champion could not be asked (EvaluationError): the run's page says why"
    assert (found.state, found.reasons, found.alarms) == (State.UNKNOWN, [said], [said])
    assert "SECRET" not in found.model_dump_json() + caplog.text and "SECRET prompt" in page(files)


@pytest.mark.parametrize(
    ("champion", "reason", "alarms"),
    [
        (None, "there is no champion yet", 0),
        (CHAMPION | {"endpoint": None}, "the champion cannot be asked: no endpoint serves", 1),
    ],
)
def test_with_nobody_to_ask_nothing_is_read(
    files: Files, champion: dict[str, str] | None, reason: str, alarms: int
) -> None:
    Path(arm_uris(files, "recheck").evaluation).unlink()
    find(files, champion)
    found = rechecked(files)
    assert found.state is State.UNKNOWN and found.reasons[0].startswith(reason) and len(found.alarms) == alarms
    assert "is not known" in page(files)


def test_too_many_answers_that_are_worth_nothing_are_an_alarm(files: Files) -> None:
    ask(files, "evaluation", max_failure_rate=0.1)
    uri = arm_uris(files, "recheck").evaluation
    document = storage.read_json(uri)
    for failures, alarms in ((1, 0), (2, 1)):
        outcomes = {"answered": N - failures, "blocked": failures}
        storage.write_json(uri, document | {"outcomes": outcomes, "failed": list(document["scores"])[:failures]})
        assert len(rechecked(files).alarms) == alarms
    (alarm,) = rechecked(files).alarms
    assert alarm == (
        "2 of 16 examples have no answer of the champion that could be scored, more than the 10% of"
        " evaluation.max_failure_rate"
    )


def test_a_base_model_that_goes_is_an_alarm(files: Files) -> None:
    find(files, CHAMPION, {"id": GONE})
    assert rechecked(files).alarms == ["the base model gemini-0 was retired on 2020-01-01: use gemini-9"]


def test_each_look_at_other_examples_is_counted_once(files: Files) -> None:
    assert [rechecked(files, run).looks for run in ("demo-1", "demo-2", "demo-2")] == [1, 1, 1]
    other_examples(files)
    today(files, TUNED)
    assert [rechecked(files, run).looks for run in ("demo-3", "demo-4")] == [2, 2]
    find(files, {**CHAMPION, "checkpoint": "9"})
    rechecked(files, "demo-5")
    assert rechecked(files, "demo-6").looks == 1, "another champion begins anew"


def test_answers_by_chance_are_another_look_each_time(files: Files) -> None:
    ask(files, "evaluation", temperature=0.5)
    rechecked(files, "demo-1")
    assert [rechecked(files, run).looks for run in ("demo-2", "demo-3", "demo-3")] == [1, 2, 2]


def test_what_it_was_tuned_on_is_left_out(files: Files) -> None:
    ids = [one["id"] for one in read_sources(files["test_uri"])]
    learn(files, [f"{ids[0]}-2", *ids[1:3], "ffff"])
    found = rechecked(files)
    assert (found.state, found.seen, found.n_then, found.n_now) == (State.HELD, 3, N - 3, N - 3)
    assert "3 test examples are left out" in page(files)
    learn(files, ids)
    found = rechecked(files, "demo-2")
    assert (found.state, found.seen, found.n_now) == (State.UNKNOWN, N, 0)
    assert "is not known" in page(files)
