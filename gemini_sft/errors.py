"""Every error that this library raises on purpose.

GeminiSftError
├── UserError                 the user can mend it: shown without a traceback, exit code 2
│   ├── ExperimentError       the experiment file, with every problem and its line
│   ├── DataError             a data file, with every problem and its line
│   ├── NotReadyError         a Google Cloud project that lacks something, with every problem and its remedy
│   └── BudgetError           the run would cost more than it may, or nobody knows what
└── RunError                  the run failed: exit code 1
    ├── ServiceError          Vertex AI or Cloud Storage refused or did not answer
    │   ├── AbsentError       there is no resource of that name
    │   ├── DeniedError       the account lacks a permission
    │   └── UnansweredError   whether what was asked for was done is not known
    ├── TuningError           the tuning job ended without a model
    └── EvaluationError       too many predictions failed, or two evaluations cannot be compared
"""

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN_PROBLEMS = 20


class GeminiSftError(Exception):
    """The root of the tree."""


class UserError(GeminiSftError):
    """A mistake in what the user gave: the text says what, where, and how to mend it."""


class BudgetError(UserError):
    """A run that would cost more than its budget, or whose price is not known: nothing has been spent."""


class RunError(GeminiSftError):
    """A run that could not be brought to its end."""


class ServiceError(RunError):
    """A Google service refused a request or could not be reached."""


class AbsentError(ServiceError):
    """A request for a resource that there is not."""


class DeniedError(ServiceError):
    """A request that the account may not make."""


class UnansweredError(ServiceError):
    """A request without a whole answer, or one that met a fault that passes: it may have been served or not."""


class TuningError(RunError):
    """A tuning job that ended in any way but success."""


class EvaluationError(RunError):
    """An evaluation whose numbers would not mean what they say."""


@dataclass(frozen=True)
class Problem:
    """One finding in a file.

    Attributes:
        where: `file:line`, or another place that the user can go to.
        what: What is wrong there, what was expected and how to mend it.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class _Problems(UserError):
    """Several problems, reported at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[:_SHOWN_PROBLEMS]]
        hidden = len(self.problems) - len(lines)
        if hidden:
            lines.append(f"... and {hidden} more")
        super().__init__("\n".join(lines))


class ExperimentError(_Problems):
    """An experiment file that cannot be run."""


class DataError(_Problems):
    """Data that cannot be used for tuning or evaluation."""


class NotReadyError(_Problems):
    """A Google Cloud project in which a run cannot start yet."""
