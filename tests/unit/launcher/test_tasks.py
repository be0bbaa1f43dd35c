"""The tasks of a run with an exit handler, a loop and a branch, as Vertex AI may list them."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud.aiplatform_v1.types import PipelineTaskDetail
from hypothesis import given
from hypothesis import strategies as st
from kfp import compiler

from launcher.tasks import Tasks, TaskView, read_pipeline
from tests.promoting import promoting

ROOT, BODY, LOOP, BRANCH = 1, 2, 4, 20
NAMES = ["plan", "tune", "tune (2)", "compare", "promote the model", "announce", "tell the team"]


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Tasks:
    path = tmp_path_factory.mktemp("compiled") / "promoting.yaml"
    compiler.Compiler().compile(promoting, str(path))
    return Tasks(read_pipeline(path))


def detail(number: int, name: str, parent: int, state: str = "SUCCEEDED", second: int | None = None) -> Any:
    started = {} if second is None else {"start_time": datetime(2026, 11, 26, 12, 0, second, tzinfo=UTC)}
    return PipelineTaskDetail(task_id=number, task_name=name, parent_task_id=parent, state=state, **started)


def body(*, display: bool = False) -> list[Any]:
    """What runs in any case, under the names for display or the tasks' own."""

    def name(own: str, shown: str) -> str:
        return shown if display else own

    return [
        detail(ROOT, "demo-1", 0, second=0),
        detail(BODY, name("exit-handler-1", "whatever happens"), ROOT, second=1),
        detail(3, "plan", BODY, second=2),
        detail(LOOP, name("for-loop-2", "each trial"), BODY, second=3),
        detail(5, "for-loop-2-iteration-0", LOOP, second=4),
        detail(6, "tune", 5, second=5),
        detail(7, "for-loop-2-iteration-1", LOOP, second=6),
        detail(8, "tune", 7, second=7),
        detail(9, "compare", BODY, second=8),
        detail(30, name("notify", "tell the team"), ROOT, second=20),
    ]


def branch(state: str | None, *inside: str, display: bool = False) -> list[Any]:
    """The branch in a state, and the tasks in it in theirs; None for not listed."""
    second = 9 if state == "SUCCEEDED" else None
    found = [detail(BRANCH, "if it is better" if display else "condition-3", BODY, state, second)] if state else []
    names = ("promote the model" if display else "promote", "announce")
    for number, (name, inner) in enumerate(zip(names, inside, strict=False)):
        found.append(detail(21 + number, name, BRANCH, inner, second and second + 1 + number))
    return found


def shown(views: Sequence[TaskView]) -> dict[str, str]:
    return {view.name: view.state for view in views}


@pytest.mark.parametrize("display", [False, True])
def test_all_that_does_something_is_there_in_its_order(tasks: Tasks, display: bool) -> None:
    details = [*body(display=display), *branch("SUCCEEDED", "SUCCEEDED", "SUCCEEDED", display=display)]
    for seed in range(5):
        random.Random(seed).shuffle(details)
        views = tasks.views(details, ended=True)
        assert [view.name for view in views] == NAMES and set(shown(views).values()) == {"SUCCEEDED"}


@pytest.mark.parametrize(
    "listed",
    [
        branch(None),
        branch("NOT_TRIGGERED"),
        branch("SKIPPED"),
        branch("NOT_TRIGGERED", "NOT_TRIGGERED", "NOT_TRIGGERED"),
        branch("SKIPPED", "SKIPPED", "SKIPPED"),
        branch("NOT_TRIGGERED", "PENDING"),
        branch("NOT_TRIGGERED", "SKIPPED", "SKIPPED", display=True),
    ],
    ids=["unlisted", "alone", "skipped alone", "listed", "skipped", "half listed", "names for display"],
)
def test_however_a_branch_that_was_not_taken_is_told(tasks: Tasks, listed: list[Any]) -> None:
    found = shown(tasks.views([*body(), *listed], ended=True))
    assert found.keys() == {*NAMES}
    assert {name for name, state in found.items() if state == "NOT_TRIGGERED"} == {"promote the model", "announce"}


def test_as_long_as_a_run_goes_on_nothing_is_said_of_what_is_not_listed(tasks: Tasks) -> None:
    found = shown(tasks.views(body(), ended=False))
    assert found.keys() == {*NAMES} - {"promote the model", "announce"}


def test_a_task_whose_outputs_are_known_is_no_task_that_did_not_run(tasks: Tasks) -> None:
    listed = [*body(), *branch("SUCCEEDED", "SKIPPED", "SUCCEEDED")]
    assert shown(tasks.views(listed, ended=True))["promote the model"] == "SKIPPED"


@pytest.mark.parametrize(
    "names",
    [("exit-handler-1", "for-loop-2", "condition-3"), ("whatever happens", "each trial", "if it is better")],
    ids=["own", "display"],
)
def test_groups_in_which_nothing_is_yet_are_hidden(tasks: Tasks, names: tuple[str, str, str]) -> None:
    """The exit handler, the loop, its turn and the branch have no children yet, and one has not begun."""
    listed = [
        detail(BODY, names[0], 0, "RUNNING", 1),
        detail(LOOP, names[1], BODY, "RUNNING", 2),
        detail(5, "for-loop-2-iteration-0", LOOP, "RUNNING", 3),
        detail(BRANCH, names[2], BODY, "PENDING"),
    ]
    for number in range(1, len(listed) + 1):
        assert tasks.views(listed[:number], ended=False) == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["plan", "tune", "exit-handler-1", "condition-3", "for-loop-2", "unheard-of"]),
            st.integers(0, 12),
            st.sampled_from(["PENDING", "RUNNING", "SUCCEEDED", "SKIPPED", "NOT_TRIGGERED", "FAILED"]),
        ),
        max_size=12,
    )
)
def test_whatever_is_listed_every_name_is_there_once(tasks: Tasks, listed: list[tuple[str, int, str]]) -> None:
    details = [detail(number, name, parent % number, state) for number, (name, parent, state) in enumerate(listed, 1)]
    views = tasks.views(details, ended=True)
    names = [view.name for view in views]
    assert len(names) == len({*names}) and {"plan", "tune", "compare", "tell the team"} <= {*names}
    assert not {"exit-handler-1", "condition-3", "for-loop-2", "whatever happens"} & {*names}


def test_a_task_that_is_called_as_a_group_is_not_hidden(tmp_path: Path) -> None:
    path = tmp_path / "promoting.yaml"
    compiler.Compiler().compile(promoting, str(path))
    path.write_text(path.read_text().replace("name: whatever happens", "name: tell the team"))
    found = Tasks(read_pipeline(path)).views([detail(30, "tell the team", ROOT, second=20)], ended=False)
    assert [view.name for view in found] == ["tell the team"]
