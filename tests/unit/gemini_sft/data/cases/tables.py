"""Tables: columns that are missing or hold no text, CSV and TSV that are none, targets that are not JSON."""

from typing import Any

from tests.unit.gemini_sft.data.cases.case import GOOD, NO_TRAIN, Case, case, jsonl, pair

_PAIRS = "input_text and output_text; or prompt and completion; or prompt and response; or input and output"
_QUESTIONS = f"context, question and answers; or context, question and answer; or {_PAIRS}"
_QUESTION = {"context": "a", "question": "b"}
_HEAD = b"prompt,completion\n"


def column(name: str, record: dict[str, Any], rule: str, what: str, **more: Any) -> Case:
    """Returns a case whose second line has wrong columns."""
    return case(f"columns: {name}", jsonl(GOOD, record), (rule, 2, what), **more)


def answers(name: str, given: Any, rule: str, what: str) -> Case:
    """Returns a case with wrong answers to a question."""
    right = jsonl(_QUESTION | {"answers": ["c", "d"]})
    records = right + jsonl(_QUESTION | {"question": "e", "answers": given})
    return case(f"answers: {name}", records, (rule, 2, what), task="question_answering")


def csv(name: str, content: bytes, *found: tuple[str, int | str, str], **more: Any) -> Case:
    """Returns a case with a CSV file."""
    return case(f"CSV: {name}", content, *found, **({"file": "train.csv"} | more))


def no_table(name: str, content: bytes, problem: str, file: str = "train.csv") -> Case:
    """Returns a case with a file that is no table at all."""
    return csv(name, content, file=file, problems=(f"{file}:1: {problem}",))


COLUMNS: list[Case] = [
    column("unknown ones", {"q": "a", "a": "b"}, "columns", f"has the columns a, q: expected {_PAIRS}"),
    column("none", {}, "columns", f"has no columns: expected {_PAIRS}"),
    column("nothing in the prompt", pair(None), "columns", "has nothing in the column 'prompt'"),
    column("nothing in the target", pair("a", None), "columns", "has nothing in the column 'completion'"),
    column("a list as prompt", pair(["a"]), "columns", "has no text in the column 'prompt'"),
    column("an object as target", pair("a", {"b": 1}), "columns", "has no text in the column 'completion'"),
    column("an empty prompt", pair(" "), "empty_turn", "turn 1 (the user's) is empty"),
    column("an empty target", pair("a", "\n"), "empty_target", "turn 2 (the target) is empty"),
    case(
        "columns: not the ones of the template",
        jsonl({"question": "a", "answer": "b"}, {"question": "c", "reply": "d"}),
        ("columns", 2, "has the columns question, reply: expected question and answer"),
        prompt={"template": "Q: {question}", "target": "answer"},
        others={"test.jsonl": jsonl({"question": "x", "answer": "y"})},
    ),
    case(
        "columns: no group",
        jsonl(pair("a", page=1), pair("b"), pair("c", page=None), pair("d", page=[1])),
        ("columns", 2, "has no 'page', the group that data.group names"),
        ("columns", 3, "has nothing in the column 'page'"),
        ("columns", 4, "has no text in the column 'page'"),
        data={"group": "page"},
        others={"test.jsonl": jsonl(pair("x", page=7))},
    ),
    answers("none", [], "empty_target", "has no answer in the column 'answers'"),
    answers(
        "none, as SQuAD has it",
        {"text": [], "answer_start": []},
        "empty_target",
        "has no answer in the column 'answers'",
    ),
    answers("one that is null", ["c", None], "columns", "has nothing in the column 'answers'"),
    answers("lists", [["c"], ["d"]], "columns", "has no text in the column 'answers'"),
    answers("the first is empty", ["", "c"], "empty_target", "turn 2 (the target) is empty"),
    case(
        "answers: other columns",
        jsonl(_QUESTION),
        ("columns", 1, f"has the columns context, question: expected {_QUESTIONS}"),
        NO_TRAIN,
        task="question_answering",
    ),
    case(
        "targets that are not JSON",
        jsonl(pair("a", '{"b": 1}'), pair("c", "{'b': 1}"), pair("d", "1"), pair("e", [1])),
        ("target_json", 2, "has a target that is not a JSON object or list"),
        ("target_json", 3, "has a target that is not a JSON object or list"),
        task="extraction",
        others={"test.jsonl": jsonl(pair("x", {}))},
    ),
]

CSV: list[Case] = [
    csv("nothing but a header", _HEAD, NO_TRAIN),
    csv(
        "rows of other lengths",
        _HEAD + b"a,b\nc\nd,e,f\n\ng,h\n",
        ("csv", 3, "has 1 field where the header has 2"),
        ("csv", 4, "has 3 fields where the header has 2"),
    ),
    csv(
        "rows of other lengths that are to be dropped",
        _HEAD + b"a,b\nc\n",
        ("csv", 3, "has 1 field where the header has 2"),
        data={"policy": {"csv": "drop"}},
    ),
    csv(
        "a quote that is not closed",
        _HEAD + b'a,b\nc,"d\ne,f\n',
        ("csv", 3, "a quoted field is not closed: it takes in everything to the file's end on line 4"),
    ),
    csv(
        "a quote inside a quoted field",
        _HEAD + b'a,b\n"c" d,e\nf,g\n',
        ("csv", 3, "is not CSV: ',' expected after '\"' (a quote inside a quoted field is written twice)"),
    ),
    csv("Latin-1", _HEAD + b"a,b\nCaf\xe9,c\n", ("encoding", 3, "is not UTF-8 (character 4 of the line)")),
    csv(
        "empty cells",
        _HEAD + b'a,\n,b\n""," "\n',
        ("empty_target", 2, "turn 2 (the target) is empty"),
        ("empty_turn", 3, "turn 1 (the user's) is empty"),
        ("empty_turn", 4, "turn 1 (the user's) is empty"),
        NO_TRAIN,
    ),
    csv(
        "other columns",
        b"question,answer\na,b\n",
        ("columns", 2, f"has the columns answer, question: expected {_PAIRS}"),
        NO_TRAIN,
    ),
    csv(
        "a list of answers that is not closed",
        b'context,question,answers\na,b,["c"\na,d,"[""e"", ""f""]"\na,g,[]\n',
        ("empty_target", 4, "has no answer in the column 'answers'"),
        task="question_answering",
    ),
    no_table(
        "semicolons",
        b"prompt;completion\na;b\n",
        "its header has one column, 'prompt;completion': is the delimiter ';'? save it with commas",
    ),
    no_table(
        "tabs",
        b"prompt\tcompletion\na\tb\n",
        "its header has one column, 'prompt\\tcompletion': is the delimiter '\\t'? save it with commas or name it .tsv",
    ),
    no_table(
        "commas in TSV",
        b"prompt,completion\na,b\n",
        "its header has one column, 'prompt,completion': is the delimiter ','? save it with tabs or name it .csv",
        file="train.tsv",
    ),
    no_table(
        "lines in quotes",
        b'"prompt,completion"\n"a,b"\n',
        "its header has one column, 'prompt,completion': quote each field alone, not the whole line",
    ),
    no_table("UTF-16", "prompt,completion\na,b\n".encode("utf-16"), "is UTF-16: save the file as UTF-8"),
    no_table("a header in Latin-1", b"prompt,r\xe9ponse\na,b\n", "its header is not UTF-8: save the file as UTF-8"),
    no_table(
        "a column twice",
        b"prompt,completion,prompt\na,b,c\n",
        "has the column 'prompt' 2 times: give each column a name of its own",
    ),
    no_table("a header without names", b",\na,b\n", "its first line names no columns: write their names there"),
]
