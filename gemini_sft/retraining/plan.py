"""Whether a scheduled run tunes, asks the champion again, or does nothing.

The rules are those of docs/retraining.md, in their order. They ask nobody: what they go by is a `Situation`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from gemini_sft.cost import Quote
from gemini_sft.cost.words import counted
from gemini_sft.experiment.schema import Retraining
from gemini_sft.retraining.retiring import retirement_alarms
from gemini_sft.retraining.trained import Trained, contents
from gemini_sft.tuning import Base


class Path(StrEnum):
    """What a scheduled run does: the whole pipeline, only the evaluation of the champion, or nothing."""

    TUNE = "tune"
    RECHECK = "recheck"
    SKIP = "skip"


class Plan(BaseModel):
    """What a scheduled run does, and why.

    Attributes:
        path: What it does.
        reasons: Why, in sentences without their stops.
        alarms: What somebody must know whatever it does, likewise.
        new_examples: How many training examples the champion was not tuned on; None if that is not known, or there is
            no champion.
        champion: Resource name of the champion, with its version; empty if there is none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    reasons: list[str]
    alarms: list[str]
    new_examples: int | None
    champion: str

    def markdown(self) -> str:
        """Returns it as a short page."""
        lines = [f"# {_TITLES[self.path]}", ""]
        if self.alarms:
            lines += [*(f"- **Alarm:** {one}." for one in self.alarms), "", "Why:", ""]
        lines += [f"- {one}." for one in self.reasons]
        if self.champion:
            lines += ["", f"Champion: `{self.champion}`"]
        return "\n".join(lines) + "\n"


_TITLES = {Path.TUNE: "Tune", Path.RECHECK: "Recheck the champion", Path.SKIP: "Skip"}


@dataclass(frozen=True)
class Tried:
    """A run that has compared what would be tuned now.

    Attributes:
        run_id: Of the run.
        verdict: That it came to.
        withdrawn: Whether its model was promoted, and taken out of use by a rollback.
    """

    run_id: str
    verdict: str
    withdrawn: bool = False


@dataclass(frozen=True)
class Situation:
    """What is known when a scheduled run begins.

    Attributes:
        settings: `retraining` of the experiment.
        today: The day of the run.
        base: What would be tuned.
        refused: Why it cannot be tuned any more; empty if it can.
        champion: The model in use; None if there is none.
        silent: Why the champion cannot be asked; empty if it can, or there is none.
        now: What a tuning job would be made of now.
        ids: Of the training examples.
        then: What the champion was made of; None if that is not known.
        then_ids: The ids of the training examples that it was tuned on; likewise.
        tried: Who has compared the same already, if anybody.
        quote: What tuning costs, and in it what a recheck does.
    """

    settings: Retraining
    today: date
    base: Base
    refused: str
    champion: Base | None
    silent: str
    now: Trained
    ids: frozenset[str]
    then: Trained | None
    then_ids: frozenset[str] | None
    tried: Tried | None
    quote: Quote


def make_plan(found: Situation) -> Plan:
    """Returns what a scheduled run does."""
    champion = found.champion
    alarms = retirement_alarms(found.base.id, champion.id if champion else None, found.settings.warn_days, found.today)
    if found.silent:
        alarms.append(f"the champion cannot be asked: {found.silent}")
    new = None
    if champion and found.then_ids is not None:
        new = len(contents(found.ids) - contents(found.then_ids))
    path, reasons = _affordable(found, *_possible(found, *_wanted(found, new)))
    return Plan(
        path=path,
        reasons=reasons,
        alarms=alarms,
        new_examples=new,
        champion=(champion and champion.model) or "",
    )


def _wanted(found: Situation, new: int | None) -> tuple[Path, list[str]]:
    """Returns what is to be done if everything can be done and paid for."""
    if found.refused:
        return Path.RECHECK, [f"nothing is tuned: {found.refused}"]
    if found.tried:
        return Path.RECHECK, [_said_of(found.tried)]
    if found.champion is None:
        return Path.TUNE, ["there is no champion yet"]
    return _by_what_is_new(found, new)


def _by_what_is_new(found: Situation, new: int | None) -> tuple[Path, list[str]]:
    """Returns what is to be done if there is a champion, and another model could come out."""
    then = found.then
    if then is None:
        return Path.TUNE, ["what the champion was tuned on is not known here, so nobody can say what is new"]
    if changes := _changes(then.settings, found.now.settings):
        return Path.TUNE, [f"since the champion was tuned, other settings are asked for: {'; '.join(changes)}"]
    if then.data == found.now.data or found.then_ids == found.ids:
        return Path.RECHECK, [f"the {_examples(len(found.ids))} are those that the champion was tuned on"]
    if new is None:
        return Path.TUNE, ["the champion was tuned on other data, and which examples of today's are new is not known"]
    least = found.settings.min_new_examples
    of = f"{new:,} of the {_examples(len(found.ids))} {'is' if new == 1 else 'are'} new to the champion"
    asked = f"retraining.min_new_examples asks for {least:,}"
    return (Path.TUNE, [of]) if new >= least else (Path.SKIP, [f"{of}, and {asked}"])


def _said_of(tried: Tried) -> str:
    came = f"came to {tried.verdict}"
    if tried.withdrawn:
        came = "promoted its model, which a rollback has taken out of use"
    return (
        f"run {tried.run_id} has tuned on these very data with these settings and {came}: tuning again would give the"
        " same model (to compare it once more, start a run by hand; to have another tuned, set tuning.attempt to"
        " another number)"
    )


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns the keys that have another value, each with both values if they are short enough to be read."""
    names = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    if "sweep" in {*then, *now}:
        names = [one for one in names if not one.startswith("tuning.")]
    plain = {"sweep", "prompt"}
    return [one if one in plain else f"{one} is {now.get(one)}, and was {then.get(one)}" for one in names]


def _possible(found: Situation, path: Path, reasons: list[str]) -> tuple[Path, list[str]]:
    """Returns what is to be done if there is nobody who could be asked."""
    if path is not Path.RECHECK:
        return path, reasons
    if found.champion is None:
        return Path.SKIP, [*reasons, "there is no champion that could be rechecked"]
    return (Path.SKIP, [*reasons, f"the champion cannot be asked: {found.silent}"]) if found.silent else (path, reasons)


def _affordable(found: Situation, path: Path, reasons: list[str]) -> tuple[Path, list[str]]:
    """Returns what is to be done if the budget does not allow what should be."""
    quotes = {Path.TUNE: found.quote, Path.RECHECK: found.quote.recheck}
    quote = quotes.get(path)
    return (Path.SKIP, [*reasons, quote.refused]) if quote and quote.refused else (path, reasons)


def _examples(n: int) -> str:
    return counted(n, "training example")
