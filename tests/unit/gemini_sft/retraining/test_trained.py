"""What a model was made of, kept."""

from pathlib import Path

import pytest

from gemini_sft.retraining.trained import Trained, find, find_ids, keep

MADE = Trained(data="d" * 32, start="gemini-2.5-flash", settings={"tuning.epochs": None})


def test_it_is_found_again_whatever_the_order(tmp_path: Path) -> None:
    folder = str(tmp_path)
    keep(folder, "i0", MADE, ["b", "a", "a-2"])
    content = (tmp_path / f"{MADE.data}.ids.gz").read_bytes()
    assert find(folder, "i0") == MADE and find_ids(folder, MADE.data) == frozenset({"a", "a-2", "b"})
    keep(folder, "i0", MADE, ["a-2", "b", "a"])
    assert (tmp_path / f"{MADE.data}.ids.gz").read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"{}", b"no", b"\x1f\x8b\x08\x00broken"])
def test_what_cannot_be_read_is_not_known(tmp_path: Path, content: bytes) -> None:
    assert find(str(tmp_path), "i0") is None and find_ids(str(tmp_path), "d0") is None
    (tmp_path / "i0.json").write_bytes(content)
    (tmp_path / "d0.ids.gz").write_bytes(content)
    assert find(str(tmp_path), "i0") is None
    assert not find_ids(str(tmp_path), "d0")
