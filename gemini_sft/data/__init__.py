"""From the user's files to examples in Gemini's tuning format, checked."""

from gemini_sft.data.dataset import read_split
from gemini_sft.data.example import Example

__all__ = ["Example", "read_split"]
