"""What all sections of an experiment have in common."""

from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A mapping in the experiment file: an unknown key, a wrong type or an infinite number is refused."""

    # Strict, or `epochs: true` would be one epoch.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def section_in(annotation: Any) -> type[Section] | None:
    """Returns the section that a key of this type holds, if it holds one, or several in a list; it may be left out."""
    kinds = [one for one in get_args(annotation) or (annotation,) if one is not NoneType]
    only = kinds[0] if len(kinds) == 1 else None
    return only if isinstance(only, type) and issubclass(only, Section) else None
