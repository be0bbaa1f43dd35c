"""The two spellings of a field's name: in JSON and in protobuf."""

import re


def camel_case(name: str) -> str:
    """Returns `displayName` for `display_name`; a camelCase name stays what it is."""
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def snake_case(name: str) -> str:
    """Returns `display_name` for `displayName`; a snake_case name stays what it is."""
    return re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), name)
