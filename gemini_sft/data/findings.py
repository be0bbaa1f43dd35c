"""What the checks found."""

from pydantic import BaseModel, ConfigDict

from gemini_sft.data.sensitive import find_sensitive
from gemini_sft.experiment.rules import RULES, Policy

_EXCERPT_CHARACTERS = 80
_SHOWN_CHARACTERS = 40


class Finding(BaseModel):
    """One finding.

    Attributes:
        rule: The name of the rule that was broken.
        source: The file, as the user named it.
        line: Counted from 1; 0 if the finding is about the whole file or split.
        what: What is wrong there and what was expected; holds nothing of the data that could be secret.
        excerpt: Some characters of the place, for the report only; empty for secrets and personal data.
        policy: What was done about it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str
    source: str
    line: int
    what: str
    excerpt: str = ""
    policy: Policy = Policy.ERROR

    @property
    def where(self) -> str:
        """`file:line`, or the file alone."""
        return f"{self.source}:{self.line}" if self.line else self.source

    @property
    def remedy(self) -> str:
        """How to mend it."""
        return RULES[self.rule].remedy


class Fault(Exception):
    """A rule that one record breaks: raised where the record is read, made a finding where its line is known."""

    def __init__(self, rule: str, what: str, excerpt: str = "") -> None:
        super().__init__(what)
        self.rule, self.what = rule, what
        # Looked at before it is cut: a part of a secret is no pattern any more, but still a part of a secret.
        self.excerpt = "" if find_sensitive(excerpt.encode(errors="replace")) else clip(excerpt)

    def __reduce__(self) -> tuple[type["Fault"], tuple[str, str, str]]:
        return Fault, (self.rule, self.what, self.excerpt)


def shown(value: object) -> str:
    """Returns a value of the data for a message: cut, and not at all if it looks like what nobody should see."""
    text = value if isinstance(value, str) else repr(value)
    text = "…" if find_sensitive(text.encode(errors="replace")) else text[:_SHOWN_CHARACTERS]
    return repr(text) if isinstance(value, str) else text


def clip(text: str) -> str:
    """Returns the beginning of a text on one line."""
    line = " ".join(text[: 4 * _EXCERPT_CHARACTERS].split())
    return line if len(line) <= _EXCERPT_CHARACTERS else line[: _EXCERPT_CHARACTERS - 1] + "…"
