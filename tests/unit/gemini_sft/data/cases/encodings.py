"""Files as bytes: encodings, line ends, compression."""

import gzip
import zlib

from tests.unit.gemini_sft.data.cases.case import GOOD, NO_TRAIN, Case, case, jsonl, pair

_UTF16 = ("encoding", 1, "is UTF-16, not UTF-8")
_MARK = ("byte_order_mark", 1, "begins with a byte order mark, which is skipped")
_NUL = "holds NUL bytes: the file is UTF-16, or damaged"
_RETURN = "ends in CR LF, of which the CR is skipped"
_LATIN = b'{"prompt": "Caf\xe9", "completion": "yes"}'
_LONG = pair("This is a long question. " * 10)
_PACKED = gzip.compress(jsonl(GOOD), mtime=0)
_CRC = hex(zlib.crc32(jsonl(GOOD)))

ENCODINGS: list[Case] = [
    case("an empty file", b"", NO_TRAIN),
    case("nothing but blank lines", b"\n  \n\t\n", NO_TRAIN),
    case("a byte order mark", b"\xef\xbb\xbf" + jsonl(GOOD), _MARK),
    case("nothing but a byte order mark", b"\xef\xbb\xbf", _MARK, NO_TRAIN),
    case(
        "a byte order mark where files were joined",
        jsonl(GOOD) + b"\xef\xbb\xbf" + jsonl(pair("Another?")),
        ("json", 2, "is not JSON: a byte order mark stands in it, as where files were joined"),
    ),
    case("lines that end in CR LF", jsonl(GOOD).replace(b"\n", b"\r\n"), ("line_ending", 1, _RETURN)),
    case(
        "lines that end in CR LF from the third on", jsonl(GOOD, pair("b")) + b"\r\n\r\n", ("line_ending", 3, _RETURN)
    ),
    case(
        "a byte order mark and lines that end in CR LF",
        b"\xef\xbb\xbf" + jsonl(GOOD).replace(b"\n", b"\r\n"),
        _MARK,
        ("line_ending", 1, _RETURN),
    ),
    case(
        "lines that end in CR alone",
        jsonl(GOOD, pair("Another?")).replace(b"\n", b"\r"),
        ("json", 1, "is not JSON: its lines end in CR alone: save it with LF"),
        NO_TRAIN,
    ),
    case("UTF-16 with a mark", jsonl(GOOD).decode().encode("utf-16"), _UTF16, NO_TRAIN),
    case("UTF-16 without a mark", jsonl(GOOD).decode().encode("utf-16-be"), _UTF16, NO_TRAIN),
    case(
        "UTF-16 whose file is to be dropped",
        jsonl(GOOD).decode().encode("utf-16"),
        _UTF16,
        NO_TRAIN,
        data={"policy": {"encoding": "drop"}},
    ),
    case("Latin-1", jsonl(GOOD, _LATIN, pair("b")), ("encoding", 2, "is not UTF-8 (byte 16 of the line)")),
    case(
        "Latin-1 whose line is to be dropped",
        jsonl(GOOD, _LATIN, pair("b")),
        ("encoding", 2, "is not UTF-8 (byte 16 of the line)"),
        data={"policy": {"encoding": "drop"}},
    ),
    case(
        "half of a surrogate pair in UTF-8",
        jsonl(GOOD, b'{"prompt": "\xed\xa0\xbd", "completion": "yes"}'),
        ("encoding", 2, "is not UTF-8 (byte 13 of the line)"),
    ),
    case(
        "a NUL byte far down",
        jsonl(_LONG, b'{"prompt": "a\0b", "completion": "yes"}', pair("b")),
        ("encoding", 2, _NUL),
    ),
    case(
        "a NUL byte on the first line",
        jsonl(b'{"prompt": "a\0b", "completion": "yes"}', GOOD),
        ("encoding", 1, _NUL),
    ),
    case(
        "a name that says gzip",
        jsonl(GOOD),
        file="train.jsonl.gz",
        problems=("train.jsonl.gz: is not compressed with gzip, as its name says: rename it, or fetch it again",),
    ),
    case(
        "gzip that breaks off",
        _PACKED[:-6],
        file="train.jsonl.gz",
        problems=("train.jsonl.gz: breaks off in the middle of its gzip data: fetch it again",),
    ),
    case(
        "gzip whose content does not fit its checksum",
        _PACKED[:-8] + b"\0\0\0\0" + _PACKED[-4:],
        file="train.jsonl.gz",
        problems=(f"train.jsonl.gz: is no intact gzip file: fetch it again (CRC check failed 0x0 != {_CRC})",),
    ),
]
