import codecs
import csv
import datetime
import decimal
import errno
import gzip
import io
import os
import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from gemini_sft.data import csvtext
from gemini_sft.data.findings import Fault
from gemini_sft.data.tables import Row, read_csv, read_parquet
from gemini_sft.errors import DataError, UserError

Found = tuple[int, Row] | tuple[int, str, str]


def told(rows: Iterator[tuple[int, Row | Fault]]) -> list[Found]:
    """Returns rows with their lines, and faults as (line, rule, what)."""
    return [(line, row.rule, row.what) if isinstance(row, Fault) else (line, row) for line, row in rows]


def table(content: str | bytes, delimiter: str = ",") -> list[Found]:
    raw = content if isinstance(content, bytes) else content.encode()
    return told(read_csv(io.BytesIO(raw), "a.csv", delimiter=delimiter))


def objection(content: str | bytes, delimiter: str = ",") -> str:
    with pytest.raises(DataError) as caught:
        table(content, delimiter)
    (problem,) = caught.value.problems
    assert problem.where.startswith("a.csv:")
    return str(problem)


CELLS = st.text(st.characters(codec="utf-8") | st.sampled_from(",;\t|\"'\r\n\u2028\x00\ufeff \\="), max_size=12)
NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "Zs")), max_size=12)


class Endless(io.RawIOBase):
    """A header, and then the same bytes again and again, up to a size."""

    def __init__(self, begin: bytes, again: bytes, size: int) -> None:
        self._next, self._again, self.left = begin, again, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._next[: min(len(buffer), self.left)]
        buffer[: len(data)] = data
        self._next = self._next[len(data) :] or self._again
        self.left -= len(data)
        return len(data)


class TestCsv:
    @given(
        st.integers(1, 4).flatmap(
            lambda width: st.tuples(
                st.lists(NAMES, min_size=width, max_size=width, unique=True),
                st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6),
            )
        ),
        # Without quotes around every field, Python 3.11 writes a lone CR that ends the row.
        st.sampled_from(
            [("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL), ("\r", csv.QUOTE_ALL)]
        ),
        st.sampled_from([",", "\t"]),
        st.booleans(),
    )
    @settings(deadline=None, max_examples=150)
    def test_every_cell_comes_back(
        self, content: tuple[list[str], list[list[str]]], style: tuple[str, Any], delimiter: str, mark: bool
    ) -> None:
        header, rows = content
        assume(any(name.strip() for name in header))
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter, lineterminator=style[0], quoting=style[1])
        writer.writerow(header)
        writer.writerows(rows)
        raw = (codecs.BOM_UTF8 if mark else b"") + text.getvalue().encode()
        found = told(read_csv(io.BytesIO(raw), "a.csv", delimiter=delimiter))
        assert [row for _, *row in found] == [[dict(zip(header, row, strict=True))] for row in rows]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_lines_are_those_on_which_rows_begin(self, end: str) -> None:
        lines = ["a,b", "1,2", "", '"3', "", '3",4', "   ", '5,"6"']
        assert table(end.join(lines)) == [
            (2, {"a": "1", "b": "2"}),
            (4, {"a": f"3{end}{end}3", "b": "4"}),
            (7, "csv", "has 1 field where the header has 2"),
            (8, {"a": "5", "b": "6"}),
        ]

    def test_a_lone_cr_counts_as_no_line_where_lines_end_otherwise(self) -> None:
        assert table('a,b\n"1\r\r",2\n3,4') == [(2, {"a": "1\r\r", "b": "2"}), (3, {"a": "3", "b": "4"})]

    def test_a_header_of_several_lines(self) -> None:
        assert table('"a\nb",c\n1,2\n') == [(3, {"a\nb": "1", "c": "2"})]

    def test_texts_stay_texts(self) -> None:
        (row,) = table("a,b,c,d\n=1+1,007,,NaN\n")
        assert row == (2, {"a": "=1+1", "b": "007", "c": "", "d": "NaN"})

    @pytest.mark.parametrize("content", [b"", codecs.BOM_UTF8, b"\n", b"\r\n\r\n  \n"])
    def test_a_file_without_content_has_no_rows(self, content: bytes) -> None:
        assert table(content) == []

    def test_a_header_alone_has_no_rows(self) -> None:
        assert table("a,b") == table("a,b\n\n") == []

    def test_ragged_rows(self) -> None:
        rows = list(read_csv(io.BytesIO(b"a,b\nsecret,2,3\n4,5\n6\n"), "a.csv", delimiter=","))
        assert told(iter(rows)) == [
            (2, "csv", "has 3 fields where the header has 2"),
            (3, {"a": "4", "b": "5"}),
            (4, "csv", "has 1 field where the header has 2"),
        ]
        assert isinstance(rows[0][1], Fault) and rows[0][1].excerpt == "secret,2,3"

    def test_a_quote_that_is_not_closed(self) -> None:
        assert table('a,b\n1,2\n3,"secret\n4,5\n6,7\n') == [
            (2, {"a": "1", "b": "2"}),
            (3, "csv", "a quoted field is not closed: it takes in everything to the file's end on line 5"),
        ]

    def test_a_quote_that_ends_too_early(self) -> None:
        end = "(a quote inside a quoted field is written twice)"
        assert table('a,b\n"1" secret,2\n"3\nsecret"x,4\n5,6\n') == [
            (2, "csv", f"is not CSV: ',' expected after '\"' {end}"),
            (3, "csv", f"is not CSV: ',' expected after '\"', on line 4 of the record that begins on line 3 {end}"),
            (5, {"a": "5", "b": "6"}),
        ]

    def test_bytes_that_are_not_utf8(self) -> None:
        content = b'a,b\n1,\xe9\n2,"x\ny\xff\n\xe9z"\n3,\xed\xa0\x80\n4,\xe2\x98\x83'
        assert table(content) == [
            (2, "encoding", "is not UTF-8 (character 3 of the line)"),
            (4, "encoding", "is not UTF-8 (character 2 of the line)"),
            (6, "encoding", "is not UTF-8 (character 3 of the line)"),
            (7, {"a": "4", "b": "\u2603"}),
        ]

    @pytest.mark.parametrize("content", [b"a,b\n1,\xe9\n", b'a,b\n"\xe9"x,\n', b"a,b\n\xe9\n"])
    def test_excerpts_are_texts(self, content: bytes) -> None:
        ((_, fault),) = read_csv(io.BytesIO(content), "a.csv", delimiter=",")
        assert isinstance(fault, Fault) and "\N{REPLACEMENT CHARACTER}" in fault.excerpt

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
    @pytest.mark.parametrize("content", ["a,b\n1,2\n", "input_text;output_text", "日本,b\n", '"a"x,b\n'])
    def test_utf_16(self, encoding: str, content: str) -> None:
        assert objection(content.encode(encoding)) == "a.csv:1: is UTF-16: save the file as UTF-8"
        assert objection(codecs.BOM_UTF16_BE + content.encode("utf-16-be")) == (
            "a.csv:1: is UTF-16: save the file as UTF-8"
        )

    def test_a_nul_is_a_character(self) -> None:
        assert table(b"a,b\n\x00,2\n") == [(2, {"a": "\x00", "b": "2"})]

    @pytest.mark.parametrize(
        ("content", "delimiter", "expected"),
        [
            ("a;b\n1;2", ",", "its header has one column, 'a;b': is the delimiter ';'? save it with commas"),
            (
                "a\tb",
                ",",
                "its header has one column, 'a\\tb': is the delimiter '\\t'? save it with commas or name it .tsv",
            ),
            ("a|b,c|d|e", "\t", "its header has one column, 'a|b,c|d|e': is the delimiter '|'? save it with tabs"),
            ("a,b", "\t", "its header has one column, 'a,b': is the delimiter ','? save it with tabs or name it .csv"),
            ('"a";"b"\n', ",", "its header has one column, '\"a\";\"b\"': is the delimiter ';'? save it with commas"),
            ('"a,b"\n"1,2"', ",", "its header has one column, 'a,b': quote each field alone, not the whole line"),
            (
                f"{'x' * 200};b",
                ",",
                f"its header has one column, '{'x' * 119}…': is the delimiter ';'? save it with commas",
            ),
            ("a,b,a", ",", "has the column 'a' 2 times: give each column a name of its own"),
            ("a,,", ",", "has a column without a name 2 times: give each column a name of its own"),
            (
                f"{'x' * 200},{'x' * 200}",
                ",",
                f"has the column '{'x' * 119}…' 2 times: give each column a name of its own",
            ),
            ("\na,b\n1,2", ",", "its first line names no columns: write their names there"),
            ("  \na,b\n1,2", ",", "its first line names no columns: write their names there"),
            (",, \n", ",", "its first line names no columns: write their names there"),
            (b"a,\xe9\n", ",", "its header is not UTF-8: save the file as UTF-8"),
            (
                '"a"x,b\n',
                ",",
                "its header cannot be read: is not CSV: ',' expected after '\"' (a quote inside a quoted field is "
                "written twice)",
            ),
            (
                '"a\n1,2\n',
                ",",
                "its header cannot be read: a quoted field is not closed: it takes in everything to the file's end on "
                "line 2",
            ),
        ],
    )
    def test_headers_that_cannot_be(self, content: str | bytes, delimiter: str, expected: str) -> None:
        assert objection(content, delimiter) == f"a.csv:1: {expected}"

    def test_one_column_is_allowed(self) -> None:
        assert table('text\n"1,2"\n""\n') == [(2, {"text": "1,2"}), (3, {"text": ""})]

    def test_a_column_without_name_is_allowed(self) -> None:
        assert table(",a\n0,1\n") == [(2, {"": "0", "a": "1"})]

    @pytest.mark.parametrize("again", [b'x","x\n', b"x"])
    def test_a_record_without_end(self, monkeypatch: pytest.MonkeyPatch, again: bytes) -> None:
        monkeypatch.setattr(csvtext, "_LONGEST_RECORD", 100_000)
        endless = Endless(b'a,b\n1,2\n3,"', again.replace(b'"', b'""'), 1_000_000)
        rows = read_csv(io.BufferedReader(endless), "a.csv", delimiter=",")
        assert next(rows) == (2, {"a": "1", "b": "2"})
        with pytest.raises(DataError) as caught:
            next(rows)
        assert str(caught.value) == (
            "a.csv:3: a record is longer than 100,000 characters: is a quote missing near its beginning?"
        )
        assert endless.left > 500_000

    def test_a_long_field(self) -> None:
        long = "x" * 1_000_000
        assert table(f"a,b\n{long},2\n") == [(2, {"a": long, "b": "2"})]

    def test_memory_does_not_grow_with_the_file(self) -> None:
        stream = io.BufferedReader(Endless(b"a,b\n", b"1," + b"x" * 998 + b"\n", 5_000_000))
        tracemalloc.start()
        count = sum(1 for _ in read_csv(stream, "a.csv", delimiter=","))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count > 4_900 and peak < 1_000_000

    def test_the_stream_stays_open(self) -> None:
        stream = io.BytesIO(b"a,b\n1,2\n")
        assert len(list(read_csv(stream, "a.csv", delimiter=","))) == 1
        next(read_csv(io.BytesIO(b"a,b\n1,2\n"), "a.csv", delimiter=",")) and stream.seek(0)
        assert stream.read() == b"a,b\n1,2\n"

    def test_the_stream_may_be_closed_before_the_rows_are_given_up(self) -> None:
        stream = io.BytesIO(b"a,b\n1,2\n3,4\n")
        rows = read_csv(stream, "a.csv", delimiter=",")
        next(rows)
        stream.close()
        rows.close()  # type: ignore[attr-defined]


def parquet_bytes(columns: Any, **options: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), sink, **options)
    return sink.getvalue()


def parquet_rows(content: bytes) -> list[Found]:
    return told(read_parquet(io.BytesIO(content), "a.parquet"))


def texts(*values: bytes) -> pa.Array:
    """Returns a column of texts whose bytes nobody has checked."""
    return pa.Array.from_buffers(pa.string(), len(values), pa.array(values, pa.binary()).buffers())


class TestParquet:
    @pytest.mark.parametrize(
        ("column", "expected"),
        [
            (["a", "ü", "", None], ["a", "ü", "", None]),
            ([1, -(2**60), None], [1, -(2**60), None]),
            ([1.5, None], [1.5, None]),
            ([True, None], [True, None]),
            (pa.nulls(1), [None]),
            ([[1, None], [], None], [[1, None], [], None]),
            ([{"a": [{"b": "c"}]}, None], [{"a": [{"b": "c"}]}, None]),
            (
                pa.array([[("a", 1)], [("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64())),
                [{"a": 1}, [["a", 1], ["a", 2]]],
            ),
            ([datetime.date(2024, 2, 29)], ["2024-02-29"]),
            ([datetime.datetime(2024, 2, 29, 1, 2, 3, 4)], ["2024-02-29T01:02:03.000004"]),  # noqa: DTZ001
            (pa.array([1], pa.timestamp("ns", "UTC")), ["1970-01-01T00:00:00.000000001+00:00"]),
            ([datetime.time(1, 2)], ["01:02:00"]),
            ([datetime.timedelta(days=1, seconds=2)], ["1 day, 0:00:02"]),
            ([decimal.Decimal("1.50"), decimal.Decimal("1E+5")], ["1.50", "100000.00"]),
            ([decimal.Decimal("0.0000001")], ["0.0000001"]),
            ([b"a\xc3\xbc"], ["aü"]),
            (pa.array(["x", "y", "x"]).dictionary_encode(), ["x", "y", "x"]),
        ],
        ids=str,
    )
    def test_values(self, column: Any, expected: list[Any]) -> None:
        found = parquet_rows(parquet_bytes({"column": column}))
        assert found == [(number, {"column": value}) for number, value in enumerate(expected, 1)]

    @given(st.lists(st.fixed_dictionaries({"a": CELLS, "b": st.none() | st.lists(CELLS, max_size=3)}), max_size=250))
    @settings(deadline=None, max_examples=25)
    def test_every_row_comes_back(self, rows: list[dict[str, Any]]) -> None:
        schema = pa.schema([("a", pa.string()), ("b", pa.list_(pa.string()))])
        content = parquet_bytes(pa.Table.from_pylist(rows, schema), row_group_size=70)
        assert parquet_rows(content) == list(enumerate(rows, 1))

    def test_bytes_that_are_not_utf8(self) -> None:
        content = parquet_bytes(
            {
                "a": texts(b"1", b"\xff", b"3", b"4", b"5"),
                "b": [b"x", b"y", b"\xe9", b"y", b"z"],
                "c": [[texts(b"\xff")[0]]] * 5,
            }
            | {"c": pa.ListArray.from_arrays([0, 0, 0, 0, 1, 1], texts(b"\xff"))}
        )
        assert parquet_rows(content) == [
            (1, {"a": "1", "b": "x", "c": []}),
            (2, "encoding", "the column 'a' holds bytes that are not UTF-8"),
            (3, "encoding", "the column 'b' holds bytes that are not UTF-8"),
            (4, "encoding", "the column 'c' holds bytes that are not UTF-8"),
            (5, {"a": "5", "b": "z", "c": []}),
        ]

    def test_a_date_beyond_the_calendar(self) -> None:
        content = parquet_bytes({"when": pa.array([0, 400_000_000_000_000], pa.timestamp("ms"))})
        assert parquet_rows(content) == [
            (1, {"when": "1970-01-01T00:00:00"}),
            (2, "columns", "the column 'when' holds a date or time that cannot be read"),
        ]

    def test_two_columns_of_one_name(self) -> None:
        content = parquet_bytes(pa.table([[1], [2], [3]], names=["a", "b", "a"]))
        with pytest.raises(DataError) as caught:
            parquet_rows(content)
        assert str(caught.value) == "a.parquet: has the column 'a' more than once: give each column a name of its own"

    @pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n" * 9, parquet_bytes({"a": ["x"]})[:-9], b"PAR1" * 9])
    def test_no_parquet_file(self, content: bytes) -> None:
        with pytest.raises(DataError) as caught:
            parquet_rows(content)
        assert str(caught.value).startswith("a.parquet: is no intact Parquet file: write it again (")
        assert "\n" not in str(caught.value)

    def test_damage_in_the_middle(self) -> None:
        # Random characters do not compress, so the damage meets a page of the second half.
        content = bytearray(parquet_bytes({"a": [os.urandom(500).hex() for _ in range(1000)]}, row_group_size=500))
        content[600_000:650_000] = bytes(50_000)
        found = read_parquet(io.BytesIO(content), "a.parquet")
        with pytest.raises(DataError) as caught:
            assert len([next(found) for _ in range(1001)]) < 1001
        where, _, what = str(caught.value).partition(": ")
        assert 500 < int(where.removeprefix("a.parquet:")) <= 1000
        assert what.startswith("is no intact Parquet file: write it again (")

    def test_paths_and_streams_of_every_kind(self, tmp_path: Path) -> None:
        content = parquet_bytes({"a": ["x", "y"]})
        (tmp_path / "a.parquet").write_bytes(content)
        expected = [(1, {"a": "x"}), (2, {"a": "y"})]
        assert told(read_parquet(tmp_path / "a.parquet", "a")) == expected
        assert told(read_parquet(str(tmp_path / "a.parquet"), "a")) == expected
        assert told(read_parquet(self.one_way(content), "a")) == expected
        with gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(content))) as unpacked:
            assert told(read_parquet(unpacked, "a")) == expected  # type: ignore[arg-type]
        with pytest.raises(UserError, match="there is no such file"):
            next(read_parquet(tmp_path / "b.parquet", "b"))

    @staticmethod
    def one_way(content: bytes) -> BinaryIO:
        return io.BufferedReader(Endless(content, b"", len(content)))

    def test_no_space_for_a_copy(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(shutil, "copyfileobj", full)
        with pytest.raises(UserError) as caught:
            next(read_parquet(self.one_way(b""), "a.parquet"))
        assert str(caught.value) == (
            f"a.parquet: could not be copied to {tmp_path}: No space left on device: set TMPDIR to a folder with space"
        )

    def test_memory_does_not_grow_with_a_row_group(self, tmp_path: Path) -> None:
        text = [f"{number:09}" * 600 for number in range(10_000)]
        (tmp_path / "a.parquet").write_bytes(parquet_bytes({"a": text}, compression="NONE", use_dictionary=False))
        del text
        tracemalloc.start()
        before, most = pa.total_allocated_bytes(), 0
        for number, _ in read_parquet(tmp_path / "a.parquet", "a"):
            if number % 50 == 0:
                most = max(most, pa.total_allocated_bytes() - before)
        most += tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (tmp_path / "a.parquet").stat().st_size > 50 << 20 and most < 20 << 20
