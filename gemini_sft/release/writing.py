"""Changing a version in the registry, so that each change is made whatever is lost on the way, and none twice."""

import time
from collections.abc import Callable

from gemini_sft import vertex
from gemini_sft.errors import RunError, ServiceError, UnansweredError
from gemini_sft.registry import Version, find_version

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before a request that was not answered is made again."""

_GOOGLES = "google-"


def insist(act: Callable[[], object], done: Callable[[], bool] = lambda: False) -> None:
    """Does something until it is done.

    Args:
        act: Does it, by one request.
        done: Looks whether it is done. Without it, doing it again must change nothing.

    Raises:
        ServiceError: It is not done, and Vertex AI refuses it or does not answer any more.
    """
    for pause in (*PAUSES, None):
        if done():
            return
        try:
            act()
        except ServiceError as error:
            if pause is not None and isinstance(error, UnansweredError):
                time.sleep(pause)
            elif done():  # somebody else may have been faster
                return
            else:
                raise
        else:
            return


def require(name: str) -> Version:
    """Returns a version.

    Raises:
        RunError: There is none of that name any more.
    """
    version = find_version(name)
    if version is None:
        raise RunError(f"{name} is no longer in the Model Registry: was it deleted?")
    return version


def set_labels(name: str, labels: dict[str, str]) -> None:
    """Gives a version labels beside those that it has."""
    there = require(name).labels
    if not labels.items() <= there.items():
        # All of them are replaced at once. Google's own may have values, with a dot, that no client may send.
        ours = {key: value for key, value in there.items() if not key.startswith(_GOOGLES)}
        body = {"labels": ours | labels}
        insist(lambda: vertex.send("PATCH", name, _place(name), body, {"updateMask": "labels"}))


def give(name: str, alias: str) -> None:
    """Gives a version an alias, which another version of its model loses by that."""
    insist(lambda: _merge(name, alias))


def take(name: str, alias: str) -> None:
    """Takes an alias from a version; one that does not have it is left as it is."""
    insist(lambda: _merge(name, f"-{alias}"), lambda: alias not in require(name).aliases)


def _merge(name: str, change: str) -> None:
    vertex.send("POST", f"{name}:mergeVersionAliases", _place(name), {"versionAliases": [change]})


def _place(name: str) -> str:
    return vertex.location_of(name, "")
