"""The rows of CSV and TSV files, one after the other."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from gemini_sft.data.findings import Fault
from gemini_sft.data.sensitive import find_sensitive
from gemini_sft.errors import DataError, Problem

Row = dict[str, Any]
"""Cells by the names of their columns."""

# In characters: an example of as many tokens as Vertex AI takes has less than a tenth of it.
_LONGEST_RECORD = 1 << 26
_SHOWN_HEADER = 120
_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_SUFFIXES = {",": ".csv", "\t": ".tsv"}
# What `surrogateescape` makes of bytes that are not UTF-8; good UTF-8 has no such characters.
_NOT_UTF8 = re.compile(r"[\udc80-\udcff]")
# Python's own limit of 131,072 characters a field is less than one example may have in tokens.
csv.field_size_limit(2**31 - 1)


def read_csv(stream: BinaryIO, name: str, *, delimiter: str) -> Iterator[tuple[int, Row | Fault]]:
    """Yields the rows of a CSV or TSV file: texts by the names in its header; blank lines are none.

    Args:
        stream: UTF-8, with or without a byte order mark; lines end in LF, CR LF or CR.
        name: How problems speak of the file.
        delimiter: What stands between fields.

    Yields:
        The line on which a row begins, and the row; or what is wrong there. After a fault the next row follows.

    Raises:
        DataError: The whole file is not such a table: it is UTF-16, its header is not one, or a row has no end.
    """
    text = io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="")
    try:
        yield from _rows(_Lines(text, name), name, delimiter)
    finally:
        with suppress(ValueError):  # the stream was closed before
            text.detach()


class _Lines:
    """The lines of a file, as the csv module asks for them.

    Attributes:
        ended: How many lines of the file have been read.
        first: The first line of the record that is being read.
        damage: Line and character of the first byte of this record that is not UTF-8; None if there is none.
    """

    def __init__(self, text: io.TextIOWrapper, name: str) -> None:
        self._text, self._name = text, name
        self._end = ""
        self.ended = 0
        self.begin()

    def begin(self) -> int:
        """Begins a record and returns its line."""
        self.first, self._length, self._begin = "", 0, self.ended + 1
        self.damage: tuple[int, int] | None = None
        return self._begin

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(_LONGEST_RECORD + 1 - self._length)
        if not line:
            raise StopIteration
        if not self._length:
            self.first = line
        # A lone CR counts as a line only in files whose first line ends so; elsewhere editors show none.
        self._end = self._end or line[-1]
        number = self.ended + 1
        self.ended += not line.endswith("\r") or self._end == "\r"
        self._length += len(line)
        if self._length > _LONGEST_RECORD:
            what = f"a record is longer than {_LONGEST_RECORD:,} characters: is a quote missing near its beginning?"
            raise DataError([Problem(f"{self._name}:{self._begin}", what)])
        if not line.isascii() and self.damage is None and (found := _NOT_UTF8.search(line)):
            self.damage = number, found.start() + 1
        return line


def _rows(lines: _Lines, name: str, delimiter: str) -> Iterator[tuple[int, Row | Fault]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header = _header(reader, lines, name, delimiter)
    while header:
        begin = lines.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield begin, Fault("csv", _not_csv(error, begin, lines.ended), _clean(lines.first))
            continue
        if lines.damage:
            line, place = lines.damage
            yield line, Fault("encoding", f"is not UTF-8 (character {place} of the line)", _clean(lines.first))
        elif fields and len(fields) != len(header):
            count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
            yield begin, Fault("csv", f"has {count} where the header has {len(header)}", lines.first)
        elif fields:
            yield begin, dict(zip(header, fields, strict=True))


def _header(reader: Iterator[list[str]], lines: _Lines, name: str, delimiter: str) -> list[str]:
    """Returns the names of the columns; none for a file without content."""
    header: list[str] = []
    problem = None
    try:
        header = next(reader)
    except StopIteration:
        return []
    except csv.Error as error:
        problem = f"its header cannot be read: {_not_csv(error, 1, lines.ended)}"
    first, damage = lines.first, lines.damage
    if not header and not problem and not any(map(str.strip, lines)):
        return []
    if first.startswith(("\udcff\udcfe", "\udcfe\udcff")) or "\0" in first:
        problem = "is UTF-16: save the file as UTF-8"
    elif damage:
        problem = "its header is not UTF-8: save the file as UTF-8"
    elif problem and delimiter not in first:
        problem = _other_delimiter(first.strip(), delimiter) or problem
    else:
        problem = problem or _objection(header, delimiter)
    if problem:
        raise DataError([Problem(f"{name}:1", problem)])
    return header


def _objection(header: list[str], delimiter: str) -> str | None:
    if not any(map(str.strip, header)):
        return "its first line names no columns: write their names there"
    if len(header) == 1:
        return _other_delimiter(header[0], delimiter)
    twice, count = Counter(header).most_common(1)[0]
    what = f"the column {_cut(twice)!r}" if twice else "a column without a name"
    return None if count == 1 else f"has {what} {count} times: give each column a name of its own"


def _other_delimiter(column: str, delimiter: str) -> str | None:
    """Returns what to do about the only name in a header that looks like several."""
    other = max(_DELIMITERS, key=column.count)
    if other not in column:
        return None
    found = f"its header has one column, {_cut(column)!r}"
    if other == delimiter:
        return f"{found}: quote each field alone, not the whole line"
    rename = f" or name it {_SUFFIXES[other]}" if other in _SUFFIXES else ""
    return f"{found}: is the delimiter {other!r}? save it with {_DELIMITERS[delimiter]}{rename}"


def _not_csv(error: csv.Error, begin: int, end: int) -> str:
    if "unexpected end" in str(error):
        return f"a quoted field is not closed: it takes in everything to the file's end on line {end}"
    extent = f", on line {end} of the record that begins on line {begin}" if end > begin else ""
    return f"is not CSV: {error}{extent} (a quote inside a quoted field is written twice)"


def _clean(text: str) -> str:
    return _NOT_UTF8.sub("\N{REPLACEMENT CHARACTER}", text)


def _cut(text: str) -> str:
    if find_sensitive(text.encode(errors="replace")):
        return "…"
    return text if len(text) <= _SHOWN_HEADER else text[: _SHOWN_HEADER - 1] + "…"
