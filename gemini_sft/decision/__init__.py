"""Whether the tuned model is really better, by the same examples answered by all models."""

from gemini_sft.decision.comparison import (
    Champion,
    Comparison,
    CorpusInterval,
    Difference,
    FewShot,
    Guarded,
    Power,
    Slice,
    Verdict,
)
from gemini_sft.decision.deciding import compare
from gemini_sft.decision.evidence import Evidence
from gemini_sft.decision.few_shot import few_shot_arm, per_request, worth
from gemini_sft.decision.judged import Judged, judged
from gemini_sft.decision.whole import Whole, whole

__all__ = [
    "Champion",
    "Comparison",
    "CorpusInterval",
    "Difference",
    "Evidence",
    "FewShot",
    "Guarded",
    "Judged",
    "Power",
    "Slice",
    "Verdict",
    "Whole",
    "compare",
    "few_shot_arm",
    "judged",
    "per_request",
    "whole",
    "worth",
]
