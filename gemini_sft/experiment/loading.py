"""From an experiment file to an `Experiment`, or to a list of everything that is wrong with it."""

import difflib
import re
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gemini_sft import storage
from gemini_sft.catalog import catalog
from gemini_sft.errors import ExperimentError, Problem
from gemini_sft.experiment.schema import Experiment, is_tuned
from gemini_sft.experiment.section import section_in
from gemini_sft.experiment.source import Path, Source

_SECRETS = re.compile(r"(?<=://)[^/@\s]*@|(?<=\?).+", re.DOTALL)

_CLOSE = 0.8
"""A key of the same section that is so near is meant rather than one of the same name in another."""


def load_experiment(uri: str, overrides: Sequence[str] = (), *, allow_retired: bool = False) -> Experiment:
    """Reads, checks and returns an experiment.

    Args:
        uri: Path or `gs://` URI of the YAML file.
        overrides: `key.subkey=value` texts that replace what the file says.
        allow_retired: Whether its base model may be gone: what is scheduled goes on, though nothing can be tuned.

    Raises:
        UserError: There is no such file.
        ExperimentError: It cannot be run; the error lists every problem with its line.
    """
    source = Source(storage.read_text(uri), uri)
    for override in overrides:
        key, equals, value = override.partition("=")
        if not key or not equals:
            raise ExperimentError([Problem(f"--set {override}", "expected KEY=VALUE, such as tuning.epochs=3")])
        source.set(key, value)
    problems: list[Problem] = []
    experiment = None
    try:
        experiment = Experiment.model_validate(source.values)
    except ValidationError as error:
        errors = [one for one in error.errors() if not _is_other_form(one)]
        meant = {(*_path(one)[:-1], _near(_path(one))) for one in errors if one["type"] == "extra_forbidden"}
        problems = [
            Problem(source.place(_path(one)), _explain(one))
            for one in errors
            if one["type"] != "missing" or _path(one) not in meant  # it is there, under a name misspelt
        ]
    problems += [Problem(source.place(path), what) for path, what in _catalog_problems(source.values, allow_retired)]
    if problems or experiment is None:
        raise ExperimentError(problems)
    return experiment


def _catalog_problems(values: dict[str, object], allow_retired: bool) -> Iterator[tuple[Path, str]]:
    """Yields what the catalog objects to, also in a file that has other problems."""
    yield from _judge_problems(values)
    model = values.get("base_model")
    if not isinstance(model, str) or not model:
        return
    if is_tuned(model) or "/" in model:  # what it was tuned from is asked when it is looked up
        return
    if allow_retired and model in catalog().retired:
        return
    objection = catalog().objection(model)
    if objection:
        yield ("base_model",), objection
        return
    for path, size in _adapter_sizes(values):
        objection = catalog().adapter_size_objection(model, size)
        if objection:
            yield path, objection


def _adapter_sizes(values: dict[str, object]) -> Iterator[tuple[Path, int]]:
    """Yields every adapter size that a file asks for, with its place."""
    sweep = _mapping(values, "sweep")
    trials = sweep.get("trials")
    places: list[tuple[Path, object]] = [(("tuning", "adapter_size"), _mapping(values, "tuning").get("adapter_size"))]
    sizes = _mapping(sweep, "grid").get("adapter_size")
    if isinstance(sizes, list):
        places += [(("sweep", "grid", "adapter_size", n), size) for n, size in enumerate(sizes)]
    if isinstance(trials, list):
        places += [
            (("sweep", "trials", n, "adapter_size"), one.get("adapter_size"))
            for n, one in enumerate(trials)
            if isinstance(one, dict)
        ]
    for path, size in places:
        if isinstance(size, int) and not isinstance(size, bool):
            yield path, size


def _mapping(values: dict[str, object], key: str) -> dict[str, object]:
    inner = values.get(key)
    return inner if isinstance(inner, dict) else {}


def _judge_problems(values: dict[str, object]) -> Iterator[tuple[Path, str]]:
    judge = _mapping(_mapping(values, "evaluation"), "judge")
    model = judge.get("model")
    if not model:
        for key in ("criteria", "pointwise"):
            if judge.get(key):
                yield ("evaluation", "judge", key), f"evaluation.judge.{key} is for a judge: name one in judge.model"
    if isinstance(model, str) and model:
        objection = catalog().objection(model, "can judge")
        if objection:
            yield ("evaluation", "judge", "model"), objection


def _path(error: ErrorDetails) -> Path:
    # Where a value may have several forms, pydantic names in brackets the one that it tried.
    return tuple(part for part in error["loc"] if not (isinstance(part, str) and "[" in part))


def _is_other_form(error: ErrorDetails) -> bool:
    """Returns whether an error only says that a value has the other one of two forms, a text or a list of texts."""
    forms = [part for part in error["loc"] if isinstance(part, str) and "[" in part]
    return bool(forms) and (error["type"], type(error["input"])) in {("list_type", str), ("string_type", list)}


def _explain(error: ErrorDetails) -> str:
    """Says in one line what is wrong with a value and what was expected."""
    path = _path(error)
    name = ".".join(map(str, path))
    error = error | {"input": _without_secrets(error["input"], path)}
    match error["type"]:
        case "extra_forbidden":
            return f"{name} is not a key of an experiment{_suggestion(path)}"
        case "missing":
            return f"{name} is missing{_purpose(path)}"
        case "string_pattern_mismatch":
            return f"{name} is {error['input']!r}{_purpose(path)}"
        case "model_type":
            return f"{name} is {error['input']!r}: expected keys below it{_keys(_section((*path, '')))}"
        case "value_error":
            return f"{name} is {error['input']!r}: {error['msg'].removeprefix('Value error, ')}"
        case _:
            return f"{name} is {error['input']!r}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _without_secrets(value: object, path: Path) -> object:
    """Returns a value for a message: of a web address, without the user's name and what signs it; of a webhook none."""
    if path[:1] == ("notification",) and "://" in str(value):
        return "…"
    return _SECRETS.sub("…", value) if isinstance(value, str) else value


def _section(path: Path) -> type[BaseModel] | None:
    section: type[BaseModel] | None = Experiment
    for name in path[:-1]:
        if isinstance(name, int):  # of a list of sections, one is like the other
            continue
        field = section.model_fields.get(str(name)) if section else None
        section = section_in(field.annotation) if field else None
    return section


def _suggestion(path: Path) -> str:
    section = _section(path)
    if section is None:
        return ""
    elsewhere = [name for name in _all_keys(Experiment) if name.rpartition(".")[2] == path[-1]]
    near = _near(path, _CLOSE) or next(iter(elsewhere), None) or _near(path)
    return f": did you mean {near}?" if near else _keys(section)


def _near(path: Path, least: float = 0.6) -> str | None:
    """Returns the key of a section that a misspelt one is most like, by a ratio of at least so much."""
    section = _section(path)
    near = difflib.get_close_matches(str(path[-1]), section.model_fields if section else (), n=1, cutoff=least)
    return near[0] if near else None


def _all_keys(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield f"{prefix}{name}"
        inner = section_in(field.annotation)
        if inner:
            yield from _all_keys(inner, f"{prefix}{name}.")


def _keys(section: type[BaseModel] | None) -> str:
    return f" (there are: {', '.join(section.model_fields)})" if section else ""


def _purpose(path: Path) -> str:
    section = _section(path)
    field = section.model_fields.get(str(path[-1])) if section else None
    return f": {field.description}" if field and field.description else ""
