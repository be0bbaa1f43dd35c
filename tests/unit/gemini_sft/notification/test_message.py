import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.decision.outcome import Outcome
from gemini_sft.experiment import Experiment, Gate
from gemini_sft.notification import Told, message
from gemini_sft.retraining.plan import Path, Plan
from gemini_sft.retraining.recheck import Recheck, State

LINK = "https://console.cloud.google.com/vertex-ai/locations/us-central1/pipelines/runs/demo-1?project=p"
EXPERIMENT = Experiment.model_validate(
    {"name": "demo", "task": "summarization", "base_model": "gemini-2.5-flash", "data": {"train": "t.csv"}}
)
OUTCOME = Outcome(
    run_id="demo-1",
    experiment="demo",
    verdict="promote",
    reasons=["rougeL_f gained more than 0.01", "no slice lost more than 0.02"],
    metric="rougeL_f",
    base=0.41,
    candidate=0.44,
    gain=0.03,
    low=0.01,
    high=0.05,
    model="projects/7/locations/us-central1/models/3@1",
    checkpoint="2",
    endpoint="projects/7/locations/us/endpoints/4",
    against="gemini-2.5-flash",
    test="abc",
    champion=None,
    confidence=0.95,
    gate=Gate(),
    data="d0",
    intent="i0",
    report="gs://bucket/report.html",
)
ERROR = "The DAG failed because some tasks failed. The failed tasks are: [{}].; {}"


def told(state: str = "SUCCEEDED", error: str = "", outcome: Outcome | None = None) -> dict[str, Any]:
    return message(EXPERIMENT, "demo-1", LINK, state, error, Told(outcome))


def blocks_as_slack_takes_them(blocks: list[dict[str, Any]]) -> list[str]:
    """Holds blocks against Slack's reference, and returns their texts."""
    assert 1 <= len(blocks) <= 50
    texts = []
    for block in blocks:
        match block:
            case {"type": "header", "text": {"type": "plain_text", "text": str(text), "emoji": bool()}, **rest}:
                assert 1 <= len(text) <= 150
            case {"type": "section", "text": {"type": "mrkdwn", "text": str(text), "verbatim": bool()}, **rest}:
                assert 1 <= len(text) <= 3000
            case {"type": "context", "elements": [*elements], **rest}:
                assert 1 <= len(elements) <= 10
                for element in elements:
                    assert element.keys() == {"type", "text", "verbatim"} and element["type"] == "mrkdwn"
                    assert 1 <= len(element["text"]) <= 3000
                text = "\n".join(element["text"] for element in elements)
            case _:
                pytest.fail(f"no block of ours: {block}")
        assert not rest
        texts.append(text)
    return texts


def test_a_verdict_with_gain_interval_reasons_run_and_report() -> None:
    found = told(outcome=OUTCOME)
    assert blocks_as_slack_takes_them(found["blocks"]) == [
        "demo: promote",
        "rougeL_f: base model 0.4100, tuned model 0.4400\n"
        "Gain over gemini-2.5-flash: +0.0300 (95% interval: +0.0100 to +0.0500)",
        "• rougeL_f gained more than 0.01\n• no slice lost more than 0.02",
        f"Run: <{LINK}|demo-1>\nReport: gs://bucket/report.html",
    ]
    assert found["text"].splitlines() == [
        "demo: promote",
        "rougeL_f: base model 0.4100, tuned model 0.4400",
        "Gain over gemini-2.5-flash: +0.0300 (95% interval: +0.0100 to +0.0500)",
        "• rougeL_f gained more than 0.01",
        "• no slice lost more than 0.02",
        f"Run: demo-1 {LINK}",
        "Report: gs://bucket/report.html",
    ]


SKIPPED = Plan(
    path=Path.SKIP,
    reasons=["3 of the 103 training examples are new to the champion, and retraining.min_new_examples asks for 10"],
    alarms=[],
    new_examples=3,
    champion="projects/7/locations/us-central1/models/3@1",
)
RECHECKED = Recheck(
    state=State.HELD,
    reasons=["no drop is shown"],
    alarms=[],
    metric="rougeL_f",
    then=0.44,
    now=0.43,
    change=-0.01,
    low=-0.02,
    high=0.01,
    confidence=0.95,
    n_then=40,
    n_now=40,
    paired=40,
    model="projects/7/locations/us-central1/models/3@1",
)
RETIRING = "the base model gemini-0 retires on 2030-06-30: use gemini-9"


def test_a_skip_is_told_with_its_reason() -> None:
    found = message(EXPERIMENT, "demo-1", LINK, "SUCCEEDED", "", Told(plan=SKIPPED))
    assert found["text"].splitlines() == ["demo: skipped", f"• {SKIPPED.reasons[0]}", f"Run: demo-1 {LINK}"]
    blocks_as_slack_takes_them(found["blocks"])


def test_a_recheck_is_told_with_its_numbers_after_what_led_to_it() -> None:
    plan = SKIPPED.model_copy(update={"path": Path.RECHECK, "reasons": ["the data are the same"]})
    found = message(EXPERIMENT, "demo-1", LINK, "SUCCEEDED", "", Told(plan=plan, recheck=RECHECKED))
    assert found["text"].splitlines() == [
        "demo: champion held",
        "rougeL_f: champion 0.4400 then, 0.4300 now",
        "Change of projects/7/locations/us-central1/models/3@1: \u22120.0100 (95% interval: \u22120.0200 to +0.0100)",
        "• the data are the same",
        "• no drop is shown",
        f"Run: demo-1 {LINK}",
    ]
    late = RECHECKED.model_copy(update={"confidence": 1 - 0.05 / 1000, "report": "gs://b/recheck.html"})
    said = message(EXPERIMENT, "demo-1", LINK, "SUCCEEDED", "", Told(recheck=late))["text"]
    assert "(99.995% interval: " in said and said.endswith("Report: gs://b/recheck.html")


def test_an_alarm_stands_in_the_title_and_first_and_once() -> None:
    fallen = RECHECKED.model_copy(
        update={"state": State.FALLEN, "alarms": ["the champion has fallen: by much", RETIRING]}
    )
    plan = SKIPPED.model_copy(update={"path": Path.RECHECK, "alarms": [RETIRING]})
    found = message(EXPERIMENT, "demo-1", LINK, "SUCCEEDED", "", Told(plan=plan, recheck=fallen))
    assert found["text"].splitlines()[:3] == [
        "ALARM demo: the champion has fallen",
        "• Alarm: the champion has fallen: by much",
        f"• Alarm: {RETIRING}",
    ]
    assert found["text"].count(RETIRING) == 1
    assert found["blocks"][0]["text"]["text"] == "ALARM demo: the champion has fallen"
    tuned = SKIPPED.model_copy(update={"path": Path.TUNE, "alarms": [RETIRING]})
    told = message(EXPERIMENT, "demo-1", LINK, "SUCCEEDED", "", Told(OUTCOME, tuned))["text"]
    assert told.startswith(f"ALARM demo: promote\n• Alarm: {RETIRING}\nrougeL_f: base")


def test_a_run_that_planned_to_tune_and_failed_has_failed() -> None:
    tuned = SKIPPED.model_copy(update={"path": Path.TUNE, "reasons": ["there is no champion yet"]})
    text = message(EXPERIMENT, "demo-1", LINK, "FAILED", "", Told(plan=tuned))["text"]
    assert text.splitlines()[:2] == ["demo: the run failed", "• there is no champion yet"]
    unknown = RECHECKED.model_copy(update={"state": State.UNKNOWN, "then": None, "change": None})
    text = message(EXPERIMENT, "demo-1", LINK, "SUCCEEDED", "", Told(recheck=unknown))["text"]
    assert text.splitlines()[:2] == ["demo: nothing is known of the champion", "• no drop is shown"]


def test_what_could_not_be_computed_is_no_number() -> None:
    nothing = dict.fromkeys(("base", "candidate", "gain", "low", "high"))
    found = told(outcome=OUTCOME.model_copy(update=nothing))
    assert "Gain over gemini-2.5-flash: not computable" in found["text"].splitlines()
    assert "None" not in json.dumps(found) and "NaN" not in json.dumps(found)


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ("FAILED", "demo: the run failed"),
        ("CANCELLED", "demo: the run was cancelled"),
        ("SUCCEEDED", "demo: the run ended without a verdict"),
        ("PAUSED", "demo: the run ended as PAUSED"),
        ("", "demo: the run ended as"),
    ],
)
def test_a_run_without_a_verdict_tells_its_state(state: str, title: str) -> None:
    assert told(state)["text"].splitlines() == [title, f"Run: demo-1 {LINK}"]


def test_a_run_that_failed_after_its_verdict_tells_both() -> None:
    found = told("FAILED", ERROR.format("promote-model", "promote-model: RuntimeError: x"), OUTCOME)
    assert found["text"].splitlines()[:2] == [
        "demo: promote, but the run failed",
        "Failed: promote-model (RuntimeError)",
    ]


@pytest.mark.parametrize(
    ("error", "failed"),
    [
        (ERROR.format("tune-model", "tune-model: gemini_sft.errors.TuningError: SECRET"), "tune-model (TuningError)"),
        (ERROR.format("a, b-2", "a: ValueError: SECRET; b-2: exit code 1: SECRET"), "a (ValueError), b-2"),
        (ERROR.format("tune-model", "Job (project_id = SECRET) is failed due to the above error."), "tune-model"),
        (ERROR.format("a", "a: gemini_sft.errors.BudgetError: SECRET; a: OtherError: SECRET"), "a (BudgetError)"),
    ],
)
def test_a_failure_is_told_by_task_and_class_and_by_nothing_else(error: str, failed: str) -> None:
    """What a service says may repeat the prompt that it refused."""
    found = told("FAILED", error)
    assert f"Failed: {failed}" in found["text"].splitlines()
    assert "SECRET" not in json.dumps(found)


@pytest.mark.parametrize("error", ["", "SECRET", "ValueError: SECRET", "The failed tasks are: [SECRET: & <x>]"])
def test_a_failure_that_names_no_task_is_a_failure(error: str) -> None:
    assert told("FAILED", error)["text"].splitlines() == ["demo: the run failed", f"Run: demo-1 {LINK}"]


HOSTILE = st.text(max_size=2000) | st.sampled_from(["<!channel> & <@U1>", "&" * 4000, "x" * 9000, "\n\n", "\ud800", ""])


@given(
    reasons=st.lists(HOSTILE, max_size=12),
    against=HOSTILE,
    metric=HOSTILE,
    report=HOSTILE,
    run_id=HOSTILE,
    verdict=HOSTILE,
    state=HOSTILE | st.sampled_from(["SUCCEEDED", "FAILED"]),
    tasks=st.lists(st.text("abc-. &<", min_size=1, max_size=200), max_size=60),
    gain=st.none() | st.floats(),
)
def test_whatever_is_told_slack_takes_it(
    reasons: list[str], run_id: str, state: str, tasks: list[str], gain: float | None, **texts: str
) -> None:
    outcome = OUTCOME.model_copy(update={**texts, "reasons": reasons, "gain": gain, "low": gain, "high": gain})
    plan = SKIPPED.model_copy(update={"reasons": reasons, "alarms": reasons})
    recheck = RECHECKED.model_copy(update={"reasons": reasons, "alarms": reasons[::-1], "metric": texts["metric"]})
    told = Told(outcome, plan, recheck)
    found = message(EXPERIMENT, run_id, LINK, state, ERROR.format(", ".join(tasks), ""), told)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    json.dumps(found, ensure_ascii=False).encode()
    texts_found = blocks_as_slack_takes_them(found["blocks"])
    assert 1 <= len(found["text"]) <= 40_000
    texts_found[-1] = texts_found[-1].replace(f"<{LINK}|", "", 1).replace(">", "", 1)
    for text in (*texts_found, found["text"]):
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", text), "it would mean something to Slack"
        assert all(one.isprintable() for one in text.replace("\n", ""))


def test_a_cut_is_shown_and_leaves_no_half_of_an_escape() -> None:
    found = told(outcome=OUTCOME.model_copy(update={"reasons": ["&" * 1000] + ["why"] * 6}))
    lines = found["blocks"][2]["text"]["text"].splitlines()
    assert re.fullmatch(r"• (&amp;){99}…", lines[0])
    assert lines[1:] == ["• why"] * 4 + ["and 2 more, in the report"]
