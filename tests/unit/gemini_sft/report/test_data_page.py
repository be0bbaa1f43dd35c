from itertools import pairwise

import pytest

from gemini_sft.data.findings import Finding
from gemini_sft.data.summary import DataSummary, RuleSummary
from gemini_sft.experiment.rules import Policy
from gemini_sft.report.data_page import FILES_SHOWN, FINDINGS_PER_RULE, data_page
from tests.unit.gemini_sft.report.data_sample import broken, split, stopped, summary, usable
from tests.unit.gemini_sft.report.test_page import Page


def page_of(data: DataSummary) -> Page:
    return Page(data_page(data, experiment_name="ticket-routing"))


def test_sections_stand_in_their_order() -> None:
    headings = [str(one.get("id")) for tag, one in page_of(stopped()).elements if tag in ("h1", "h2") and one.get("id")]
    assert headings == ["verdict", "splits", "labels", "findings", "prompt", "near-duplicates"]


def test_links_lead_to_what_is_there_and_headings_skip_no_level() -> None:
    page = page_of(stopped())
    ids = [one["id"] for _, one in page.elements if "id" in one]
    assert len(ids) == len(set(ids))
    assert {one["href"] for one in page.tags("a")} <= {f"#{one}" for one in ids}
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1 and all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.tags("table")) == len(page.tags("caption"))
    assert all(one.get("scope") in ("col", "row", "rowgroup") for one in page.tags("th"))


@pytest.mark.parametrize(
    ("rules", "dropped", "said"),
    [
        ([], 0, "The data can be used No record was left out, and there is no warning."),
        ([("duplicate", Policy.DROP, 1)], 1, "The data can be used 1 record was left out, and there is no warning."),
        ([("tools", Policy.WARN, 1)], 0, "The data can be used No record was left out, and there is 1 warning."),
        ([("json", Policy.ERROR, 1)], 0, "1 finding stops the run No record was left out, and there is no warning."),
        (
            [("leak", Policy.ERROR, 1200), ("label", Policy.ERROR, 34), ("tools", Policy.WARN, 2345)],
            6789,
            "1,234 findings stop the run 6,789 records were left out, and there are 2,345 warnings.",
        ),
    ],
)
def test_the_verdict(rules: list[tuple[str, Policy, int]], dropped: int, said: str) -> None:
    text = page_of(summary(*(broken(*one) for one in rules), splits={"train": split(10, dropped)})).text
    assert f"{'passed' if 'can be used' in said else 'failed'} {said}" in text


def test_what_stops_the_run_is_said_first_with_its_remedy() -> None:
    text = page_of(stopped()).text
    before = text.partition("How many examples each split has")[0]
    assert "the same prompt in two splits (3 findings): keep it in one, or set the policy to drop." in before
    assert "a label outside the label set (1 finding): correct it" in before
    assert "the same example again" not in before
    assert "To be mended" not in page_of(usable()).text


def test_rules_stand_with_errors_first_and_the_most_frequent_first() -> None:
    rules = [
        broken("personal_data", Policy.WARN, 900),
        broken("duplicate", Policy.DROP, 5),
        broken("label", Policy.ERROR, 1),
        broken("near_duplicate", Policy.WARN, 901),
        broken("leak", Policy.ERROR, 3),
    ]
    page = page_of(summary(*rules))
    ids = [str(one.get("id")) for one in page.tags("h3")]
    wanted = ["leak", "label", "duplicate", "near_duplicate", "personal_data"]
    assert [one for one in ids if one.startswith("rule-")] == [f"rule-{name}" for name in wanted]


@pytest.mark.parametrize(
    ("policy", "done"), [(Policy.ERROR, "stops the run"), (Policy.DROP, "left out"), (Policy.WARN, "kept")]
)
def test_a_rule_says_what_it_means_what_was_done_and_what_to_do(policy: Policy, done: str) -> None:
    text = page_of(summary(broken("leak", policy, 2))).text
    assert f"The same prompt in two splits leak {done} 2 findings What to do keep it in one" in text
    assert "2 findings under 1 rule." in text
    assert "All findings Where What Excerpt tickets/train.jsonl:7 the prompt also stands in train" in text
    assert "more, all in" not in text


def test_findings_that_are_not_shown_are_counted() -> None:
    most = FINDINGS_PER_RULE[1]
    text = page_of(summary(broken("duplicate", Policy.DROP, 1000 + most, first=50))).text
    assert f"The first {most} findings of 1,010" in text
    assert "and 1,000 more, all in findings.jsonl" in text
    assert text.count("the same as tickets/train.jsonl:40") == most


def test_findings_without_excerpts_have_no_column_for_them() -> None:
    text = page_of(summary(broken("personal_data", Policy.WARN, 1))).text
    assert "The only finding Where What tickets/train.jsonl:7 an e-mail address" in text
    assert "Excerpt" not in text


def test_of_a_long_name_the_end_is_shown() -> None:
    found = Finding(rule="json", source="folder/" * 100 + "train.jsonl", line=12, what="long " * 100 + "end")
    text = page_of(summary(RuleSummary(rule="json", policy=Policy.ERROR, count=1, first=[found]))).text
    assert "…" in text and "folder/train.jsonl:12 long" in text and "folder/" * 50 not in text
    assert "long end" not in text


def test_no_finding_is_said_to_be_none() -> None:
    assert "0 findings: no rule was broken." in page_of(summary()).text


def test_splits_and_lengths_are_said() -> None:
    files = [f"part-{n}.jsonl" for n in range(FILES_SHOWN + 1200)]
    text = page_of(summary(splits={"train": split(12400, 1019), "test": split(0, 0, files)})).text
    assert "train 12,400 1,019 tickets/train.jsonl" in text
    assert "test 0 0 part-0.jsonl , part-1.jsonl" in text and "part-9.jsonl and 1,200 more" in text
    assert "Prompts train 412.3 356 1,204 12,880 test no example" in text
    assert "Targets train 8.1 7 14 21 test no example" in text
    assert "256 to 511 characters 4,216" in text
    assert "None: no split could be read." in page_of(summary(splits={})).text


@pytest.mark.parametrize(
    ("among", "said"),
    [
        (0, "0 of 1,330 records, those left out included; there may be more of them than were found."),
        (1299, "1,299 of 1,330 records, those left out included; there may be more"),
        (1300, "1,300 of 1,330 records, those left out included."),
        (1330, "1,330 of 1,330 records, those left out included."),
    ],
)
def test_near_duplicates_are_said_to_be_searched_among_how_many(among: int, said: str) -> None:
    data = summary(splits={"train": split(1200, 30), "test": split(100)}, near_duplicates_among=among)
    assert f"Near-duplicates were searched for among {said}" in page_of(data).text


def test_the_prompt_is_said() -> None:
    text = page_of(stopped()).text
    assert "Say which team a ticket belongs to." in text and "0123456789abcdef" in text
    assert "3 examples in the system instruction, from tickets/train.jsonl:12 tickets/train.jsonl:840" in text
    bare = page_of(summary(system_instruction=None, few_shot=[])).text
    assert "None: nothing stands in front of the examples, or each brings its own." in bare
    assert "None: no example was put into the system instruction." in bare
    long = page_of(summary(system_instruction="word " * 4000)).text
    assert "Read on (20,000 characters in all)" in long and "8,000 more characters are not shown." in long
