"""Taking the last move back."""

from dataclasses import dataclass
from datetime import UTC, datetime

from gemini_sft.errors import UserError
from gemini_sft.experiment.schema import CHAMPION, PREVIOUS
from gemini_sft.registry import champion_of, previous_of, versions
from gemini_sft.release.moving import move, tidy, unfinished
from gemini_sft.release.promotion import NOT_WITHDRAWN, WITHDRAWN
from gemini_sft.release.writing import set_labels


@dataclass(frozen=True)
class Rollback:
    """What a rollback did.

    Attributes:
        was: Resource name of the version that was in use.
        champion: Of the one that is in use now; the same if only an unfinished move was finished.
        previous: Of the one that another rollback would put in use; None if there is none.
    """

    was: str
    champion: str
    previous: str | None


def rollback(project: str, location: str, experiment: str) -> Rollback:
    """Puts the previous champion in use again, so that the one in use becomes the previous one.

    The one that is taken out of use has a label that says so, and no run promotes it again: only another rollback does.

    If a promotion or rollback was interrupted, that is finished, and nothing else done: whoever starts an interrupted
    rollback again wants one, not two.

    Raises:
        UserError: There is no champion, or none before it; or nobody can tell which they are.
        RunError: Somebody else moved the alias at the same moment.
        ServiceError: Vertex AI refused a change or did not answer; another attempt goes on.
    """
    found = versions(project, location, experiment)
    champion, previous = champion_of(found), previous_of(found)
    if champion is None:
        raise UserError(
            f"no model of the experiment {experiment} in {location} has the alias {CHAMPION}: nothing has been promoted"
            " there yet, so there is nothing to roll back"
        )
    if unfinished(found):
        tidy(found)
        return Rollback(champion.name, champion.name, previous.name if previous else None)
    if previous is None:
        raise UserError(
            f"{champion.name} is the first champion of the experiment {experiment} in {location}, or the one before was"
            f" deleted: no model has the alias {PREVIOUS}, so there is nothing to roll back to"
        )
    # Else the next run that adopts its job would promote it again.
    set_labels(champion.name, {WITHDRAWN: datetime.now(UTC).strftime("%Y%m%dt%H%M%S")})
    if WITHDRAWN in previous.labels:
        set_labels(previous.name, {WITHDRAWN: NOT_WITHDRAWN})
    now = move(project, location, experiment, previous.name, champion.name)
    return Rollback(champion.name, previous.name, now.previous)
