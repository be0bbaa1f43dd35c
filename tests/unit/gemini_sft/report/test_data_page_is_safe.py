from gemini_sft.data.findings import Finding
from gemini_sft.data.summary import RuleSummary
from gemini_sft.experiment.rules import RULES, Policy
from gemini_sft.report.data_page import data_page
from gemini_sft.report.text import visible
from tests.unit.gemini_sft.report.data_sample import broken, split, stopped, summary
from tests.unit.gemini_sft.report.sample import HOSTILE
from tests.unit.gemini_sft.report.test_page import Page


def test_hostile_text_stays_text() -> None:
    finding = Finding(rule="leak", source=HOSTILE + " source", line=1, what=HOSTILE + " what", excerpt=HOSTILE)
    part = split(2, files=[HOSTILE + " file"], labels={HOSTILE: 1})
    data = summary(
        RuleSummary(rule="leak", policy=Policy.ERROR, count=2, first=[finding]),
        splits={HOSTILE + " split": part},
        fingerprint=HOSTILE + " fingerprint",
        system_instruction=HOSTILE + " system",
        template=HOSTILE + " {column}",
        few_shot=[HOSTILE + " shot"],
    )
    html = data_page(data, experiment_name=HOSTILE + " name")
    page = Page(html)
    assert not page.tags("script") and not page.tags("img")
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    shown = " ".join(visible(HOSTILE).split())
    for place in ("split", "file", "what", "source:1", "fingerprint", "system", "shot", "name"):
        assert f"{shown} {place}" in page.text
    assert page.text.count("</script><img src=x onerror=") > 9
    assert not [one for one in "\x00\x1b\u202e\u202c\u2028\u2029" if one in html]
    html.encode()


def test_nothing_is_run_or_loaded() -> None:
    html = data_page(stopped(), experiment_name="ticket-routing")
    page = Page(html)
    assert "<script" not in html and "script-src 'none'" in html and "default-src 'none'" in html
    assert not page.tags("link") and not [one for _, one in page.elements if "src" in one or "action" in one]
    assert html == data_page(stopped(), experiment_name="ticket-routing")


def test_the_page_stays_small_whatever_is_broken() -> None:
    part = split(10**6, 10**5, ["gs://bucket/" + "folder/" * 12 + f"{n}.jsonl" for n in range(3000)])
    part = part.model_copy(update={"labels": {f"label number {n} " * 9: n + 1 for n in range(400)}})
    rules = [broken(name, rule.policies[0], 10**6, first=100) for name, rule in RULES.items()]
    data = summary(
        *rules,
        splits=dict.fromkeys(("train", "validation", "test"), part),
        few_shot=["gs://bucket/" + "folder/" * 12 + f"train.jsonl:{n}" for n in range(50)],
        system_instruction="An instruction of many words & signs. " * 3000,
    )
    html = data_page(data, experiment_name="ticket-routing")
    assert len(html.encode()) < 200_000
    assert Page(html).text.count("more, all in findings.jsonl") == len(RULES)
