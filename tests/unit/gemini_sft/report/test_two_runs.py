"""The page of two runs says what stands in them, and nothing that it was not told."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from gemini_sft.report.between import FinishedRun, between
from gemini_sft.report.side_by_side import settings, side_by_side
from gemini_sft.report.two_runs import metric_table, two_runs_page
from gemini_sft.tuning import Curves
from tests.unit.gemini_sft.report.sample import CHAMPION, HOSTILE, sample_examples
from tests.unit.gemini_sft.report.test_page import Page
from tests.unit.gemini_sft.report.two_sample import asked, finished_run, with_champion

A, B = finished_run("worse", 0.4), finished_run("better", 0.9, seed=2)
STAGED = "gs://bucket/staging/{}/{}/train.jsonl"


def page_of(a: FinishedRun = A, b: FinishedRun = B) -> Page:
    return Page(two_runs_page(between(a, b)))


def differing(a: FinishedRun, b: FinishedRun) -> dict[str, tuple[str, str]]:
    return {one.key: (one.a.text, one.b.text) for one in settings(a, b)[0]}


def quantities(a: FinishedRun, b: FinishedRun) -> dict[str, tuple[str, str]]:
    return {row.label: (row.a, row.b) for rows in side_by_side(a, b).values() for row in rows}


def test_the_page_is_well_made() -> None:
    page = page_of()
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.tags("table")) == len(page.tags("caption"))
    assert all(one.get("scope") in ("col", "row") for one in page.tags("th"))
    ids = [one["id"] for _, one in page.elements if "id" in one]
    assert len(ids) == len(set(ids))
    links = {str(one["href"])[1:] for one in page.tags("a")}
    assert links <= set(ids)
    assert not page.scripts and "script-src 'none'" in str(page.tags("meta")[1]["content"])


def test_both_runs_and_what_they_decided_are_there() -> None:
    b = replace(B, **with_champion())
    text = page_of(A, b).text
    for run in (A, b):
        assert run.run_id in text and all(one[1:] in text for one in run.comparison.reasons)
    assert "Compared with the base model: nothing was in use." in text
    assert f"Compared with the champion, {CHAMPION}." in text


def test_a_champion_that_could_not_be_asked_is_told_of() -> None:
    b = replace(B, comparison=B.comparison.model_copy(update={"champion_missing": "nothing serves it"}))
    assert "Compared with the base model alone: nothing serves it." in page_of(A, b).text


def test_the_metric_that_decides_comes_first_with_both_scores_and_the_gain() -> None:
    first, *others = metric_table(between(A, B)).rows
    assert first.decides and not any(one.decides for one in others)
    assert first.scores == [f"{one.result.metrics['rougeL_f']:.4f}" for one in (A, B)]
    assert first.gains[0].gain == f"{B.result.metrics['rougeL_f'] - A.result.metrics['rougeL_f']:+.4f}"
    assert first.gains[0].plot and first.gains[0].reading == "▲ better"


def test_without_pairs_there_are_means_and_no_gains() -> None:
    other = finished_run("others", 0.9, test=sample_examples(30))
    assert not any(row.gains for row in metric_table(between(A, other)).rows)
    assert "share of worlds won" not in page_of(A, other).text


def test_what_only_one_run_measured_is_a_dash_for_the_other() -> None:
    more = B.result.model_copy(update={"metrics": {**B.result.metrics, "brevity": 0.25}})
    rows = {row.label: row.scores for row in metric_table(between(A, replace(B, result=more))).rows}
    assert rows["Brevity"] == ["–", "0.2500"]


def test_intervals_that_claim_too_much_are_not_read_out() -> None:
    grouped = replace(B, comparison=B.comparison.model_copy(update={"groups": 12}))
    assert not any(one.reading or one.won for row in metric_table(between(A, grouped)).rows for one in row.gains)


def test_a_metric_of_the_whole_split_has_a_difference_and_no_interval() -> None:
    a, b = (
        replace(run, result=run.result.model_copy(update={"corpus": {"bleu": value}}))
        for run, value in ((A, 12.5), (B, 25.0))
    )
    (bleu,) = (row for row in metric_table(between(a, b)).rows if row.scores[0] == "12.5000")
    assert bleu.scores == ["12.5000", "25.0000"]
    assert (bleu.gains[0].gain, bleu.gains[0].span) == ("+12.5000", "")


@pytest.mark.parametrize("which", ["A", "B"])
def test_answers_of_a_stand_in_are_told_of(which: str) -> None:
    runs = {"A": A, "B": B}
    one = runs[which]
    runs[which] = replace(one, result=one.result.model_copy(update={"served_by": "stand-in tuned as x"}))
    assert (
        f"The answers of {which} did not come from Gemini." in page_of(**{k.lower(): v for k, v in runs.items()}).text
    )
    assert "did not come from Gemini" not in page_of().text


class TestSettings:
    def test_only_what_differs_is_shown_and_the_rest_folded(self) -> None:
        b = replace(B, **asked(B, tuning={"epochs": 5, "adapter_size": 8}, evaluation={"temperature": 0.25}))
        assert differing(A, b) == {
            "tuning.epochs": ("not set", "5"),
            "tuning.adapter_size": ("not set", "8"),
            "evaluation.temperature": ("0.0", "0.25"),
        }
        assert "The experiments do not differ." not in page_of(A, b).text

    def test_experiments_that_do_not_differ_are_called_so(self) -> None:
        assert differing(A, B) == {} and "The experiments do not differ." in page_of().text

    def test_a_staged_file_is_known_by_its_content(self) -> None:
        first, second = "0123456789abcdef", "fedcba9876543210"

        def on(name: str, digest: str) -> FinishedRun:
            return replace(A, **asked(A, data={"train": [STAGED.format(name, digest)]}))

        assert differing(on("one", first), on("two", first)) == {}
        assert differing(on("one", first), on("one", second)) == {
            "data.train": (f"train.jsonl ({first})", f"train.jsonl ({second})")
        }

    def test_what_is_no_text_is_written_as_json(self) -> None:
        b = replace(B, **asked(B, gate={"guards": [{"metric": "rouge1_f", "max_drop": 0.5}]}))
        (guards,) = differing(A, b).values()
        assert guards[0] == "not set" and json.loads(guards[1])[0]["metric"] == "rouge1_f"


def test_every_quantity_comes_from_its_own_run() -> None:
    changes: dict[str, Any] = {
        "tuning": B.tuning.model_copy(
            update={"epochs": 7, "adapter_size": "ADAPTER_SIZE_SIXTEEN", "learning_rate_multiplier": 0.5}
        ),
        "traffic": B.traffic.model_copy(update={"latency_median": 1.25, "latency_p95": None}),
        "curves": Curves(),
        "quote": B.quote.model_copy(update={"usd": None, "lines": B.quote.lines[:1]}),
        "predictions": [one.model_copy(update={"prompt_tokens": 100, "output_tokens": 7}) for one in B.predictions],
    }
    found = quantities(A, replace(B, **changes))
    assert found["Epochs"] == ("3", "7")
    assert found["Adapter size"] == ("4", "16")
    assert found["Learning rate multiplier"] == ("1", "0.5")
    assert found["Taken"][0] == "checkpoint 2 of 3 (epoch 2)"
    assert found["Score on validation"][0] == "0.4123 in rougeL_f"
    assert found["Latency, half came within"] == ("0.50 s", "1.25 s")
    assert found["Latency, 95% came within"] == ("1.50 s", "–")
    assert found["Tokens of a prompt, mean"] == ("212.0", "100.0")
    assert found["Tokens of an answer, mean"][1] == "7.0"
    assert found["Training loss at the end"][1] == found["Validation loss at its lowest"][1] == "–"
    assert found["Quoted for the run"] == ("0.9312 USD", "0.9000 USD, without what has no known price")
    assert found["Tuning, as billed"][0] == "0.9075 USD"
    assert found["Training examples"] == ("240", "240")


def test_files_are_named_with_the_hash_of_their_content() -> None:
    digests = "0123456789abcdef", "fedcba9876543210"
    runs = [replace(A, **asked(A, data={"train": STAGED.format("x", one), "validation": None})) for one in digests]
    found = quantities(*runs)
    assert found["Training files"] == tuple(f"train.jsonl ({one})" for one in digests)
    assert found["Validation files"] == ("–", "–") and found["Test files"] == ("test.jsonl", "test.jsonl")


def test_hostile_text_stays_text() -> None:
    comparison = B.comparison.model_copy(update={"reasons": [HOSTILE]})
    result = B.result.model_copy(update={"served_by": HOSTILE})
    attacked = replace(B, run_id=HOSTILE, comparison=comparison, result=result)
    attacked = replace(attacked, **asked(B, prompt={"system_instruction": HOSTILE, "template": HOSTILE}))
    page = page_of(A, attacked)
    assert not page.tags("script") and not page.tags("img") and not page.scripts
    assert "<script>window.__hacked = true</script>" in page.text
    assert not any(one in page.text for one in "\x00\x1b\u202e\u2028")
