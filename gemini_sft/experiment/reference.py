"""The page docs/experiment.md, made from the schema: `python -m gemini_sft.experiment.reference`."""

from collections.abc import Iterator
from types import NoneType
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gemini_sft.experiment.schema import Experiment, Task

_HEAD = """# The experiment file

Every key that an experiment may have. An unknown key, a wrong type or an impossible value is refused before anything is
started, with its line. `gemini-sft run X.yaml --set KEY=VALUE` replaces a value for one run.

| key | type | default | meaning |
|---|---|---|---|
"""

_SIGNS = {Ge: ("≥", "ge"), Gt: (">", "gt"), Le: ("≤", "le"), Lt: ("<", "lt")}


def reference() -> str:
    """Returns the page as Markdown."""
    return _HEAD + "".join(
        f"| `{key}` | {kind} | {default} | {text} |\n" for key, kind, default, text in _rows(Experiment)
    )


def _rows(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _rows(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _type(field), _default(field.default), _meaning(field)


def _type(field: FieldInfo) -> str:
    kinds = [kind for kind in get_args(field.annotation) or (field.annotation,) if kind is not NoneType]
    kind = kinds[0]
    word = {str: "text", int: "whole number", float: "number"}.get(kind, "word")
    bounds = [
        f"{sign} {getattr(bound, attribute):g}"
        for bound in field.metadata
        for cls, (sign, attribute) in _SIGNS.items()
        if isinstance(bound, cls)
    ]
    return ", ".join([word, *bounds])


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    return "none" if value is None else f"`{value}`"


def _meaning(field: FieldInfo) -> str:
    if field.annotation is Task:
        return f"What kind of answer is wanted: {', '.join(f'`{task}`' for task in Task)}."
    return field.description or ""


if __name__ == "__main__":
    print(reference(), end="")
