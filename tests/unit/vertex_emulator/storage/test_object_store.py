"""The object store as the rest of the emulator uses it: URIs, paths, threads."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.storage.preconditions import Preconditions


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    database = Database(tmp_path / "emulator.sqlite")
    store = ObjectStore(tmp_path / "buckets", database)
    store.buckets.insert("test-project", {"name": "bkt"})
    yield store
    database.close()


def _put(store: ObjectStore, name: str, content: bytes = b"x") -> None:
    with store.incoming() as incoming:
        incoming.append(content)
        store.commit(incoming, "bkt", name, {}, Preconditions())


def test_uri_and_path_mean_the_same_object(store: ObjectStore) -> None:
    _put(store, "a/b.txt", b"content")
    path = store.root / "bkt/a/b.txt"
    for uri in ("gs://bkt/a/b.txt", str(path), f"{path.parent}/../a/./b.txt"):
        assert store.exists(uri)
        assert store.path_of(uri) == path
        with store.open(uri) as file:
            assert file.read() == b"content"
    assert store.uri_of(str(path)) == "gs://bkt/a/b.txt"


def test_file_put_directly_can_be_opened_at_once(store: ObjectStore) -> None:
    path = store.root / "bkt/out.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"{}")
    with store.open("gs://bkt/out.json") as file:
        assert file.read() == b"{}"


@pytest.mark.parametrize(
    "uri",
    ["", "x", "gs://", "gs://bkt", "gs://bkt/", "gs://B/x", "gs://../x", "gs://bkt/..", "/etc/passwd", "s3://b/x"],
)
def test_what_is_no_object_uri(store: ObjectStore, uri: str) -> None:
    for call in (store.open, store.exists, store.path_of):
        with pytest.raises(ApiError) as refusal:
            call(uri)
        assert refusal.value.code == 400


@pytest.mark.parametrize("uri", ["gs://bkt/nothing", "gs://no-such-bucket/x", "gs://bkt/../bkt/x", "gs://bkt/a//b"])
def test_what_is_not_there(store: ObjectStore, uri: str) -> None:
    assert not store.exists(uri)
    for call in (store.open, store.path_of):
        with pytest.raises(ApiError) as refusal:
            call(uri)
        assert refusal.value.body()["error"]["status"] == "NOT_FOUND"


def test_uri_of(store: ObjectStore) -> None:
    root = store.root
    assert store.uri_of(f"{root}/bkt/dir/") == "gs://bkt/dir/"
    assert store.uri_of(f"{root}/bkt") == "gs://bkt"
    for other in ("gs://bkt/x", "/etc/passwd", "relative/path", "", str(root), f"{root}/.emulator/incoming/x",
                  f"{root}/bkt/../../x", f"{root}-other/bkt/x", f"{root}/bkt/.emulator/x"):  # fmt: skip
        assert store.uri_of(other) == other


def test_root_behind_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    database = Database(tmp_path / "emulator.sqlite")
    store = ObjectStore(tmp_path / "link", database)
    assert store.root == tmp_path.resolve() / "real"
    assert store.uri_of(f"{tmp_path}/link/bkt/x") == "gs://bkt/x"
    assert store.uri_of(f"{tmp_path}/real/bkt/x") == "gs://bkt/x"
    database.close()


def test_reading_from_another_thread(store: ObjectStore) -> None:
    _put(store, "n")
    _put(store, "n/child", b"child")
    seen: list[bytes] = []

    def read() -> None:
        with store.open("gs://bkt/n/child") as file:
            seen.append(file.read())
        assert store.uri_of(str(store.path_of("gs://bkt/n/child"))) == "gs://bkt/n/child"
        seen.append(b"done")

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert seen == [b"child", b"done"]


def test_natural_place_wins_once_it_is_free(store: ObjectStore) -> None:
    _put(store, "n")
    _put(store, "n/child", b"1")
    assert ".emulator" in store.path_of("gs://bkt/n/child").parts
    store.delete(store.live("bkt", "n"))
    _put(store, "n/child", b"2")
    assert store.path_of("gs://bkt/n/child") == store.root / "bkt/n/child"
    assert list(store.names("bkt")) == ["n/child"]
    assert list((store.root / "bkt/.emulator").iterdir()) == []


def test_generations_grow_even_if_the_clock_stands(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vertex_emulator.storage.objects.time.time_ns", lambda: 5_000)
    generations = []
    for _ in range(3):
        _put(store, "x")
        generations.append(store.live("bkt", "x").generation)
    assert generations == [5, 6, 7]


def test_checksums_of_a_replaced_object_are_dropped(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    (store.root / "bkt").mkdir()
    (store.root / "bkt/x").write_bytes(b"found")
    found = store.live("bkt", "x")

    async def slowly(compute: Callable[..., Any], *arguments: Any) -> Any:
        result = compute(*arguments)
        _put(store, "x", b"new")
        return result

    monkeypatch.setattr("vertex_emulator.storage.objects.run_in_threadpool", slowly)
    asyncio.run(store.hashed([found]))
    live = store.live("bkt", "x")
    assert live.generation > found.generation
    assert live.crc32c != found.crc32c != ""


_SEGMENT = st.sampled_from(["a", "a.b", "a0", "b", "", ".", "..", "ü", "-", "a" * 256])
_NAME = st.lists(_SEGMENT, min_size=1, max_size=3).map("/".join).filter(lambda name: name not in ("", ".", ".."))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(_NAME, max_size=8), prefix=st.sampled_from(["", "a", "a/", "a/a", "b", "/"]), start=_NAME)
def test_names_are_sorted_whatever_lies_where(store: ObjectStore, names: set[str], prefix: str, start: str) -> None:
    for name in names:
        _put(store, name, name.encode())
    assert list(store.names("bkt")) == sorted(names)
    expected = sorted(name for name in names if name.startswith(prefix) and name >= start)
    assert list(store.names("bkt", prefix, start)) == expected
    for name in names:
        assert store.path_of(f"gs://bkt/{name}").read_bytes() == name.encode()
        store.delete(store.live("bkt", name))
    assert list(store.names("bkt")) == []
