"""From the user's files to examples in Gemini's tuning format."""

from gemini_sft.data.dataset import read_split, write_split
from gemini_sft.data.example import Example
from gemini_sft.data.readers import read_examples

__all__ = ["Example", "read_examples", "read_split", "write_split"]
