"""How times, states, texts and the contents of objects are told."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertex_emulator.database import Database
from vertex_emulator.pages.artifacts import shown
from vertex_emulator.pages.content import MOST_BYTES, content_of, markdown
from vertex_emulator.pages.telling import duration, moment, seconds_between, size, state_of, value, visible
from vertex_emulator.storage.objects import ObjectStore


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, ""), (0, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"),
     (9000, "2 h 30 min")],
)  # fmt: skip
def test_lengths_of_time(seconds: float | None, told: str) -> None:
    assert duration(seconds) == told


def test_times_are_those_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert moment("2026-01-01T23:00:00.123456Z") == "2026-01-02 08:00:00"
        assert moment("") == moment(None) == ""
    finally:
        monkeypatch.undo()
        time.tzset()
    assert seconds_between("2026-01-01T00:00:00Z", "2026-01-01T00:00:01.500Z") == 1.5
    assert seconds_between("2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z") == 0.0
    assert seconds_between(None, None) is None
    assert (seconds_between("2026-01-01T00:00:00Z", None) or 0) > 0


def test_states_sizes_and_values() -> None:
    assert [state_of(state).word for state in ("PIPELINE_STATE_SUCCEEDED", "JOB_STATE_FAILED", "NOT_TRIGGERED")] == [
        "succeeded", "failed", "not triggered",
    ]  # fmt: skip
    assert state_of("NEVER_HEARD_OF").tone == "quiet"
    assert [size(count) for count in (999, 1000, 23_456, 5_000_000, 3_000_000_000)] == [
        "999 bytes", "1 KB", "23.5 KB", "5 MB", "3 GB",
    ]  # fmt: skip
    assert [value(one) for one in (1 / 3, 3, True, "x", {"b": [1], "a": "é"}, None)] == [
        "0.333333", "3", "true", "x", '{"a": "é", "b": [1]}', "null",
    ]  # fmt: skip


UNSEEN = [*map(chr, range(9)), "\r", "\x1b", "\u202e", "\u2066", "\u2069", "\ud800", "\x85"]


@given(st.text(st.sampled_from([*UNSEEN, "\n", "a"])))
def test_nothing_unseen_is_left_of_a_text(text: str) -> None:
    assert not set(visible(text)) & set(UNSEEN)


@pytest.mark.parametrize("text", ["", "\n", "[only]: /a-reference"])
def test_markdown_of_nothing_is_nothing(text: str) -> None:
    assert markdown(text) == ""


@given(st.text(st.sampled_from("<>&\"'`[](){}!#|-*_\n ajscript:htp/")))
def test_markdown_is_never_markup_of_its_own(text: str) -> None:
    html = markdown(f"{text}\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1))")
    assert "<script" not in html and "<img" not in html and 'href="javascript:' not in html and "<h1" not in html


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    database = Database(tmp_path / "vertex.db")
    store = ObjectStore(tmp_path / "storage", database)
    store.buckets.insert("local-project", {"name": "a-bucket"})
    (store.root / "a-bucket").mkdir()
    return store


def put(objects: ObjectStore, name: str, content: bytes) -> str:
    (objects.root / "a-bucket" / name).write_bytes(content)
    return f"gs://a-bucket/{name}"


def test_the_beginning_of_an_object_is_shown_whole(objects: ObjectStore) -> None:
    rows = "".join(json.dumps({"text": "ä" * 40, "row": number}) + "\n" for number in range(9000)).encode()
    seen = content_of(objects, put(objects, "rows", rows))
    assert (seen.kind, seen.cut, seen.size) == ("text", True, len(rows))
    assert seen.text.startswith('{\n  "text": "ää')
    assert "\ufffd" not in content_of(objects, put(objects, "letters", b"a" + "é".encode() * MOST_BYTES)).text
    assert content_of(objects, put(objects, "broken", b'{"a": 1}\n{oops')).text == '{"a": 1}\n{oops'
    assert content_of(objects, put(objects, "deep", b"[" * 5000)).text == "[" * 5000
    nested = b"[" * 400 + b"]" * 400
    assert len(content_of(objects, put(objects, "nests", b"\n".join([nested] * 200))).text) < 200_000
    odd = '{"a": "x\u2028y"}'
    assert content_of(objects, put(objects, "odd", f"{odd}\n{odd}".encode())).text.count("\n") == 5
    assert content_of(objects, put(objects, "latin", b"caf\xe9!!!!")).kind == "binary"
    assert content_of(objects, put(objects, "empty", b"")).text == ""


@pytest.mark.parametrize(
    "uri", ["", "gs://", "gs://a-bucket/none", "gs://no-bucket/x", "/etc/passwd", "gs://a-bucket/../x"]
)
def test_what_is_not_there_is_absent(objects: ObjectStore, uri: str) -> None:
    assert content_of(objects, uri).kind == "absent"


@pytest.mark.parametrize(
    "matrix",
    [None, 3, {}, {"annotationSpecs": [{"displayName": "a"}], "rows": []}, {"annotationSpecs": [], "rows": []},
     {"annotationSpecs": [{"displayName": "a"}], "rows": [{"row": ["x"]}]}],
)  # fmt: skip
def test_metrics_of_another_shape_are_not_drawn(objects: ObjectStore, matrix: object) -> None:
    metadata = {"confusionMatrix": matrix, "confidenceMetrics": [{"recall": "x"}], "else": 1}
    seen = shown(objects, "m", {"schemaTitle": "system.ClassificationMetrics", "metadata": metadata})
    assert (seen.confusion, seen.roc, seen.metadata) == (None, "", {"else": 1})
