"""Pages and tables of docs/ that are made from the code.

`python -m gemini_sft.experiment.reference` prints docs/experiment.md, `python -m gemini_sft.experiment.reference rules`
the table of rules in docs/data.md.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gemini_sft.catalog import Catalog, Model, Price, catalog
from gemini_sft.experiment.rules import RULES
from gemini_sft.experiment.schema import Experiment, Task
from gemini_sft.experiment.section import Section, section_in

_HEAD = """# The experiment file

Every key that an experiment may have. An unknown key, a wrong type or an impossible value is refused before anything is
started, with its line. `gemini-sft run X.yaml --set KEY=VALUE` replaces a value for one run. Local paths are relative
to the experiment file. [data.md](data.md) says more of `data` and `prompt`, [costs.md](costs.md) of `budget`.

"""

_MODELS = """## Models

What `base_model` can be, as last held against Google's pages on {table.checked}. This is
[models.yaml](../gemini_sft/catalog/models.yaml) of this version, which also says where each fact comes from.

{models}
A model that retires on a known day is refused from a month before it, unless `tuning.allow_retiring` says that your
project still has access; use what stands beside it.

The longest example is in tokens, input and output together. Prices are in USD per 1 million tokens. A tuned model is
asked at its base model's price; outside `global`, that is in a region, in `us` or in `eu`, asking costs more by the
share that is given. If `tuning.epochs` is not set, a quote assumes {epochs.small} epochs for fewer than
{epochs.small_below:,} training examples and {epochs.large} otherwise: the upper end of Google's advice of
{epochs.date}.

No longer served, and refused with the name of what takes their place:

{retired}"""
_FACTS = ("model", "retires", "adapter sizes", "tuning regions", "longest example")
_PRICES = ("training", "input", "output", "outside `global`", "prices of")

_WORDS = {
    StrEnum: "word",
    Section: "mapping",
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
}
_SIGNS = {Ge: ("≥", "ge"), Gt: (">", "gt"), Le: ("≤", "le"), Lt: ("<", "lt")}


def reference() -> str:
    """Returns the page docs/experiment.md as Markdown."""
    return f"{_HEAD}{_table(('key', 'type', 'default', 'meaning'), _rows(Experiment))}\n{_models(catalog())}"


def rules() -> str:
    """Returns the table of all rules that data are checked for, as Markdown."""
    rows = (
        (f"`{one.name}`", one.title, f"`{one.policies[0]}`", _codes(one.policies[1:]), one.remedy)
        for one in RULES.values()
    )
    return _table(("rule", "what it means", "default", "or", "remedy"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ("|" + "".join(f" {cell} |" if cell else " |" for cell in cells) for cells in (head, *rows))
    first, *others = lines
    return "\n".join([first, "|" + "---|" * len(head), *others]) + "\n"


def _rows(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    for name, field in section.model_fields.items():
        inner = section_in(field.annotation)
        several = get_origin(field.annotation) is list
        if several or not inner:
            default = field.get_default(call_default_factory=True)
            yield f"`{prefix}{name}`", _type(field), _default(default), _meaning(field)
        if inner:
            yield from _rows(inner, f"{prefix}{name}{'[]' if several else ''}.")


def _type(field: FieldInfo) -> str:
    return ", ".join([_kind(field.annotation), *_bounds(field.metadata)])


def _kind(annotation: Any) -> str:
    """Returns a type in words, such as `text or list of texts`; that a value may be missing shows in its default."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(inner[0])
    if origin in (Union, UnionType):
        return " or ".join(_kind(one) for one in inner if one is not NoneType)
    if origin is list:
        return f"list of {_kind(inner[0])}s"
    if origin is dict:
        return f"mapping of names to {_kind(inner[1])}s"
    return _WORDS[next((kind for kind in annotation.__mro__ if kind in _WORDS), annotation)]


def _bounds(metadata: Iterable[object]) -> Iterator[str]:
    for bound in metadata:
        for cls, (sign, attribute) in _SIGNS.items():
            if isinstance(bound, cls):
                yield f"{sign} {getattr(bound, attribute):g}"
        if isinstance(bound, MinLen) and bound.min_length > 1:
            yield f"at least {bound.min_length}"


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    return "none" if value is None or value == {} else f"`{json.dumps(value)}`"


def _meaning(field: FieldInfo) -> str:
    if field.annotation is Task:
        return f"What kind of answer is wanted: {_codes(Task)}."
    return field.description or ""


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _models(table: Catalog) -> str:
    models = ((f"`{name}`", *_facts(model), *_prices(model.price)) for name, model in table.models.items())
    retired = ((f"`{name}`", str(gone.since), f"`{gone.replacement}`") for name, gone in table.retired.items())
    return _MODELS.format(
        table=table,
        epochs=table.assumed_epochs,
        models=_table((*_FACTS, *_PRICES), models),
        retired=_table(("model", "retired on", "use instead"), retired),
    )


def _facts(model: Model) -> tuple[str, ...]:
    sizes = ", ".join(map(str, model.adapter_sizes))
    return _retires(model), sizes, ", ".join(model.tuning_regions), f"{model.max_example_tokens:,}"


def _retires(model: Model) -> str:
    going = model.retires
    if going is None:
        return "unknown"
    if model.closed is None:
        return f"not before {going.date}"
    return f"**{going.date}: refused from {model.closed}**, use `{going.replacement}`"


def _prices(price: Price | None) -> tuple[str, ...]:
    if price is None:
        return "unknown", "unknown", "unknown", "", ""
    rates = ("unknown" if rate is None else f"{rate:.2f}" for rate in (price.training, price.input, price.output))
    surcharge = f"+{price.surcharge_outside_global:.0%}" if price.surcharge_outside_global else ""
    return *rates, surcharge, str(price.date)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Prints what docs/ holds of the code.")
    parser.add_argument("part", nargs="?", choices=("experiment", "rules"), default="experiment")
    print(rules() if parser.parse_args().part == "rules" else reference(), end="")
