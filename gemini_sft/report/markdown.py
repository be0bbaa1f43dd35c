"""The report in short, as Markdown: what the Pipelines UI shows in place.

GitHub Flavored Markdown, of which everything that is not ours is escaped.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gemini_sft.metrics.words import metric_words
from gemini_sft.report import numbers
from gemini_sft.report.arms import ArmNumbers, arm_numbers
from gemini_sft.report.cost_section import quoted_total
from gemini_sft.report.input import ReportInput
from gemini_sft.report.lineage import command_again
from gemini_sft.report.missing import dropped
from gemini_sft.report.scores import MetricTable, metric_table
from gemini_sft.report.slices import is_lost
from gemini_sft.report.text import visible
from gemini_sft.report.verdict import VerdictView, verdict_view
from gemini_sft.report.words import sentence
from gemini_sft.report.worth import worth_view

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&@])")
_OPENING = re.compile(r"^(\d*)([-+=.)#])")


def report_markdown(data: ReportInput) -> str:
    """Returns verdict, reasons and the numbers that matter; the same input gives the same text."""
    arms = arm_numbers(data)
    verdict, worth = verdict_view(data, arms), worth_view(data, arms)
    lines = [
        *_verdict(data, verdict),
        *_section("Guards", [f"- {one.sign} **{one.state}:** {escaped(one.words)}" for one in verdict.guards]),
        *_section("Metrics", _metrics(metric_table(data, arms))),
        *_section("Judge", _items([data.comparison.judge.words] if data.comparison.judge else [])),
        *_section("Parts of the test set that got worse", _items(_lost(data))),
        *_section("Was it worth it?", _items(worth.said)),
        "",
        *_table(["", *worth.names], ([one.label, *one.cells] for one in worth.rows)),
        *_section("Missing", _items(_missing(data, arms))),
        *_section("Cost", _items([f"Quoted for the run: {quoted_total(data.quote)}.", data.cost.words])),
        *_section("Names", _table(["what", "name"], _names(data))),
        *_section("Do it again", [_code(data.command or command_again(data))]),
        "",
        "Everything else is on the page `report` of the same task.",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Returns a text of unknown origin as one line that Markdown shows as it is: no markup, no HTML, no link."""
    line = " ".join(visible(text).split())
    return _SPECIAL.sub(r"\\\1", line).replace("://", "\\://").replace("www.", "www\\.")


def _items(texts: Iterable[str]) -> list[str]:
    """Returns a list, of which no text can begin another one inside it."""
    return ["- " + _OPENING.sub(r"\1\\\2", escaped(one)) for one in texts]


def _verdict(data: ReportInput, view: VerdictView) -> Iterator[str]:
    yield f"# {view.headline}"
    yield ""
    if view.stand_in:
        yield "**A local stand-in answered, not Gemini: these numbers say nothing about Gemini, and nothing was paid.**"
        yield ""
    less = ", and less of it is better" if view.less else ""
    yield (
        f"Verdict: **{view.verdict.value}**. Run {escaped(data.run_id)}, {numbers.count(view.n, 'test example')};"
        f" {escaped(view.metric)} decides{less}."
    )
    yield ""
    if view.over_fitting:
        yield f"**Over-fitting:** {escaped(view.over_fitting.loss)}. {escaped(view.over_fitting.advice)}"
        yield ""
    yield from _table(
        ["over", "its score", "tuned", "gain", f"{view.confidence} interval", "better in resampled worlds"],
        (
            [one.whom, one.score, view.tuned, one.gain, f"{one.low} to {one.high}", one.won or numbers.NOTHING]
            for one in view.against
        ),
    )
    yield from _section("Why", _items(one for one in (*view.reasons, view.power) if one))


def _metrics(table: MetricTable) -> list[str]:
    rows = (
        [f"{row.label}{' (less is better)' if row.less else ''}", *row.scores, row.gains[0].gain, row.gains[0].span]
        for row in table.rows
    )
    heads = ["metric", *table.names, f"gain over {table.rows[0].gains[0].over}", f"{table.confidence} interval"]
    return list(_table(heads, rows))


def _lost(data: ReportInput) -> Iterator[str]:
    metric = metric_words(data.comparison.primary_metric).label
    over = " against the champion" if data.comparison.champion else " against the base model"
    for one in data.comparison.slices:
        if is_lost(one) and one.difference:
            gain, low, high = one.difference.gain
            said = f"{numbers.signed(gain)} in {metric}{over} ({numbers.span(low, high)})"
            yield f"{one.column} = {one.value}, {numbers.count(one.n, 'example')}: {said}"


def _missing(data: ReportInput, arms: Mapping[str, ArmNumbers]) -> Iterator[str]:
    """Yields what could not be had, which requests failed, and which rows were left out and by whom."""
    yield from map(sentence, data.comparison.absent)
    for one in arms.values():
        if one.side.failures:
            failed = f"{numbers.count(one.side.failures)} of {numbers.count(one.side.n, 'test example')}"
            yield f"{one.name}: {failed} without an answer that could be scored."
    for name, split in data.data.splits.items() if data.data else ():
        if split.dropped:
            yield f"Left out of {name} by the checks: {numbers.count(split.dropped, 'record')}."
    left = dropped(data)
    if left.total:
        yield f"Left out by the service: {numbers.count(left.total)} of {numbers.count(left.of, 'training example')}."


def _code(text: str) -> str:
    """Returns a line of code, in which nothing is markup."""
    return "    " + " ".join(visible(text).splitlines())


def _names(data: ReportInput) -> Iterator[list[str]]:
    taken = data.selection.taken if data.selection else data.tuning
    yield ["base model", data.tuning.started_from or data.tuning.base_model]
    if data.comparison.champion:
        yield ["champion", data.comparison.champion.name]
    yield ["tuned model", taken.model]
    yield ["its endpoint", taken.endpoint]
    yield ["tuning job", taken.job]


def _section(heading: str, body: Iterable[str]) -> list[str]:
    lines = list(body)
    return ["", f"## {heading}", "", *lines] if lines else []


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(map(escaped, heads))} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(map(escaped, row))} |"
