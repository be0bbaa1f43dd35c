"""What a training process is told of the evaluation that its job wants."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Metric:
    """A metric that is computed from a prediction and its reference.

    Attributes:
        kind: `exactMatch`, `bleu` or `rouge`.
        settings: What it is computed with: `use_effective_order` of BLEU; `rouge_type`, `use_stemmer` and
            `split_summaries` of ROUGE.
        aggregations: What is told of all scores, such as `AVERAGE`.
    """

    kind: str
    settings: dict[str, Any]
    aggregations: tuple[str, ...]

    @property
    def value_field(self) -> str:
        """The field of Google's results that has its scores."""
        return f"{self.kind}MetricValue"


@dataclass(frozen=True)
class Wishes:
    """An evaluation.

    Attributes:
        metrics: The metrics, in the order of the request.
        max_output_tokens: Where an answer is cut; None for no limit.
        stop_sequences: Texts before which an answer ends.
        choices: The values of which an answer must be one; empty if it is free.
    """

    metrics: tuple[Metric, ...]
    max_output_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Wishes":
        """Reads what `dataclasses.asdict` gave, through JSON."""
        metrics = tuple(
            Metric(each["kind"], each["settings"], tuple(each["aggregations"])) for each in fields["metrics"]
        )
        return cls(metrics, fields["max_output_tokens"], tuple(fields["stop_sequences"]), tuple(fields["choices"]))
