"""What Vertex AI Pipelines would refuse or misread in a compiled pipeline, found without asking it.

The compiler lets all of this pass, and so does the SDK; without these checks it shows when the run fails.
"""

import ast
import builtins
import functools
import inspect
import re
import symtable
from collections.abc import Iterator
from typing import Any

import yaml
from google.protobuf import json_format

from launcher.references import dangling

_NAME = re.compile(r"^[a-z][-a-z0-9]{0,127}$")
_PINNED = re.compile(r"(@sha256:[0-9a-f]{64}|:(?!latest$)[\w][\w.-]*)$")
_SCHEMA_VERSION = "2.1.0"
_KUBERNETES_ONLY = ("workspace", "taskConfig", "cacheKey", "ARGO_DEBUG", "taskConfigPassthroughs")
# The parser in C says the same ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What kfp's executor puts beside a component's own source before it runs it.
_GIVEN_NAMES = {"kfp", "dsl", "__name__", "__file__", "__doc__"}


def refusals(text: str) -> list[str]:
    """Returns what is wrong with a compiled pipeline; an empty list for one that Vertex AI takes."""
    documents = [one for one in yaml.load_all(text, Loader=_LOADER) if one is not None]
    if len(documents) != 1:
        return [f"has {len(documents)} YAML documents: a second one holds Kubernetes settings, which Vertex AI refuses"]
    spec: dict[str, Any] = documents[0]
    broken = list(_unknown_fields(spec))
    # What is no PipelineSpec may have any shape, and the other checks rely on the right one.
    checks = (_leftovers,) if broken else (_header, dangling, _images_and_commands, _leftovers, _sources)
    return broken + [refusal for check in checks for refusal in check(spec)]


def _unknown_fields(spec: dict[str, Any]) -> Iterator[str]:
    from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec

    try:
        message = json_format.ParseDict(spec, PipelineSpec())
    except json_format.ParseError as error:
        yield f"is not a PipelineSpec: {error}"
        return
    if json_format.ParseDict(json_format.MessageToDict(message), PipelineSpec()) != message:
        yield "changes on the way through protobuf"


def _header(spec: dict[str, Any]) -> Iterator[str]:
    name = spec.get("pipelineInfo", {}).get("name", "")
    if not _NAME.match(name):
        yield f"pipeline name {name!r} must match {_NAME.pattern}"
    if spec.get("schemaVersion") != _SCHEMA_VERSION:
        yield f"schemaVersion is {spec.get('schemaVersion')!r}, Vertex AI takes {_SCHEMA_VERSION}"


def _executors(spec: dict[str, Any]) -> dict[str, Any]:
    executors: dict[str, Any] = spec.get("deploymentSpec", {}).get("executors", {})
    return executors


def _images_and_commands(spec: dict[str, Any]) -> Iterator[str]:
    for name, executor in _executors(spec).items():
        container = executor.get("container")
        if container is None:
            continue
        image = container.get("image", "")
        if "{{" in image:
            yield f"{name}: the image {image!r} is only known at run time"
        elif not _PINNED.search(image):
            yield f"{name}: the image {image!r} is not pinned by a tag or digest"
        if "pip install" in " ".join(container.get("command", [])):
            yield f"{name}: installs packages when it starts; they belong in the image"
        if any("executor_main" in part and "exec " not in part for part in container.get("command", [])):
            yield f"{name}: a shell stands before Python and keeps SIGTERM from it; start it with exec"


def _leftovers(spec: dict[str, Any]) -> Iterator[str]:
    for place, value in _walk(spec, ""):
        if isinstance(value, str) and "{{channel:" in value:
            yield f"{place}: holds a placeholder that the compiler did not resolve"
        key = place.rpartition(".")[2]
        if key in _KUBERNETES_ONLY:
            yield f"{place}: only Kubeflow on Kubernetes knows {key}"


def _walk(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    yield place, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, f"{place}.{key}")
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _walk(inner, f"{place}[{position}]")


def _sources(spec: dict[str, Any]) -> Iterator[str]:
    """Checks the Python that is shipped: a name that is not in it is a NameError when the task runs."""
    for name, executor in _executors(spec).items():
        for part in executor.get("container", {}).get("command", []):
            if "\ndef " in part:
                for missing in sorted(_undefined(part)):
                    yield f"{name}: its source uses {missing!r}, which it neither defines nor imports"


def _undefined(source: str) -> set[str]:
    table = symtable.symtable(source, "component", "exec")
    # `from x import *` is how kfp gives a component its own names.
    known = set(dir(builtins)) | _GIVEN_NAMES | _star_imports(source)
    known |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    known |= {child.get_name() for child in table.get_children()}
    return {name for name in _global_names(table) if name not in known}


def _star_imports(source: str) -> set[str]:
    names: set[str] = set()
    if "from kfp.dsl import *" in source:
        names |= _dsl_names()
    if "from typing import *" in source:
        import typing

        names |= set(typing.__all__)
    return names


@functools.cache
def _dsl_names() -> set[str]:
    """Returns what `from kfp.dsl import *` gives inside a task: the list that the module begins with.

    To the compiler, which is what imports it here, it gives more, such as `dsl.component`.
    """
    import kfp.dsl

    lists = (
        ast.literal_eval(node.value)
        for node in ast.parse(inspect.getsource(kfp.dsl)).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    return set(next(lists))


def _global_names(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        outside = symbol.is_global() or (table.get_type() == "module" and not symbol.is_assigned())
        if symbol.is_referenced() and outside:
            yield symbol.get_name()
    for child in table.get_children():
        yield from _global_names(child)
