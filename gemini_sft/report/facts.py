"""A name and a value, and how the user knows a file."""

import re
from dataclasses import dataclass

from gemini_sft.experiment.schema import Sources, listed

_STAGED = re.compile(r"gs://[^/]+/staging/[^/]+/([0-9a-f]{16})/([^/]+)$")


@dataclass(frozen=True)
class Fact:
    """A name and a value; `code` if the value is an identifier rather than words."""

    name: str
    value: str
    code: bool = False


def named(sources: Sources) -> str:
    """Returns the files as the user knows them: where copies are staged says nothing to anybody."""
    return ", ".join(uri.rpartition("/")[2] if _STAGED.match(uri) else uri for uri in listed(sources))


def told_apart(uri: str) -> str:
    """Returns a file as the user knows it, with the hash of its content if that is known; anything else as it is."""
    staged = _STAGED.match(uri)
    return f"{staged[2]} ({staged[1]})" if staged else uri
