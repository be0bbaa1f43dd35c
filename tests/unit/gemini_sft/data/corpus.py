"""Every malformed input that the checks are held against, by subject."""

from tests.unit.gemini_sft.data.cases.case import Case
from tests.unit.gemini_sft.data.cases.conversations import CONTENTS, MESSAGES
from tests.unit.gemini_sft.data.cases.encodings import ENCODINGS
from tests.unit.gemini_sft.data.cases.json_lines import JSON_LINES
from tests.unit.gemini_sft.data.cases.parts import PARTS
from tests.unit.gemini_sft.data.cases.sensitive import SENSITIVE
from tests.unit.gemini_sft.data.cases.splits import ACROSS, LABELS, PROMPT, SPLITS
from tests.unit.gemini_sft.data.cases.tables import COLUMNS, CSV
from tests.unit.gemini_sft.data.cases.unchanged import UNCHANGED

__all__ = ["CORPUS", "UNCHANGED"]

CORPUS: list[Case] = [
    *ENCODINGS,
    *JSON_LINES,
    *MESSAGES,
    *CONTENTS,
    *PARTS,
    *COLUMNS,
    *CSV,
    *LABELS,
    *SPLITS,
    *ACROSS,
    *PROMPT,
    *SENSITIVE,
]
