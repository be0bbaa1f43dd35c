"""All examples of all splits, as columns: what is needed to hold them against each other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gemini_sft.data.block import Drafted


class Table:
    """Every example that was read, in the order of the splits, files and lines.

    Attributes:
        drafts: The blocks that hold them.
        part: The split of each row; shape (n,).
        alive: Whether the row is to be written; shape (n,).
    """

    def __init__(self, drafts: Sequence[Drafted], splits: Sequence[int]) -> None:
        """Takes the blocks, and the split that each belongs to."""
        self.drafts = tuple(drafts)
        sizes = [len(one.rows) for one in self.drafts]
        self._begins = np.r_[0, np.cumsum(sizes, dtype=np.int64)]
        self.part = np.repeat(np.asarray(splits, np.uint8), sizes)
        self.alive = self.column("alive").astype(bool)

    def __len__(self) -> int:
        return int(self._begins[-1])

    def column(self, name: str) -> NDArray[np.uint64]:
        """Returns a column of `ROW` over all rows; shape (n,)."""
        columns = [one.rows[name] for one in self.drafts]
        return np.concatenate(columns) if columns else np.empty(0, np.uint64)

    def living(self, split: int) -> NDArray[np.int64]:
        """Returns the rows of a split that are to be written, in order."""
        return np.flatnonzero(self.alive & (self.part == split))

    def place(self, row: int) -> tuple[str, int]:
        """Returns source and line of a row."""
        block, inside = self._inside(row)
        return self.drafts[block].source, int(self.drafts[block].rows["line"][inside])

    def where(self, row: int) -> str:
        """Returns `file:line` of a row."""
        source, line = self.place(row)
        return f"{source}:{line}"

    def record(self, row: int) -> bytes:
        """Returns the record of a row as JSON."""
        block, inside = self._inside(row)
        ends = self.drafts[block].rows["record_end"]
        begin = int(ends[inside - 1]) if inside else 0
        with self.drafts[block].records.open("rb") as file:
            file.seek(begin)
            return file.read(int(ends[inside]) - begin)

    def rows_of(self, block: int) -> slice:
        """Returns which rows a block holds."""
        return slice(int(self._begins[block]), int(self._begins[block + 1]))

    def _inside(self, row: int) -> tuple[int, int]:
        block = int(np.searchsorted(self._begins, row, side="right")) - 1
        return block, row - int(self._begins[block])
