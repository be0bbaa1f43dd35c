from pathlib import Path
from typing import Any

import pytest

from gemini_sft.data.example import turn
from gemini_sft.errors import DataError
from gemini_sft.inference.few_shot import draw_shots, with_shots
from tests.unit.gemini_sft.cost.conftest import record, write_split
from tests.unit.gemini_sft.inference.fake_gemini import examples

PICTURE = {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}}


def drawn(folder: Path, train: list[dict[str, Any]], count: int, seed: int = 0) -> list[str]:
    """The prompts of what is drawn; test asks "asked?"."""
    test = write_split(folder / "test", [record("asked?", "x")])
    shots = draw_shots(write_split(folder / "train", train), test, count, seed)
    return [one[0]["parts"][0]["text"] for one in shots]


def test_the_seed_says_which_are_drawn(tmp_path: Path) -> None:
    train = [record(f"q{number}", "a") for number in range(30)]
    first = drawn(tmp_path, train, 4)
    assert len(set(first)) == 4 and first == drawn(tmp_path, train, 4) != drawn(tmp_path, train, 4, seed=1)


@pytest.mark.parametrize(
    "leak",
    [
        record("asked?", "told"),
        record("  ASKED?\n", "told"),
        {"contents": [turn("user", "asked?"), turn("model", "told"), turn("user", "more"), turn("model", "b")]},
    ],
    ids=["same", "almost the same", "earlier in a conversation"],
)
def test_what_test_asks_is_never_shown(tmp_path: Path, leak: dict[str, Any]) -> None:
    train = [leak, record("other", "a"), leak, record("asked", "a")]
    for seed in range(10):
        assert sorted(drawn(tmp_path, train, 2, seed)) == ["asked", "other"]


@pytest.mark.parametrize(
    "unfit",
    [
        {"contents": [{"role": "user", "parts": [{"text": "see"}, PICTURE]}, turn("model", "a")]},
        record("use it", "a") | {"tools": [{"functionDeclarations": [{"name": "f"}]}]},
    ],
    ids=["file", "tools"],
)
def test_only_texts_are_shown(tmp_path: Path, unfit: dict[str, Any]) -> None:
    assert drawn(tmp_path, [unfit, record("fine", "a"), unfit], 1) == ["fine"]


def test_too_few_are_refused_not_shown(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        drawn(tmp_path, [record("asked?", "a"), record("one", "a"), record("two", "a")], 3)
    assert str(caught.value).endswith(
        "evaluation.few_shot: asks for 3 examples, and train has 2 that can be shown (of text alone, and with prompts"
        " that do not stand in test): ask for fewer"
    )


def test_a_conversation_is_shown_whole(tmp_path: Path) -> None:
    contents = [turn("user", "hi"), turn("model", "hello"), turn("user", "how?"), turn("model", "so")]
    test = write_split(tmp_path / "test", [record("asked?", "x")])
    shots = draw_shots(write_split(tmp_path / "train", [{"contents": contents}]), test, 1, 0)
    (one,) = examples(1)
    shown = with_shots(one, shots)
    assert shown.system_instruction == "Here are some examples:\n\nhi\nhello\nhow?\nAnswer: so"
    assert (shown.prompt, shown.id) == (one.prompt, one.id) and one.system_instruction is None
