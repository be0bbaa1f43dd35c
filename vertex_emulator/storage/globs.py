"""The glob patterns of `matchGlob`.

`*` and `?` stand for anything but a slash, `**` for anything, `[abc]`, `[a-z]` and `[!a]` for one character,
`{a,b}` for either pattern, and a backslash makes the next character plain.
See https://cloud.google.com/storage/docs/json_api/v1/objects/list#list-objects-and-prefixes-using-glob
"""

import re

from vertex_emulator.storage.errors import bad_request

_TOKEN = re.compile(r"\*\*|\\.|\[[!^]?[^\]]+\]|.", re.DOTALL)
_PLAIN = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def glob_pattern(glob: str) -> re.Pattern[str]:
    """Returns the regular expression that matches the same whole names.

    Raises:
        StorageError: 400 for a pattern that makes no sense.
    """
    parts = []
    depth = 0
    for token in _TOKEN.findall(glob):
        depth += {"{": 1, "}": -1}.get(token, 0)
        if depth < 0:
            break
        parts.append(_translated(token, depth))
    if depth:
        raise bad_request(f"Invalid value for parameter 'matchGlob': unbalanced braces in '{glob}'.")
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise bad_request(f"Invalid value for parameter 'matchGlob': '{glob}': {error}.") from error


def _translated(token: str, depth: int) -> str:
    if token in _PLAIN:
        return _PLAIN[token]
    if token == "{":
        return "(?:"
    if token == "}":
        return ")"
    if token == "," and depth:
        return "|"
    if len(token) > 2 and token.startswith("["):
        inner = token[1:-1].replace("\\", "\\\\")
        return f"[^{inner[1:]}]" if inner[0] in "!^" else f"[{inner}]"
    return re.escape(token[-1])
