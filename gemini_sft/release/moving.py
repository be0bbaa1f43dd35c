"""Moving the alias `champion` from one model to another, so that at every instant exactly one is in use.

An alias belongs to one model, so between two models it cannot move by one call. What is in use is therefore told by a
rule (`gemini_sft.registry.champion_of`): of those with the alias, the one whose label `promoted` is the latest. A move
is:

1. give the alias `previous` to the one in use, too;
2. write a later `promoted` on the new one;
3. give the alias `champion` to the new one: by this single call it is in use, and the other is not;
4. take the aliases from all that should not have them any more, `previous` first.

Between two versions of one model, as continued tuning makes them, the third call itself takes the alias from the old
one. To go back there, `previous` changes hands only after it: if that is interrupted, nobody knows which was previous.

Whoever is killed before the third call has changed nothing, and after it only tidying is left. Because `champion` is
taken last, two models have it as long as a move is unfinished.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gemini_sft.errors import RunError, UserError
from gemini_sft.experiment.schema import CHAMPION, PREVIOUS
from gemini_sft.registry import PROMOTED, Version, champion_of, previous_of, versions
from gemini_sft.release.writing import give, set_labels, take

_TIME = "%Y%m%dt%H%M%S-%f"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Champions:
    """What an experiment has in use.

    Attributes:
        champion: Resource name of the version in use; None if there is none.
        previous: Of the one before; None if there is none.
    """

    champion: str | None
    previous: str | None


def move(project: str, location: str, experiment: str, new: str, old: str | None) -> Champions:
    """Puts a version in use; does nothing but tidying if it is in use already.

    Args:
        project: Google Cloud project.
        location: Region of the models.
        experiment: Its name, which the models have as a label.
        new: Resource name of the version.
        old: Of the one that it shall replace; None if none is in use.

    Raises:
        UserError: Nobody can tell which one is in use.
        RunError: Another one is in use, or has come into use at the same moment.
        ServiceError: Vertex AI refused a change or did not answer.
    """
    found = versions(project, location, experiment)
    if unfinished(found):
        tidy(found)
        found = versions(project, location, experiment)
    champion = champion_of(found)
    require_unchanged(champion, new, old)
    if champion is None or champion.name != new:
        later = champion is not None and _takes_previous_along(champion, new, found)
        if champion is not None and not later:
            _hand_over(champion, new, found)
        set_labels(new, {PROMOTED: _after(found)})
        give(new, CHAMPION)
        if champion is not None and later:
            give(champion.name, PREVIOUS)
        found = versions(project, location, experiment)
        tidy(found)
        champion = champion_of(found)
        if champion is None or champion.name != new:
            there = champion.name if champion else "no model"
            raise RunError(f"while {new} was to become the champion, somebody else moved the alias: it is {there}")
        _log.info("%s is the champion", new)
    previous = previous_of(found)
    return Champions(new, previous.name if previous else None)


def unfinished(found: list[Version]) -> bool:
    """Returns whether a move has come to its third step and not to its end."""
    return sum(CHAMPION in one.aliases for one in found) > 1


def tidy(found: list[Version]) -> None:
    """Takes the aliases from all that should not have them; who is in use and who was before stays as it is."""
    champion, previous = champion_of(found), previous_of(found)
    for alias, right in ((PREVIOUS, previous), (CHAMPION, champion)):
        for one in found:
            if alias in one.aliases and one != right:
                take(one.name, alias)


def require_unchanged(champion: Version | None, new: str, old: str | None) -> None:
    """Refuses to replace another champion than the one that the new model was compared with.

    Raises:
        RunError: Another model is the champion, and not the new one.
    """
    if champion is not None and champion.name not in (new, old):
        raise RunError(
            f"{champion.name} has become the champion meanwhile, and {new} was compared with"
            f" {old or 'no champion at all'}: nothing is promoted; run again, to be compared with the new champion"
        )


def _takes_previous_along(champion: Version, new: str, found: list[Version]) -> bool:
    """Returns whether the alias `previous` must wait: the new one has it, and is a version of the same model.

    Given to the champion first, it would be taken from the new one, and nobody would know any more where to go back to.
    """
    same = champion.name.partition("@")[0] == new.partition("@")[0]
    return same and any(PREVIOUS in one.aliases for one in found if one.name == new)


def _hand_over(champion: Version, new: str, found: list[Version]) -> None:
    """Makes the one in use the one that will have been in use before."""
    # A move that never came to its third step, or somebody by hand, has left one that would seem to come after it.
    if any(
        PREVIOUS in one.aliases and one.promoted >= champion.promoted for one in found if _other(one, champion, new)
    ):
        set_labels(champion.name, {PROMOTED: _after(found)})
    if PREVIOUS not in champion.aliases:
        give(champion.name, PREVIOUS)


def _other(one: Version, champion: Version, new: str) -> bool:
    return one != champion and one.name != new


def _after(found: list[Version]) -> str:
    """Returns the time as a label, later than any that the versions have, whatever the clock says."""
    now, last = datetime.now(UTC), max(found, key=lambda one: one.promoted, default=None)
    if last is not None and last.promoted >= now.strftime(_TIME):
        try:
            now = datetime.strptime(last.promoted, _TIME).replace(tzinfo=UTC) + timedelta(microseconds=1)
        except ValueError as error:
            raise UserError(
                f"{last.name} has the label {PROMOTED}={last.promoted}, which is no time: take the label away"
            ) from error
    return now.strftime(_TIME)
