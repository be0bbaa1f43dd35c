"""What a pipeline job is labelled with, so that it can be found among others and billed to somebody."""

import getpass
import re
from contextlib import suppress
from importlib.metadata import version

_LONGEST = 63
_ILLEGAL = re.compile(r"[^a-z0-9_-]+")


def label_value(text: str) -> str:
    """Returns a text as the value of a label: lower-case letters, digits, hyphens and underscores, at most 63.

    Google allows letters of every language; of those whose case is a matter of opinion it does not say which are lower.
    """
    return _ILLEGAL.sub("-", text.lower())[:_LONGEST].strip("-")


def run_labels(experiment: str, pipeline: str) -> dict[str, str]:
    """Returns the labels of a run: its experiment, its pipeline, the version of this project, who has started it.

    Who is the name of the account on this machine, never an address. What has no legal letter is left out.
    """
    labels = {"experiment": experiment, "pipeline": pipeline, "version": version("gemini-sft-pipelines")}
    with suppress(OSError, KeyError):  # an account without a name, as in some containers
        labels["user"] = getpass.getuser().partition("@")[0]
    return {key: value for key, one in labels.items() if (value := label_value(one))}
