"""`gemini-sft check`: everything that a run would find out before it spends anything."""

import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gemini_sft import storage
from gemini_sft.cost import Line, Quote
from gemini_sft.cost.cache import hand_over
from gemini_sft.cost.words import counted, usd
from gemini_sft.data.preparing import prepare
from gemini_sft.data.summary import DataSummary, RuleSummary
from gemini_sft.decision.guards import check_guards
from gemini_sft.errors import BudgetError, DataError, NotReadyError, Problem, UserError
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.rules import RULES, Policy
from gemini_sft.metrics.table import rehearse_own
from gemini_sft.report.data_page import data_page
from gemini_sft.steps.find_models import find_models
from gemini_sft.steps.places import TOKEN_COUNTS, beside
from gemini_sft.steps.quote_cost import quote_cost
from launcher.compiling import compile_for, image_of
from launcher.place import Place, Request, at_place, disk_errors
from launcher.preflight.preflight import preflight
from launcher.staging import SPLITS, is_local
from launcher.target import Target

_STYLES = {Policy.ERROR: "bold red", Policy.DROP: "yellow", Policy.WARN: "yellow"}
_MOST_TRIALS = 6
_NAME_WIDTH = 45
_STAND_IN = "Tokens were counted by the local stand-in: Gemini's own count will differ."
_DONE = {Policy.ERROR: "stops the run", Policy.DROP: "left out", Policy.WARN: "kept"}


@dataclass(frozen=True)
class Checked:
    """Data that were checked, in a folder.

    Attributes:
        folder: Holds `data.html`, `findings.jsonl` and the splits.
        experiment_uri: The experiment that they were made from, standing by itself.
        summary: What was found.
        problems: Those findings that would stop a run; there are no splits if there is one.
    """

    folder: Path
    experiment_uri: str
    summary: DataSummary
    problems: list[Problem]

    def quote(
        self, target: Target, experiment_uri: str | None = None, purpose: str = "run"
    ) -> tuple[Quote, BudgetError | None]:
        """Returns what a run with these data costs, and the error if the experiment does not allow that.

        Args:
            target: Where the tokens are counted.
            experiment_uri: The experiment where it is staged, so that the run finds the tokens counted; None for the
                one in the folder.
            purpose: What the run is for: run, retrain or recheck.

        Raises:
            UserError: There is no such base model, it does not allow what is asked for, or an example is refused.
            ServiceError: Vertex AI did not count the tokens.
        """
        quote_uri = str(self.folder / "quote.json")
        place = {
            "project": target.project,
            "location": target.location,
            "experiment_uri": experiment_uri or self.experiment_uri,
            "models_uri": str(self.folder / "models.json"),
        }
        try:
            find_models(**place, purpose=purpose)
            quote = quote_cost(
                **place,
                train_uri=str(self.folder / "train"),
                validation_uri=str(self.folder / "validation"),
                test_uri=str(self.folder / "test"),
                quote_uri=quote_uri,
                purpose=purpose,
            )
        except BudgetError as error:
            return Quote.model_validate(storage.read_json(quote_uri)), error
        return quote, None

    def hand_over_counts(self, experiment_uri: str) -> None:
        """Puts the tokens that were counted for the experiment in the folder where one that is staged finds them."""
        for counts in storage.list_files(beside(self.experiment_uri, TOKEN_COUNTS)):
            hand_over(counts, f"{beside(experiment_uri, TOKEN_COUNTS)}/{Path(counts).name}")


def check(request: Request, console: Console) -> dict[str, Any]:
    """Checks experiment and data, and quotes the cost.

    Returns:
        The object that `--json` prints: `ok`, `problems`, `data`, `quote`, `report`, `findings`.

    Raises:
        RunError: Vertex AI or Cloud Storage did not answer.
    """
    found = unknown([])
    paths: dict[str, Path] = {}
    try:
        experiment = request.experiment()
        folder = request.checks(experiment)
        paths = {"report": folder / "data.html", "findings": folder / "findings.jsonl"}
        with request.alone(experiment, console):
            # Data that lie here need no service to be read.
            checked = _checked(experiment, folder, found, console) if is_local(experiment) else None
            with at_place(request, console) as place:
                checked = checked or _checked(experiment, folder, found, console)
                quote, error = _quoted(experiment, checked, place, request, console)
                if quote:
                    if place.emulator:
                        quote = quote.model_copy(update={"notes": [*quote.notes, _STAND_IN]})
                    found["quote"] = quote.model_dump(mode="json")
                    show_quote(quote, console)
                if error:
                    raise error
    except UserError as error:
        problems = (
            [str(one) for one in error.problems] if isinstance(error, DataError | NotReadyError) else [str(error)]
        )
        found |= {"ok": False, "problems": problems}
    found |= {name: str(path) for name, path in paths.items() if path.exists()}
    for problem in found["problems"]:
        console.print(Text(problem, "red"), soft_wrap=True)
    if found["report"]:
        console.print(Text(f"Data report: {found['report']}, all findings: {found['findings']}"), soft_wrap=True)
    return found


def unknown(problems: list[str]) -> dict[str, Any]:
    """Returns the object of a check that has found out nothing but problems."""
    return {"ok": not problems, "problems": problems} | dict.fromkeys(("data", "quote", "report", "findings"))


def _quoted(
    experiment: Experiment, checked: Checked, place: Place, request: Request, console: Console
) -> tuple[Quote | None, UserError | None]:
    """Quotes the run, on Vertex AI with all that a run would lack there, and returns what would stop it."""
    if not request.on_vertex:
        return checked.quote(place.target)
    template = compile_for(experiment, request.compiled(experiment))
    found = preflight(experiment, place.target, image_of(template), checked.quote)
    found.show(console)
    if not found.error:
        console.print("Vertex AI is ready for it.")
    return found.quote, found.error


def _checked(experiment: Experiment, folder: Path, found: dict[str, Any], console: Console) -> Checked:
    with disk_errors(folder):
        checked = check_data(experiment, folder)
    found["data"] = checked.summary.model_dump(mode="json")
    show_data(checked.summary, console)
    if checked.problems:
        raise DataError(checked.problems)
    return checked


def check_data(experiment: Experiment, folder: Path) -> Checked:
    """Does to the data what a run would do.

    Args:
        experiment: Standing by itself.
        folder: Where to put data report, findings and splits.

    Raises:
        DataError: A file does not exist, or cannot be read at all.
        ExperimentError: A guard is on a part of test that is too small, or a metric of the user's own fails.
        ServiceError: A service did not give or take data.
    """
    for left in (
        *SPLITS,
        "data.html",
        "findings.jsonl",
        "models.json",
        "quote.json",
    ):  # but what was counted need not be again
        path = folder / left
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    uri = str(folder / "check" / "experiment.yaml")
    storage.write_text(uri, experiment.model_dump_json(indent=2))
    splits = [str(folder / split) for split in SPLITS]
    summary, problems = prepare(experiment, splits, str(folder / "findings.jsonl"))
    storage.write_text(str(folder / "data.html"), data_page(summary, experiment_name=experiment.name))
    if not problems:
        check_guards(experiment, splits[-1])
        rehearse_own(experiment, splits[-1])
    return Checked(folder, uri, summary, problems)


def show_data(summary: DataSummary, console: Console) -> None:
    """Prints the splits, and which rules were broken: how often, or how."""
    splits = Table(box=None, padding=(0, 2, 0, 0))
    splits.add_column("data")
    for column in ("examples", "left out", "prompt, median", "target, median"):
        splits.add_column(column, justify="right")
    for name, split in summary.splits.items():
        lengths = (split.prompt_characters, split.target_characters)
        medians = [f"{one.median:,} characters" if one else "" for one in lengths]
        splits.add_row(name, f"{split.examples:,}", f"{split.dropped:,}", *medians)
    console.print(splits)
    for one in summary.rules:
        for what in _told(one):
            console.print(Text(what, _STYLES[one.policy]), soft_wrap=True)
    if not summary.rules:
        console.print(Text("no findings", "green"))


def _told(rule: RuleSummary) -> list[str]:
    """Returns each finding about a whole split in its own words, which have the numbers; else how many there are."""
    done = _DONE[rule.policy]
    if rule.count == len(rule.first) and not any(one.line for one in rule.first):
        return [f"{one.where} {one.what} ({rule.rule}): {done}" for one in rule.first]
    return [f"{rule.count:,} x {RULES[rule.rule].title} ({rule.rule}): {done}, first at {rule.first[0].where}"]


def show_total(quote: Quote, console: Console) -> None:
    """Prints what a run costs, in one line."""
    parts = [", ".join(f"{line.what} {_price(line)}" for line in quote.brief)] if quote.brief else []
    if quote.epochs:
        parts.append(f"{counted(quote.epochs, 'epoch')}{' assumed' if quote.epochs_assumed else ''}")
    total = f"{'' if quote.usd is not None else 'at least '}{_usd(quote.known_usd)} USD"
    of = f" ({'; '.join(parts)})" if parts else ""
    console.print(Text(f"Cost on Vertex AI: {total}{of}"), soft_wrap=True)


def show_quote(quote: Quote, console: Console) -> None:
    """Prints what a run costs, line by line; of a sweep, what each trial costs only if that can be taken in."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("cost on Vertex AI", no_wrap=True)
    table.add_column("USD", justify="right", no_wrap=True)
    table.add_column(f"prices of {quote.price_date or 'no known day'}")
    for line in quote.brief if len(quote.trials) > _MOST_TRIALS else quote.lines:
        name = textwrap.fill(line.what, _NAME_WIDTH, subsequent_indent="  ")
        table.add_row(name, _price(line), Text(line.how, "dim"))
    error = f" ±{_usd(quote.error_usd)}" if quote.error_usd else ""
    table.add_row("together", f"{_usd(quote.known_usd)}{error}", "" if quote.usd is not None else "of what is known")
    console.print(table)
    for note in quote.notes:
        console.print(Text(note, "dim"))


def _price(line: Line) -> str:
    return "unknown" if line.usd is None else _usd(line.usd)


def _usd(amount: float) -> str:
    return usd(amount).removesuffix(" USD")
