import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.data import read_examples, read_split, write_split
from gemini_sft.data.dataset import examples_uri

TEXT = st.text(min_size=1).map(lambda text: f"{text}.") | st.sampled_from(["a\u2028b", 'say "x"', "c\r\nd", "🍕\x85"])
CONVERSATIONS = st.lists(
    st.tuples(st.none() | TEXT, st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3)), min_size=1, max_size=6
)


def as_messages(system: str | None, exchanges: list[tuple[str, str]]) -> dict[str, Any]:
    turns = [] if system is None else [{"role": "system", "content": system}]
    for question, answer in exchanges:
        turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": turns}


@given(CONVERSATIONS, st.booleans(), st.sampled_from(["\n", "\r\n", "\n\n"]), st.booleans())
@settings(deadline=None, max_examples=30)
def test_conversations_go_through_unchanged(
    tmp_path_factory: pytest.TempPathFactory,
    conversations: list[tuple[str | None, list[tuple[str, str]]]],
    escaped: bool,
    end: str,
    mark: bool,
) -> None:
    folder = tmp_path_factory.mktemp("dataset")
    lines = [json.dumps(as_messages(*one), ensure_ascii=escaped) for one in conversations]
    (folder / "x.jsonl").write_bytes((end.join(lines) + end).encode("utf-8-sig" if mark else "utf-8"))

    examples = read_examples(str(folder / "x.jsonl"), None)
    assert [one.system_instruction for one in examples] == [system for system, _ in conversations]
    for example, (_, exchanges) in zip(examples, conversations, strict=True):
        texts = [part["text"] for turn in example.contents for part in turn["parts"]]
        assert texts == [text for exchange in exchanges for text in exchange]
        assert [turn["role"] for turn in example.contents] == ["user", "model"] * len(exchanges)
    step = end.count("\n")
    assert [one.line for one in examples] == [1 + step * position for position in range(len(lines))]

    write_split(str(folder / "split"), examples)
    assert read_split(str(folder / "split")) == examples


def test_gemini_is_given_the_record_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps(as_messages("S", [("Q", "A")])))
    write_split(str(tmp_path / "split"), read_examples(str(tmp_path / "x.jsonl"), None, name="x.jsonl"))
    (line,) = Path(examples_uri(str(tmp_path / "split"))).read_text().splitlines()
    assert json.loads(line) == {
        "systemInstruction": {"parts": [{"text": "S"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Q"}]},
            {"role": "model", "parts": [{"text": "A"}]},
        ],
    }


def test_an_empty_split_is_a_split(tmp_path: Path) -> None:
    write_split(str(tmp_path), [])
    assert read_split(str(tmp_path)) == []


def test_a_split_whose_files_differ_in_length_is_not_read_by_halves(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps(as_messages(None, [("Q", "A")])))
    write_split(str(tmp_path / "split"), read_examples(str(tmp_path / "x.jsonl"), None))
    (tmp_path / "split" / "sources.jsonl").write_text("")
    with pytest.raises(ValueError, match="shorter"):
        read_split(str(tmp_path / "split"))
