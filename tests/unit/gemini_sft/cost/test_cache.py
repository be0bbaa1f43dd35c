import json
import logging
from pathlib import Path

import pytest

from gemini_sft.cost.cache import TokenCache, cache_key

BODY = {"contents": [{"role": "user", "parts": [{"text": "a secret"}]}]}


def test_a_key_is_of_model_and_content_alone() -> None:
    shuffled = {"contents": [{"parts": [{"text": "a secret"}], "role": "user"}]}
    assert cache_key("m", BODY) == cache_key("m", shuffled)
    assert cache_key("m", BODY) != cache_key("n", BODY)
    assert cache_key("m", BODY) != cache_key("m", BODY | {"systemInstruction": {"parts": [{"text": "x"}]}})
    assert cache_key("m", BODY).startswith("m:") and "secret" not in cache_key("m", BODY)


def test_what_was_saved_is_known_the_next_time(tmp_path: Path) -> None:
    uri = str(tmp_path / "new" / "m.json")
    first = TokenCache(uri)
    first.add("m:1", 7)
    assert first["m:1"] == 7 and not Path(uri).exists()
    first.save()
    second = TokenCache(uri)
    assert "m:1" in second and second["m:1"] == 7 and "m:2" not in second


def test_two_runs_at_once_lose_nothing(tmp_path: Path) -> None:
    uri = str(tmp_path / "m.json")
    one, other = TokenCache(uri), TokenCache(uri)
    one.add("m:1", 1)
    other.add("m:2", 2)
    one.save()
    other.save()
    assert json.loads(Path(uri).read_text()) == {"m:1": 1, "m:2": 2}


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    TokenCache(str(file)).save()
    assert not file.exists()
    cache = TokenCache(str(file))
    cache.add("m:1", 1)
    cache.save()
    file.unlink()
    cache.save()
    assert not file.exists()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"x"', b'{"m:1": "7"}', b'{"m:1": true}', b'{"m:1": -1}', b'{"m:1": 1.5}', b"\xff"]
)
def test_a_broken_file_is_as_good_as_none_and_is_replaced(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "m.json"
    file.write_bytes(content)
    cache = TokenCache(str(file))
    assert "m:1" not in cache
    cache.add("m:2", 2)
    cache.save()
    assert json.loads(file.read_text()) == {"m:2": 2}


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    cache = TokenCache(str(tmp_path / "file" / "m.json"))
    cache.add("m:1", 1)
    with caplog.at_level(logging.WARNING):
        cache.save()
    assert "not kept for the next run" in caplog.text and cache["m:1"] == 1
