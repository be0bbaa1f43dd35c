"""What a look at Vertex AI before a run has found: what is missing, and what is only worth knowing."""

from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from gemini_sft.cost import Quote
from gemini_sft.errors import NotReadyError, Problem


@dataclass
class Findings:
    """What was found.

    Attributes:
        problems: What keeps the run from starting.
        remarks: What does not: what may be better, and what could not be checked.
        quote: What the run costs; None if that is not known yet.
    """

    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    quote: Quote | None = None

    def missing(self, where: str, what: str, command: str = "") -> None:
        """Takes up a problem, and the command that mends it."""
        self.problems.append(Problem(where, what + (f": run `{command}`" if command else "")))

    def unchecked(self, what: str, why: Exception, command: str = "") -> None:
        """Takes up that something could not be checked, and the command that lets it be."""
        self.remarks.append(f"{what} could not be checked: {why}" + (f": run `{command}`" if command else ""))

    def show(self, console: Console) -> None:
        """Prints the remarks."""
        for one in self.remarks:
            console.print(Text(f"Note: {one}", "yellow"), soft_wrap=True)

    @property
    def error(self) -> NotReadyError | None:
        """The problems as an error to raise; None if there is none."""
        return NotReadyError(self.problems) if self.problems else None
