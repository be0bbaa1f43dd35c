"""The tree of a job's tasks and its picture, from specs of any shape."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vertex_emulator.pages.drawing import Drawing, drawing
from vertex_emulator.pages.tasks import Task, task_tree


def job(components: dict[str, Any], tasks: dict[str, Any], *details: dict[str, Any], state: str = "RUNNING") -> Any:
    spec = {"components": components, "root": {"dag": {"tasks": tasks}}}
    return {"state": f"PIPELINE_STATE_{state}", "pipelineSpec": spec, "jobDetail": {"taskDetails": list(details)}}


def of(component: str, *after: str, **more: Any) -> dict[str, Any]:
    return {"componentRef": {"name": component}, "dependentTasks": list(after), **more}


def paths(root: Task) -> list[str]:
    return [task.path for task in root.walk() if task.path]


def test_inputs_tell_as_well_who_waits_for_whom() -> None:
    taken = {
        "parameters": {"x": {"taskOutputParameter": {"producerTask": "a"}}, "y": {"runtimeValue": {"constant": 1}}},
        "artifacts": {"z": {"taskOutputArtifact": {"producerTask": "b"}}, "w": {"componentInputArtifact": "w"}},
    }
    told = {"parameters": {"status": {"taskFinalStatus": {"producerTask": "c"}}}}
    tasks = {"a": of("leaf"), "b": of("leaf"), "c": of("leaf", inputs=taken), "d": of("leaf", "gone", inputs=told)}
    assert task_tree(job({}, tasks)).edges == [("a", "c"), ("b", "c"), ("c", "d")]


def test_what_a_branch_holds_is_known_before_it_is_taken() -> None:
    components = {"branch": {"dag": {"tasks": {"inner": of("leaf")}}}}
    tasks = {"check": of("branch")}
    (check,) = task_tree(job(components, tasks)).children
    assert (check.state.word, check.children[0].state.word) == ("pending", "pending")
    skipped = {"taskUniqueName": "check", "taskId": "1", "state": "NOT_TRIGGERED"}
    (check,) = task_tree(job(components, tasks, skipped)).children
    assert check.idle and check.children[0].idle
    (check,) = task_tree(job(components, tasks, state="FAILED")).children
    assert check.idle and check.children[0].idle


def test_a_loop_holds_its_iterations_in_the_order_of_their_numbers() -> None:
    components = {"loop": {"dag": {"tasks": {"inner": of("leaf")}}}}
    numbers = [f"each.each-iteration-{number}" for number in (10, 9, 0)]
    details = [{"taskUniqueName": name, "state": "RUNNING"} for name in ["each", *numbers, "each.other-iteration-3"]]
    (loop,) = task_tree(job(components, {"each": of("loop")}, *details)).children
    assert [child.name for child in loop.children] == ["iteration 0", "iteration 9", "iteration 10"]
    assert loop.children[1].children[0].path == "each.each-iteration-9.inner"
    assert loop.children[1].children[0].within == "iteration 9"


def test_a_pipeline_that_is_part_of_itself_ends() -> None:
    components = {"again": {"dag": {"tasks": {"more": of("again"), "leaf": of("leaf")}}}}
    assert paths(task_tree(job(components, {"start": of("again")}))) == ["start", "start.leaf", "start.more"]


@st.composite
def nested(draw: st.DrawFn, depth: int = 3) -> Task:
    name = draw(st.text(max_size=40))
    task = Task(str(draw(st.uuids())), name, {}, holds=True)
    if depth:
        task.children = draw(st.lists(nested(depth=depth - 1), max_size=5))
    if len(task.children) > 1:
        ends = st.sampled_from([child.path for child in task.children])
        task.edges = draw(st.lists(st.tuples(ends, ends), max_size=6))
    return task


def inside(drawn: Drawing, x: float, y: float, width: float, height: float) -> bool:
    whole = drawn.size
    return x >= -1e-6 and y >= -1e-6 and x + width <= whole[0] + 1e-6 and y + height <= whole[1] + 1e-6


@settings(max_examples=40)
@given(nested())
def test_no_task_covers_another_and_groups_hold_what_they_hold(root: Task) -> None:
    drawn = drawing(root)
    boxes = {one.task.path: one.box for one in [*drawn.groups, *drawn.nodes]}
    assert sorted(boxes) == sorted(paths(root)[1:] if root.path else paths(root))
    assert all(inside(drawn, box.x, box.y, box.width, box.height) for box in boxes.values())
    for one in root.walk():
        for child in one.children:
            box = boxes[child.path]
            if one is not root:
                outer = boxes[one.path]
                assert outer.x < box.x and box.x + box.width < outer.x + outer.width
                assert outer.y < box.y and box.y + box.height < outer.y + outer.height
        for number, child in enumerate(one.children):
            for other in one.children[:number]:
                a, b = boxes[child.path], boxes[other.path]
                apart = a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
                assert apart
