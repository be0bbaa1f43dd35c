import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.data import Example, read_examples
from gemini_sft.errors import DataError, UserError


def read(folder: Path, content: str | bytes, *, suffix: str = "jsonl", system: str | None = None) -> list[Example]:
    file = folder / f"data.{suffix}"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_examples(str(file), system, name=f"data.{suffix}")


def problems(folder: Path, content: str | bytes, *, suffix: str = "jsonl") -> list[str]:
    with pytest.raises(DataError) as caught:
        read(folder, content, suffix=suffix)
    return [str(problem) for problem in caught.value.problems]


def messages(*contents: str, roles: tuple[str, ...] = ("user", "assistant")) -> dict[str, Any]:
    return {
        "messages": [
            {"role": roles[position % len(roles)], "content": content} for position, content in enumerate(contents)
        ]
    }


def content(role: str, *texts: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text} for text in texts]}


GOOD = json.dumps(messages("Say hi.", "Hi."))


class TestMessages:
    def test_a_conversation(self, tmp_path: Path) -> None:
        record = messages("Be kind.", "Hi?", "Hi!", "Bye?", "Bye!", roles=("user", "assistant"))
        for position, role in enumerate(["system", "user", "assistant", "user", "model"]):
            record["messages"][position]["role"] = role
        (example,) = read(tmp_path, json.dumps(record))
        assert example.system_instruction == "Be kind."
        assert example.prompt == [content("user", "Hi?"), content("model", "Hi!"), content("user", "Bye?")]
        assert (example.prompt_text, example.target) == ("Hi?\n\nHi!\n\nBye?", "Bye!")
        assert (example.source, example.line) == ("data.jsonl", 1)
        assert example.record == {
            "systemInstruction": {"parts": [{"text": "Be kind."}]},
            "contents": [*example.prompt, content("model", "Bye!")],
        }

    @pytest.mark.parametrize(("own", "expected"), [(None, "Experiment's."), ("Its own.", "Its own.")])
    def test_the_experiments_instruction_stands_in_for_a_missing_one(
        self, tmp_path: Path, own: str | None, expected: str
    ) -> None:
        record = messages("Hi?", "Hi!")
        if own:
            record["messages"].insert(0, {"role": "system", "content": own})
        (example,) = read(tmp_path, json.dumps(record), system="Experiment's.")
        assert example.system_instruction == expected

    def test_without_any_instruction_the_record_has_none(self, tmp_path: Path) -> None:
        (example,) = read(tmp_path, GOOD)
        assert example.system_instruction is None and example.record.keys() == {"contents"}


class TestContents:
    @pytest.mark.parametrize("key", ["systemInstruction", "system_instruction"])
    def test_geminis_own_format(self, tmp_path: Path, key: str) -> None:
        record = {
            key: content("system", "Be ", "kind."),
            "contents": [content("user", "Hi", "?"), content("model", "Hi!")],
        }
        (example,) = read(tmp_path, json.dumps(record), system="Experiment's.")
        assert (example.system_instruction, example.prompt_text, example.target) == ("Be kind.", "Hi?", "Hi!")
        assert example.contents == tuple(record["contents"])


class TestFileForms:
    def test_byte_order_mark_windows_ends_and_blank_lines(self, tmp_path: Path) -> None:
        examples = read(tmp_path, b"\xef\xbb\xbf\r\n" + f"{GOOD}\r\n\r\n  \r\n{GOOD}".encode())
        assert [(one.target, one.line) for one in examples] == [("Hi.", 2), ("Hi.", 5)]

    @pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
    def test_only_a_line_feed_ends_a_line(self, tmp_path: Path, separator: str) -> None:
        text = f"one{separator}two"
        line = json.dumps(messages(text, text), ensure_ascii=ord(separator) < 32)
        examples = read(tmp_path, f"{line}\n{GOOD}")
        assert [(one.target, one.line) for one in examples] == [(text, 1), ("Hi.", 2)]

    def test_the_suffix_may_be_upper_case(self, tmp_path: Path) -> None:
        assert len(read(tmp_path, GOOD, suffix="JSONL")) == 1

    @pytest.mark.parametrize("suffix", ["json", "txt", "jsonl.gz"])
    def test_another_suffix(self, tmp_path: Path, suffix: str) -> None:
        assert problems(tmp_path, GOOD, suffix=suffix) == [f"data.{suffix}: must end in .jsonl or .csv"]

    @pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
    @pytest.mark.parametrize("suffix", ["jsonl", "csv"])
    def test_an_empty_file(self, tmp_path: Path, content: bytes, suffix: str) -> None:
        assert problems(tmp_path, content, suffix=suffix) == [f"data.{suffix}: is empty: expected one example a line"]

    def test_not_utf_8(self, tmp_path: Path) -> None:
        start = f"{GOOD}\n".encode()
        found = problems(tmp_path, start + "é".encode("latin-1"))
        assert found == [f"data.jsonl:2: is not UTF-8 (byte {len(start)}): save the file as UTF-8"]

    def test_a_missing_file_and_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "folder.jsonl").mkdir()
        for name, what in (("none.csv", "there is no such file"), ("folder.jsonl", "is a directory, not a file")):
            with pytest.raises(UserError) as caught:
                read_examples(str(tmp_path / name), None)
            assert str(caught.value) == f"{tmp_path / name}: {what}"

    def test_a_file_without_another_name_is_called_by_its_uri(self, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text(GOOD)
        (example,) = read_examples(str(tmp_path / "a.jsonl"), None)
        assert example.source == str(tmp_path / "a.jsonl")


FAULTS: list[tuple[Any, str]] = [
    (5, "must be a JSON object"),
    ([], "must be a JSON object"),
    ({}, 'has neither "messages" nor "contents"'),
    ({"input": "a", "output": "b"}, 'has neither "messages" nor "contents"'),
    ({"input": 5, "output": "b"}, 'has neither "messages" nor "contents"'),
    ({"messages": "Hi"}, '"messages" must be a list'),
    ({"messages": []}, "must begin with a turn of the user and end with the model's answer"),
    ({"messages": ["Hi"]}, 'message 1 must be an object with "role" and a text "content"'),
    ({"messages": [{"role": "user"}]}, 'message 1 must be an object with "role" and a text "content"'),
    (
        {"messages": [{"role": "user", "content": "a"}, {"role": "model", "content": 5}]},
        'message 2 must be an object with "role" and a text "content"',
    ),
    (
        {"messages": [{"role": "human", "content": "a"}]},
        "message 1 has the role 'human': expected user or assistant, or first system",
    ),
    (
        {"messages": [{"role": ["user"], "content": "a"}]},
        "message 1 has the role ['user']: expected user or assistant, or first system",
    ),
    (
        {"messages": [{"content": "a"}]},
        "message 1 has the role None: expected user or assistant, or first system",
    ),
    (
        messages("a", "b", roles=("user", "system")),
        "message 2 has the role 'system': expected user or assistant, or first system",
    ),
    (messages("a"), "must begin with a turn of the user and end with the model's answer"),
    (messages("a", "b", "c"), "must begin with a turn of the user and end with the model's answer"),
    (
        messages("a", "b", roles=("assistant", "user")),
        "must begin with a turn of the user and end with the model's answer",
    ),
    (
        messages("a", "b", "c", roles=("user", "user", "model")),
        "turns 1 and 2 are both the user's: they must alternate",
    ),
    (
        messages("a", "b", "c", roles=("user", "model", "model")),
        "turns 2 and 3 are both the model's: they must alternate",
    ),
    (messages(" \n", "b"), "turn 1 (the user's) is empty"),
    (messages("a", ""), "turn 2 (the model's) is empty"),
    ({"contents": {}}, '"contents" must be a list'),
    ({"contents": [], "labels": 1, "generation": 2}, "has the unknown key 'generation'"),
    ({"contents": ["Hi"]}, "turn 1 has the role None: expected user or model"),
    (
        {"contents": [content("user", "a"), content("assistant", "b")]},
        "turn 2 has the role 'assistant': expected user or model",
    ),
    ({"contents": [{"role": "user"}]}, 'turn 1 must have "parts"'),
    ({"contents": [{"role": "user", "parts": []}]}, 'turn 1 must have "parts"'),
    ({"contents": [{"role": "user", "parts": "Hi"}]}, 'turn 1 must have "parts"'),
    (
        {"contents": [{"role": "user", "parts": [{"fileData": {}}]}]},
        'turn 1 has a part that is not {"text": ...}',
    ),
    ({"contents": [{"role": "user", "parts": [{"text": 5}]}]}, 'turn 1 has a part that is not {"text": ...}'),
    (
        {"contents": [{"role": "user", "parts": [{"text": "a", "thought": True}]}]},
        'turn 1 has a part that is not {"text": ...}',
    ),
    ({"contents": [], "systemInstruction": "Be kind."}, 'the system instruction must have "parts"'),
    (
        {"contents": [content("user", "a"), content("model", " ")]},
        "turn 2 (the model's) is empty",
    ),
]


@pytest.mark.parametrize(("record", "what"), FAULTS)
def test_a_record_that_cannot_be_used(tmp_path: Path, record: Any, what: str) -> None:
    assert problems(tmp_path, f"{GOOD}\n\n{json.dumps(record)}\n{GOOD}") == [f"data.jsonl:3: {what}"]


@pytest.mark.parametrize("line", ["{", '{"messages": [}', "{'messages': []}", GOOD + GOOD, "NaN", '{"a": "\\ud800"}'])
def test_a_line_that_is_not_json(tmp_path: Path, line: str) -> None:
    (found,) = problems(tmp_path, f"{GOOD}\n{line}")
    assert found.startswith("data.jsonl:2: is not JSON: ")


@given(st.lists(st.sampled_from([None, "", *range(len(FAULTS))]), min_size=1, max_size=30))
@settings(deadline=None, max_examples=30)
def test_every_problem_of_a_file_is_said_in_order(
    tmp_path_factory: pytest.TempPathFactory, lines: list[int | str | None]
) -> None:
    """None stands for a good line, a number for the fault."""
    folder = tmp_path_factory.mktemp("readers")
    texts = [json.dumps(FAULTS[one][0]) if isinstance(one, int) else "" if one == "" else GOOD for one in lines]
    expected = [f"data.jsonl:{number}: {FAULTS[one][1]}" for number, one in enumerate(lines, 1) if isinstance(one, int)]
    if not expected:
        texts.append("{}")
        expected = [f'data.jsonl:{len(texts)}: has neither "messages" nor "contents"']
    assert problems(folder, "\n".join(texts)) == expected


class TestCsv:
    def test_rows(self, tmp_path: Path) -> None:
        text = (
            'id,output_text,input_text\n1,B,"A, ""quoted""\r\nand\nlong"\n\n2,"D\u2028d",C\r\n3,F,"'
            + "E" * 200_000
            + '"'
        )
        examples = read(tmp_path, text, suffix="csv", system="Be kind.")
        assert [(one.prompt_text, one.target, one.line) for one in examples] == [
            ('A, "quoted"\r\nand\nlong', "B", 4),
            ("C", "D\u2028d", 6),
            ("E" * 200_000, "F", 7),
        ]
        assert {one.system_instruction for one in examples} == {"Be kind."}
        assert [turn["role"] for turn in examples[0].contents] == ["user", "model"]

    def test_byte_order_mark_before_a_quoted_header(self, tmp_path: Path) -> None:
        (example,) = read(tmp_path, b'\xef\xbb\xbf"input_text","output_text"\r\na,b', suffix="csv")
        assert (example.prompt_text, example.target) == ("a", "b")

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("input_text,output_text\n", ["data.csv: is empty: expected one example a line"]),
            (
                "question,answer\na,b\nc,d\n",
                ["data.csv:1: has no column input_text and no column output_text: its columns are question, answer"],
            ),
            (
                "input_text,answer\na,b\n",
                ["data.csv:1: has no column output_text: its columns are input_text, answer"],
            ),
            (
                "\ninput_text,output_text\na,b\n",
                ["data.csv:1: has no column input_text and no column output_text: its first line is blank"],
            ),
            (
                'input_text,output_text\na\na,b\na,b,c\n" ",b\n"a\na",""\n',
                [
                    "data.csv:2: has not 2 fields, as the header has",
                    "data.csv:4: has not 2 fields, as the header has",
                    "data.csv:5: turn 1 (the user's) is empty",
                    "data.csv:7: turn 2 (the model's) is empty",
                ],
            ),
            (
                'input_text,output_text\na,b\n"a"b,c\n',
                ["data.csv:3: is not CSV: ',' expected after '\"'"],
            ),
            (
                'input_text,output_text\na,"b\nc,d\n',
                ["data.csv:3: is not CSV: unexpected end of data, in the record that begins on line 2"],
            ),
        ],
    )
    def test_what_cannot_be_used(self, tmp_path: Path, text: str, found: list[str]) -> None:
        assert problems(tmp_path, text, suffix="csv") == found

    @given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=1, max_size=6), st.booleans())
    @settings(deadline=None, max_examples=30)
    def test_what_python_writes_is_read(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], quote: bool
    ) -> None:
        rows = [(f"q{question}", f"a{answer}") for question, answer in rows]
        file = io.StringIO(newline="")
        writer = csv.writer(file, quoting=csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL)
        writer.writerows([("input_text", "output_text"), *rows])
        examples = read(tmp_path_factory.mktemp("csv"), file.getvalue(), suffix="csv")
        assert [(one.prompt_text, one.target) for one in examples] == rows


class TestIds:
    def test_they_are_what_they_were(self, tmp_path: Path) -> None:
        """An id names an example across runs, so it must not change with the version of this library."""
        (first, second) = read(tmp_path, f"{GOOD}\n{GOOD}")
        assert (first.id, second.id) == ("27f0fd79fa52c073", "27f0fd79fa52c073-2")

    def test_formats_of_the_same_content_agree(self, tmp_path: Path) -> None:
        contents = {"contents": [content("user", "Say hi."), content("model", "Hi.")]}
        ids = [
            read(tmp_path, GOOD)[0].id,
            read(tmp_path, json.dumps(contents))[0].id,
            read(tmp_path, "output_text,input_text\nHi.,Say hi.", suffix="csv")[0].id,
        ]
        assert len({*ids}) == 1

    @given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("ab"), st.sampled_from([None, "S"])), min_size=1))
    @settings(deadline=None, max_examples=30)
    def test_unique_and_fixed_by_content_and_repetition(
        self, tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[str, str, str | None]]
    ) -> None:
        records = [messages(question, answer) for question, answer, _ in drawn]
        for record, (_, _, system) in zip(records, drawn, strict=True):
            if system:
                record["messages"].insert(0, {"role": "system", "content": system})
        ids = [one.id for one in read(tmp_path_factory.mktemp("ids"), "\n".join(map(json.dumps, records)))]
        assert len({*ids}) == len(ids)
        expected: dict[tuple[str, str, str | None], str] = {}
        for position, (key, id_) in enumerate(zip(drawn, ids, strict=True)):
            digest, _, repetition = id_.partition("-")
            assert expected.setdefault(key, digest) == digest and len(digest) == 16
            count = drawn[: position + 1].count(key)
            assert repetition == ("" if count == 1 else str(count))
        assert len({*expected.values()}) == len(expected)
