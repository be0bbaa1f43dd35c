"""Dividing files into blocks of records, in constant memory."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from gemini_sft.data.block import Block
from gemini_sft.data.findings import Fault
from gemini_sft.data.keys import hash64
from gemini_sft.data.reading import Shape
from gemini_sft.data.records import shape_of
from gemini_sft.data.sources import File, Format, open_file
from gemini_sft.data.tables import Row, read_bigquery, read_csv, read_parquet

BLOCK_BYTES = 2**19
"""Small enough to stay in a processor's cache, large enough that the work around a block does not count."""
_ROWS = 1000
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def blocks_of(file: File) -> Iterator[Block]:
    """Yields the blocks of a file in order; their numbers are 0 and the caller's to give.

    Raises:
        DataError: It cannot be read at all.
        UserError: There is no such file.
        ServiceError: A service did not give it.
    """
    match file.format:
        case Format.JSONL:
            with open_file(file) as stream:
                yield from _lines(stream, file)
        case Format.CSV | Format.TSV:
            with open_file(file) as stream:
                delimiter = "," if file.format is Format.CSV else "\t"
                yield from _rows(read_csv(stream, file.name, delimiter=delimiter), file, Shape.COLUMNS)
        case Format.PARQUET:
            with open_file(file) as stream:
                yield from _rows(read_parquet(stream, file.name), file)
        case Format.BIGQUERY:
            yield from _rows(read_bigquery(file.name), file)


def _lines(stream: BinaryIO, file: File) -> Iterator[Block]:
    shape: Shape | None = None
    line, offset, returned = 1, 0, False
    # A plain local file is read again where the work is done: that is faster than sending its bytes there.
    is_plain = "://" not in file.uri and not file.compressed and not _is_gzip(file.uri)
    while content := stream.read(BLOCK_BYTES):
        faults = []
        if not content.endswith(b"\n"):
            content += stream.readline()
        if offset == 0:
            if _is_utf16(content):
                fault = Fault("encoding", "is UTF-16, not UTF-8")
                yield Block(number=0, source=file.name, shape=Shape.COLUMNS, count=0, faults=((1, fault),))
                return
            if _is_list(content):
                fault = Fault("json", "is one JSON list over many lines, not one object a line")
                yield Block(number=0, source=file.name, shape=Shape.COLUMNS, count=0, faults=((1, fault),))
                return
            if content.startswith(_UTF8_MARK):
                faults.append((1, Fault("byte_order_mark", "begins with a byte order mark, which is skipped")))
                content, offset = content[3:], 3
        if not returned and b"\r" in content and (at := content.find(b"\r\n")) >= 0:
            fault = Fault("line_ending", "ends in CR LF, of which the CR is skipped")
            faults.append((line + content.count(b"\n", 0, at), fault))
            returned = True
        shape = shape or _shape(content)
        ends, unfinished = content.count(b"\n"), not content.endswith(b"\n")
        yield Block(
            number=0,
            source=file.name,
            shape=shape or Shape.COLUMNS,
            count=ends + unfinished,
            first_line=line,
            lines=None if is_plain else content,
            span=(file.uri, offset, len(content), hash64(content)) if is_plain else None,
            unfinished=unfinished,
            faults=tuple(faults),
        )
        offset += len(content)
        line += ends


def _is_list(content: bytes) -> bool:
    """Returns whether a file begins with a list that goes on behind its first line."""
    first = content.lstrip().partition(b"\n")[0].rstrip()
    if not first.startswith(b"["):
        return False
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        return b"\n" in content.strip()
    return False


def _some(rows: Iterator[tuple[int, Row | Fault]]) -> Iterator[tuple[int, Row | Fault]]:
    """Yields rows until they are many or large."""
    size = 0
    for number, row in itertools.islice(rows, _ROWS):
        yield number, row
        size += 0 if isinstance(row, Fault) else sum(len(one) for one in row.values() if isinstance(one, (str, list)))
        if size > BLOCK_BYTES:
            return


def _is_utf16(content: bytes) -> bool:
    """Returns whether a file begins as UTF-16 does: with its mark, or with every other byte of ASCII being NUL."""
    begin = content[:20]
    return begin.startswith(_UTF16_MARKS) or (len(begin) > 3 and (not any(begin[::2]) or not any(begin[1::2])))


def _is_gzip(path: str) -> bool:
    with Path(path).open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _shape(content: bytes) -> Shape | None:
    """Returns the shape of the first record that can be parsed."""
    for line in content.split(b"\n"):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if type(record) is dict:
            return shape_of(record)
    return None


def _rows(rows: Iterator[tuple[int, Row | Fault]], file: File, shape: Shape | None = None) -> Iterator[Block]:
    while some := tuple(_some(rows)):
        first: Any = next((row for _, row in some if not isinstance(row, Fault)), None)
        shape = shape or (shape_of(first) if first is not None else None)
        yield Block(number=0, source=file.name, shape=shape or Shape.COLUMNS, count=len(some), rows=some)
