"""Secrets and personal data, wherever they may stand. Every value is put together here: none is real."""

from typing import Any

from tests.unit.gemini_sft.data.cases.case import (
    GOOD,
    NO_TRAIN,
    Case,
    answered,
    case,
    chat,
    contents,
    jsonl,
    pair,
)

_LETTERS = "aB3dE5fG7hJ9kL2mN4pQ6rS8tU1vW0xY3zA5bC7d"
_AWS = "AKIA" + "QYLPMN5HHHFPZAM2"
_ADDRESS = "jane.doe" + "@corp.co.uk"
_KEY = ("secret", 2, "seems to hold a secret: AWS access key id")
_MAIL = ("personal_data", 2, "seems to hold personal data: email address")
_SECRETS = {
    "AWS access key id": _AWS,
    "Google API key": "AIza" + _LETTERS[:35],
    "GitHub token": "ghp_" + _LETTERS[:36],
    "OpenAI or Anthropic key": "sk-" + _LETTERS,
    "private key": "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
    "connection string": "postgres" + "://admin:s3cr3t@db.internal:5432/app",
    "password or key": "password: " + "hunter2",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + _LETTERS,
}
_PERSONAL = {
    "email address": _ADDRESS,
    "phone number": "+49 30 " + "1234567",
    "US social security number": "219-09-" + "9999",
    "payment card number": "4111 1111 " + "1111 1111",
    "IBAN": "DE89 3704 0044 " + "0532 0130 00",
}


def beside(name: str, content: bytes, *found: tuple[str, int | str, str], **more: Any) -> Case:
    """Returns a case in which a value stands where something else is wrong as well."""
    return case(name, content, *found, **({"secrets": (_AWS,)} | more))


SENSITIVE: list[Case] = [
    *(
        case(
            f"{kind} in a text",
            jsonl(GOOD, pair(f"See this: {value} and reply.")),
            ("secret", 2, f"seems to hold a secret: {kind}"),
            secrets=(value.splitlines()[-1],),
        )
        for kind, value in _SECRETS.items()
    ),
    *(
        case(
            f"{kind} in a text",
            jsonl(GOOD, pair("Who is it?", f"It is {value}, I think.")),
            ("personal_data", 2, f"seems to hold personal data: {kind}"),
            secrets=(value,),
        )
        for kind, value in _PERSONAL.items()
    ),
    beside("a key that is to be dropped", jsonl(GOOD, pair(_AWS)), _KEY, data={"policy": {"secret": "drop"}}),
    beside("a key that is to be kept", jsonl(GOOD, pair(_AWS)), _KEY, data={"policy": {"secret": "warn"}}),
    beside(
        "a key and an address in one record",
        jsonl(GOOD, pair(_AWS, f"{_ADDRESS} {_ADDRESS}")),
        _KEY,
        _MAIL,
        secrets=(_AWS, _ADDRESS),
    ),
    beside(
        "a key in a system instruction",
        jsonl(chat("a", system="Be kind."), chat("b", system=f"Use {_AWS}.")),
        _KEY,
        others={"test.jsonl": jsonl(chat("x", system="Be kind."))},
    ),
    beside(
        "a key in the arguments of a call",
        jsonl(
            contents(("user", "Really?"), ("model", "So.")),
            answered(
                {"functionCall": {"name": "f", "args": {"key": [_AWS]}}},
                tools=[{"functionDeclarations": [{"name": "f"}]}],
            ),
        ),
        _KEY,
    ),
    beside(
        "a key in a line that is not JSON",
        jsonl(GOOD, f'{{"prompt": "{_AWS}", "completion"}}'),
        ("json", 2, "is not JSON: expecting ':' delimiter (column 48)"),
    ),
    beside(
        "a key in a line that breaks off",
        jsonl(GOOD) + b'{"prompt": "%b' % _AWS.encode(),
        ("truncated", 2, "breaks off in the middle: the file is cut off here"),
    ),
    beside("a key in a list", jsonl(GOOD, f'["{_AWS}"]'), ("json", 2, "is JSON, but not an object")),
    beside(
        "a key in a row that is too long",
        f"prompt,completion\na,b\n{_AWS},b,c\n".encode(),
        ("csv", 3, "has 3 fields where the header has 2"),
        file="train.csv",
    ),
    beside(
        "a key in a target that is not JSON",
        jsonl(pair("a", "{}"), pair("b", f"The key is {_AWS}.")),
        ("target_json", 2, "has a target that is not a JSON object or list"),
        task="extraction",
        others={"test.jsonl": jsonl(pair("x", "{}"))},
    ),
    beside(
        "an address as a label",
        jsonl(pair("a", "A"), pair("b", "B")),
        ("personal_data", "test.jsonl:3", "seems to hold personal data: email address"),
        ("label", "test.jsonl:3", "has the label '…', which is none of 'A', 'B'"),
        task="classification",
        others={"test.jsonl": jsonl(pair("x", "A"), pair("y", "B"), pair("z", _ADDRESS))},
        secrets=(_ADDRESS,),
    ),
    beside(
        "a row instead of the header",
        f"a,{_ADDRESS}\nb,c\n".encode(),
        (
            "columns",
            2,
            "has the columns a, …: expected input_text and output_text; or prompt and completion; "
            "or prompt and response; or input and output",
        ),
        NO_TRAIN,
        file="train.csv",
        secrets=(_ADDRESS,),
    ),
]
