"""Lines that are not JSON, or not all of it, or more than it can be; and files of several formats."""

from tests.unit.gemini_sft.data.cases.case import GOOD, NO_TRAIN, Case, case, chat, contents, jsonl, pair

_DEEP = "is nested too deeply"
_DEEP_OR_LONG = "is nested too deeply, or holds a number that is too long"
_SURROGATE = "has half of a surrogate pair, such as \\ud83d alone, which is no character"
_CUT = "breaks off in the middle: the file is cut off here"
_BIG = "is not JSON that can be taken: a number is too large, or it is nested too deeply"
_GEMINI = contents(("user", "a"), ("model", "b"))
_CALL = (
    '{"contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": '
    '[{"functionCall": {"name": "f", "args": {"a": %s}}}]}], "tools": [{"functionDeclarations": [{"name": "f"}]}]}'
)


def cut(name: str, line: bytes, what: str = _CUT) -> Case:
    """Returns a case whose second and last line breaks off."""
    return case(f"{name} that breaks off", jsonl(GOOD) + line, ("truncated", 2, what))


def refused(name: str, line: bytes | str, rule: str, what: str) -> Case:
    """Returns a case whose second of three lines is refused."""
    return case(name, jsonl(GOOD, line, pair("Another?")), (rule, 2, what))


JSON_LINES: list[Case] = [
    refused("a line of text", "Hello", "json", "is not JSON: expecting value (column 1)"),
    refused("a comma too few", '{"prompt": "a" "b"}', "json", "is not JSON: expecting ',' delimiter (column 16)"),
    refused(
        "single quotes",
        "{'prompt': 'a'}",
        "json",
        "is not JSON: expecting property name enclosed in double quotes (column 2)",
    ),
    refused("two objects", '{"prompt": "a"} {}', "json", "is not JSON: extra data (column 17)"),
    refused("a tab in a text", '{"prompt": "a\tb"}', "json", "is not JSON: invalid control character at (column 14)"),
    refused("a list", '[{"prompt": "a"}]', "json", "is JSON, but not an object"),
    refused("a text in quotes", '"prompt"', "json", "is JSON, but not an object"),
    refused("null", "null", "json", "is JSON, but not an object"),
    refused("NaN", '{"prompt": NaN, "completion": "a"}', "not_a_number", "holds NaN, which is not JSON"),
    refused("Infinity", '{"prompt": [Infinity]}', "not_a_number", "holds Infinity, which is not JSON"),
    refused("minus Infinity", '{"prompt": -Infinity}', "not_a_number", "holds -Infinity, which is not JSON"),
    refused("a number without bounds", '{"prompt": 1e999, "completion": "a"}', "json", _BIG),
    refused("a number of 5,000 digits", '{"prompt": %s}' % ("1" * 5000), "json", "holds a number that is too long"),
    refused("a high surrogate", r'{"prompt": "a\ud83d", "completion": "b"}', "lone_surrogate", _SURROGATE),
    refused("a low surrogate", r'{"prompt": "\ude00a", "completion": "b"}', "lone_surrogate", _SURROGATE),
    refused("two surrogates the wrong way", r'{"prompt": "\ude00\ud83d"}', "lone_surrogate", _SURROGATE),
    refused("a surrogate in a key", r'{"\ud83d": 1, "prompt": "a"}', "lone_surrogate", _SURROGATE),
    refused(
        "a key twice",
        '{"prompt": "a", "completion": "b", "prompt": "c"}',
        "duplicate_key",
        "has the key 'prompt' twice in one object",
    ),
    refused(
        "a key twice further inside",
        '{"prompt": "a", "completion": "b", "more": [{"id": 1, "id": 1}]}',
        "duplicate_key",
        "has the key 'id' twice in one object",
    ),
    refused(
        "a key twice in two spellings",
        r'{"prompt": "a", "completion": "b", "\u0070rompt": "c"}',
        "duplicate_key",
        "has the key 'prompt' twice in one object",
    ),
    refused(
        "a key twice with a tab behind it",
        '{"prompt"\t: "a", "completion": "b", "prompt": "c"}',
        "duplicate_key",
        "has the key 'prompt' twice in one object",
    ),
    refused(
        "a key twice beside a text that looks like one",
        r'{"prompt" : "\"a\": 1", "completion": "b", "prompt" : "c"}',
        "duplicate_key",
        "has the key 'prompt' twice in one object",
    ),
    *(
        refused(
            f"a list {depth:,} deep",
            '{"prompt": "a", "completion": "b", "more": %s}' % ("[" * depth + "]" * depth),
            "json",
            _DEEP,
        )
        for depth in (1000, 3000)
    ),
    case("arguments 300 deep", jsonl(_CALL % ("[" * 300 + "]" * 300), _GEMINI), ("json", 1, _DEEP_OR_LONG)),
    cut("a text", b'{"prompt": "Why is th'),
    cut("an object", b'{"prompt": "a", "completion": "b"'),
    cut("a list", b'{"prompt": ["a", "b"'),
    cut("a key", b'{"prompt": "a", "comp'),
    cut("a key without its value", b'{"prompt": "a", "completion":'),
    cut("null", b'{"prompt": "a", "completion": nul'),
    cut("an escape", rb'{"prompt": "Caf\u00'),
    cut("a character", '{"prompt": "Café'.encode()[:-1], "breaks off in the middle of a character"),
    case(
        "a line that breaks off in the middle of the file",
        jsonl(b'{"prompt": "Why is th', GOOD),
        ("json", 1, "is not JSON: unterminated string starting at (column 12)"),
    ),
    case(
        "a broken line that is the last, but not cut off",
        jsonl(GOOD) + b'{"prompt": "a" "completion": "b"}',
        ("json", 2, "is not JSON: expecting ',' delimiter (column 16)"),
    ),
    case(
        "one object over several lines",
        b'{\n"prompt": "a", "completion": "b"\n}\n',
        ("json", 1, "is not JSON: expecting property name enclosed in double quotes (column 2)"),
        ("json", 2, "is not JSON: extra data (column 9)"),
        ("json", 3, "is not JSON: expecting value (column 1)"),
        NO_TRAIN,
    ),
    case(
        "a format for each line",
        jsonl(chat("a"), _GEMINI, GOOD),
        ("mixed_formats", 2, 'has "contents", but the file began with "messages"'),
        ("mixed_formats", 3, 'has columns, but the file began with "messages"'),
    ),
    case(
        "messages among contents",
        jsonl("no JSON", _GEMINI, chat("a")),
        ("json", 1, "is not JSON: expecting value (column 1)"),
        ("mixed_formats", 3, 'has "messages", but the file began with "contents"'),
    ),
    case(
        "conversations among columns",
        jsonl(GOOD, chat("a"), _GEMINI),
        ("mixed_formats", 2, 'has "messages", but the file began with columns'),
        ("mixed_formats", 3, 'has "contents", but the file began with columns'),
    ),
    case(
        "two formats in one record",
        jsonl(chat("a") | _GEMINI),
        ("unknown_key", 1, "has the key 'contents', which is not used"),
    ),
]
