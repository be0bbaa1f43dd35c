"""Whether the tuned model is really better, by the same examples answered by both."""

from gemini_sft.decision.comparison import Comparison, Difference, FewShot, Verdict, compare
from gemini_sft.decision.few_shot import few_shot_arm, worth
from gemini_sft.decision.judged import Judged, judged

__all__ = ["Comparison", "Difference", "FewShot", "Judged", "Verdict", "compare", "few_shot_arm", "judged", "worth"]
