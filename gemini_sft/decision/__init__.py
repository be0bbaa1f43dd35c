"""Whether the tuned model is really better, by the same examples answered by both."""

from gemini_sft.decision.comparison import Comparison, Difference, Verdict, compare

__all__ = ["Comparison", "Difference", "Verdict", "compare"]
