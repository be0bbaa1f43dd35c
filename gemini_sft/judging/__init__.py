"""A Gemini model that compares what two models answered, and knows neither by name."""

from gemini_sft.judging.frame import Frame, comparing, grading
from gemini_sft.judging.judge import judge
from gemini_sft.judging.judgement import Grades, Judgement, Tally, tally
from gemini_sft.judging.pair import Choice, Pair, Winner

__all__ = [
    "Choice",
    "Frame",
    "Grades",
    "Judgement",
    "Pair",
    "Tally",
    "Winner",
    "comparing",
    "grading",
    "judge",
    "tally",
]
