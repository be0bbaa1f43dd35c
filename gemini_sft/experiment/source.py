"""A YAML document together with the line on which each of its values stands."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from gemini_sft.errors import ExperimentError, Problem

Path = tuple[str | int, ...]
_KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")


class _Loader(yaml.SafeLoader):
    """Reads 1e-6 as the number that it is in JSON and in YAML 1.2; YAML 1.1 wants a dot before the exponent."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


class Source:
    """One experiment file as written.

    Attributes:
        values: The document as plain dicts, lists and scalars.
    """

    def __init__(self, text: str, file: str) -> None:
        """Parses `text`.

        Raises:
            ExperimentError: It is not YAML, not a mapping, or holds itself; a key is not a text or is given twice.
        """
        self._file = file
        self._places: dict[Path, str] = {}
        try:
            root = yaml.compose(text, Loader=_Loader)
            self.values: dict[str, Any] = yaml.load(text, _Loader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            problem = Problem(f"{file}:{line}", f"is not YAML: {error.problem}")
            raise ExperimentError([problem]) from error
        except (yaml.YAMLError, ValueError, RecursionError) as error:  # a ValueError of a date such as 2026-13-01
            raise ExperimentError([Problem(file, f"is not YAML: {error}")]) from error
        if not isinstance(root, yaml.MappingNode):
            what = "is empty" if root is None else "must be a mapping of keys to values"
            raise ExperimentError([Problem(f"{file}:1", f"{what}; see experiments/summarization.yaml for an example")])
        problems = list(self._index(root, (), ()))
        if problems:
            raise ExperimentError(problems)

    def set(self, key: str, value: str) -> None:
        """Replaces one value, as `--set tuning.epochs=3` asks.

        Args:
            key: Names from the top of the document downwards, with dots between.
            value: The new value as YAML text.

        Raises:
            ExperimentError: The key leads through something that is not a mapping, or the value is not YAML.
        """
        path = tuple(key.split("."))
        place = f"--set {key}"
        holder = self.values
        for depth, name in enumerate(path[:-1], 1):
            if holder.get(name) is None:
                holder[name] = {}
            holder = holder[name]
            if not isinstance(holder, dict):
                raise ExperimentError([Problem(place, f"{'.'.join(path[:depth])} has no keys below it")])
        try:
            holder[path[-1]] = yaml.load(value, _Loader)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise ExperimentError([Problem(place, f"{value!r} is not a YAML value")]) from error
        # What stood below the old value has gone with it.
        self._places = {known: where for known, where in self._places.items() if known[: len(path)] != path}
        for depth in range(1, len(path) + 1):
            self._places.setdefault(path[:depth], place)
        self._places[path] = place

    def place(self, path: Path) -> str:
        """Returns where the value at `path` stands; for a value that is missing, where its section does."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._places:
                return self._places[path[:length]]
        return f"{self._file}:1"

    def _index(self, node: yaml.Node, path: Path, around: tuple[yaml.Node, ...]) -> Iterator[Problem]:
        """Notes the place of everything in `node`, which the nodes `around` hold, and yields what is wrong with it."""
        if any(node is outer for outer in around):
            yield Problem(f"{self._file}:{node.start_mark.line + 1}", f"{'.'.join(map(str, path))} holds itself")
            return
        around = (*around, node)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*path, str(key.value))
                place = f"{self._file}:{key.start_mark.line + 1}"
                if key.tag not in _KEY_TAGS:
                    yield Problem(place, f"the key {key.value} is not a text: names of keys are words")
                if inner in self._places:
                    name = ".".join(map(str, inner))
                    yield Problem(place, f"{name} is already given on {self._places[inner].rpartition('/')[2]}")
                self._places[inner] = place
                yield from self._index(value, inner, around)
        elif isinstance(node, yaml.SequenceNode):
            for position, value in enumerate(node.value):
                self._places[(*path, position)] = f"{self._file}:{value.start_mark.line + 1}"
                yield from self._index(value, (*path, position), around)
