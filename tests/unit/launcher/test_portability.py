"""Each check on the project's own pipeline, with one fault planted in it."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from launcher.portability import refusals

GOOD = (Path(__file__).parents[2] / "golden" / "finetune.yaml").read_text("utf-8")
Spec = dict[str, Any]
SPEC: Spec = yaml.safe_load(GOOD)


def planted(plant: Callable[[Spec], object]) -> list[str]:
    spec = copy.deepcopy(SPEC)
    plant(spec)
    return refusals(json.dumps(spec))  # which is YAML


def put(*path: Any, value: Any) -> Callable[[Spec], None]:
    """Returns a function that sets the value at a path."""

    def plant(spec: Any) -> None:
        for name in path[:-1]:
            spec = spec[name]
        spec[path[-1]] = value

    return plant


def put_input(task: str, port: str, *path: str, value: str) -> Callable[[Spec], None]:
    """Returns a function that sets a value in what a task is given for `port`."""

    def plant(spec: Spec) -> None:
        inputs = spec["components"][BODY]["dag"]["tasks"][task]["inputs"]
        side = "parameters" if port in inputs.get("parameters", {}) else "artifacts"
        put(side, port, *path, value=value)(inputs)

    return plant


def without(*path: Any) -> Callable[[Spec], None]:
    """Returns a function that removes what stands at a path."""

    def plant(spec: Any) -> None:
        for name in path[:-1]:
            spec = spec[name]
        del spec[path[-1]]

    return plant


def containers(spec: Spec) -> dict[str, Any]:
    return {
        name: executor["container"]
        for name, executor in spec["deploymentSpec"]["executors"].items()
        if "container" in executor
    }


BODY = "comp-exit-handler-1"
TASKS = ("components", BODY, "dag", "tasks")
PREPARE = ("deploymentSpec", "executors", "exec-prepare-data", "container")


def test_the_pipeline_itself_has_no_fault() -> None:
    assert refusals(GOOD) == []
    assert planted(lambda _: None) == []


@pytest.mark.parametrize(
    ("text", "count"), [(f"{GOOD}\n---\nplatforms: {{kubernetes: {{}}}}\n", 2), ("", 0), (f"{GOOD}\n---\n{GOOD}", 2)]
)
def test_other_than_one_document(text: str, count: int) -> None:
    assert refusals(text) == [
        f"has {count} YAML documents: a second one holds Kubernetes settings, which Vertex AI refuses"
    ]


def test_an_empty_second_document_is_none() -> None:
    assert refusals(f"{GOOD}\n---\n") == []


@pytest.mark.parametrize("version", ["2.0.0", "2.2.0", None])
def test_another_schema_version(version: str | None) -> None:
    assert f"schemaVersion is {version!r}, Vertex AI takes 2.1.0" in planted(put("schemaVersion", value=version))


@pytest.mark.parametrize("name", ["", "Finetune", "1st", "fine_tune", "a" * 129, "fine tune"])
def test_a_name_that_vertex_does_not_take(name: str) -> None:
    assert planted(put("pipelineInfo", "name", value=name)) == [
        f"pipeline name {name!r} must match ^[a-z][-a-z0-9]{{0,127}}$"
    ]


def test_the_longest_name() -> None:
    assert planted(put("pipelineInfo", "name", value="a" * 128)) == []


@pytest.mark.parametrize(
    ("plant", "field"),
    [
        (put("rooot", value={}), "rooot"),
        (put(*TASKS, "tune-model", "retries", value=3), "retries"),
        (put(*TASKS, "tune-model", "inputs", value={"secrets": {}}), "secrets"),
    ],
)
def test_a_field_that_no_pipeline_has(plant: Callable[[Spec], None], field: str) -> None:
    (found,) = planted(plant)
    assert found.startswith("is not a PipelineSpec: ") and field in found


@pytest.mark.parametrize(
    ("plant", "refusal"),
    [
        (
            put_input("evaluate-model", "project", "componentInputParameter", value="projekt"),
            f"{BODY}.evaluate-model.project: dangling componentInputParameter 'projekt'",
        ),
        (
            put(*TASKS, "evaluate-model", "inputs", "artifacts", "test", value={"componentInputArtifact": "test"}),
            f"{BODY}.evaluate-model.test: dangling componentInputArtifact 'test'",
        ),
        (
            lambda spec: spec["components"][BODY]["dag"]["tasks"]["tune-model"]["dependentTasks"].remove(
                "prepare-data"
            ),
            f"{BODY}.tune-model.train: takes an output of prepare-data but does not wait for it",
        ),
        (
            without(*TASKS, "extract-metrics", "dependentTasks"),
            f"{BODY}.extract-metrics.tuning: takes an output of tune-model but does not wait for it",
        ),
        (
            put_input("extract-metrics", "tuning", "taskOutputArtifact", "producerTask", value="tune"),
            f"{BODY}.extract-metrics.tuning: takes an output of tune, which is not in the same dag",
        ),
        (
            put_input("extract-metrics", "tuning", "taskOutputArtifact", "outputArtifactKey", value="job"),
            f"{BODY}.extract-metrics.tuning: tune-model has no output 'job'",
        ),
        (
            put_input("evaluate-model-4", "endpoint", "taskOutputParameter", "outputParameterKey", value="address"),
            f"{BODY}.evaluate-model-4.endpoint: select-checkpoint has no output 'address'",
        ),
        (
            without(*TASKS, "tune-model", "inputs", "parameters", "run_id"),
            f"{BODY}.tune-model: nothing is given for run_id",
        ),
        (
            without(*TASKS, "tune-model", "inputs", "artifacts", "validation"),
            f"{BODY}.tune-model: nothing is given for validation",
        ),
        (
            put(*TASKS, "prepare-data", "componentRef", "name", value="comp-prepare"),
            f"{BODY}.prepare-data: there is no component comp-prepare",
        ),
    ],
)
def test_a_reference_that_leads_nowhere(plant: Callable[[Spec], None], refusal: str) -> None:
    assert refusal in planted(plant)


def test_an_optional_input_may_be_left_out() -> None:
    assert planted(without(*TASKS, "evaluate-model-4", "inputs", "parameters", "endpoint")) == []


def test_references_inside_a_component_are_followed_too() -> None:
    def wrap(spec: Spec) -> None:
        task = {"componentRef": {"name": "comp-prepare-data"}, "taskInfo": {"name": "inner"}}
        spec["components"]["comp-inner"] = {"dag": {"tasks": {"inner": task}}}

    assert planted(wrap) == [f"comp-inner.inner: nothing is given for {one}" for one in ("experiment_uri", "version")]


@pytest.mark.parametrize(
    ("image", "refused"),
    [
        ("python", True),
        ("python:latest", True),
        ("example.test:5000/python", True),
        ("example.test/python@sha256:abc", False),
        ("example.test:5000/python:3.11", False),
        (f"example.test/python@sha256:{'0' * 64}", False),
        ("", True),
    ],
)
def test_an_image_that_may_change(image: str, refused: bool) -> None:
    found = planted(put(*PREPARE, "image", value=image))
    assert found == ([f"exec-prepare-data: the image {image!r} is not pinned by a tag or digest"] if refused else [])


def test_an_image_that_is_not_known() -> None:
    image = "{{$.inputs.parameters['image']}}"
    assert planted(put(*PREPARE, "image", value=image)) == [
        f"exec-prepare-data: the image {image!r} is only known at run time"
    ]


@pytest.mark.parametrize("command", [["sh", "-c", "python3 -m pip install numpy"], ["pip", "install", "numpy"]])
def test_packages_installed_at_run_time(command: list[str]) -> None:
    assert planted(put(*PREPARE, "command", value=command)) == [
        "exec-prepare-data: installs packages when it starts; they belong in the image"
    ]


def test_a_placeholder_that_was_left() -> None:
    text = "x{{channel:task=tune-model;name=model;type=String;}}"
    assert planted(put("deploymentSpec", "executors", "exec-importer", "importer", "metadata", "a", value=text)) == [
        ".deploymentSpec.executors.exec-importer.importer.metadata.a:"
        " holds a placeholder that the compiler did not resolve"
    ]
    assert planted(put(*PREPARE, "args", value=["a", text])) == [
        ".deploymentSpec.executors.exec-prepare-data.container.args[1]:"
        " holds a placeholder that the compiler did not resolve"
    ]


def test_what_only_kubernetes_knows() -> None:
    found = planted(put(*TASKS, "tune-model", "cachingOptions", "cacheKey", value="k"))
    place = f".components.{BODY}.dag.tasks.tune-model.cachingOptions.cacheKey"
    assert f"{place}: only Kubeflow on Kubernetes knows cacheKey" in found
    found = planted(put(*PREPARE, "workspace", value={"size": "1Gi"}))
    assert (
        ".deploymentSpec.executors.exec-prepare-data.container.workspace: only Kubeflow on Kubernetes knows workspace"
        in found
    )


HEAD = "import kfp\nfrom kfp import dsl\nfrom kfp.dsl import *\nfrom typing import *\n"


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("def f(a: str) -> str:\n    return a + SUFFIX\n", ["SUFFIX"]),
        ("def f(a: str) -> str:\n    return helper(a)\n", ["helper"]),
        ("def f(a: Wrong):\n    pass\n", ["Wrong"]),
        ("def f(a: str):\n    def g():\n        return np.array(a)\n    return [b for _ in range(3)]\n", ["b", "np"]),
        ("@component\ndef f(a: str):\n    pass\n", ["component"]),
        ("def f():\n    return os.environ\n", ["os"]),
        ("def f(a: Input[Dataset], b: Optional[str]) -> NamedTuple('T', c=int):\n    return len(a.uri)\n", []),
        ("def f():\n    import json as j\n    from x import y\n    return j.dumps(y)\n", []),
        ("SUFFIX = 'x'\n\ndef f(a: str) -> str:\n    return g(a) + SUFFIX\n\ndef g(a):\n    return a\n", []),
        ("def f():\n    a = 1\n    def g():\n        return a\n    return {k: v for k, v in g()}\n", []),
        ("def f():\n    try:\n        pass\n    except ValueError as error:\n        print(error, __name__)\n", []),
    ],
)
def test_a_source_that_uses_what_it_does_not_bring(source: str, missing: list[str]) -> None:
    def plant(spec: Spec) -> None:
        command = containers(spec)["exec-prepare-data"]["command"]
        assert "\ndef prepare_data" in command[-1]
        command[-1] = f"{HEAD}\n{source}"

    assert planted(plant) == [
        f"exec-prepare-data: its source uses {name!r}, which it neither defines nor imports" for name in missing
    ]


def test_every_component_of_ours_has_its_source_looked_at() -> None:
    def plant(spec: Spec) -> None:
        for container in containers(spec).values():
            container["command"][-1] += "\n    unheard_of()\n"

    assert len(planted(plant)) == len(containers(SPEC)) >= 5


def test_faults_are_all_said_at_once() -> None:
    def plant(spec: Spec) -> None:
        spec["schemaVersion"] = "1"
        spec["pipelineInfo"]["name"] = "X"
        containers(spec)["exec-tune-model"]["image"] = "python"
        del spec["components"][BODY]["dag"]["tasks"]["tune-model"]["inputs"]["parameters"]["run_id"]

    assert len(planted(plant)) == 4
