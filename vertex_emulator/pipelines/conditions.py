"""Makes `kfp.local` evaluate `dsl.If` as Vertex does.

A condition speaks of the inputs of its task. kfp.local guesses instead from an input's name where its value is, and
pastes strings between quotes. A named output (`task.outputs["x"]`) and a string with a quote or a line break in it
then make a condition false without a word.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from kfp.local.orchestrator import enhanced_dag_orchestrator as orchestrator
from kfp.local.orchestrator.orchestrator_utils import OrchestratorUtils

_TASKS: ContextVar[Mapping[str, Any]] = ContextVar("tasks")
_INPUTS: ContextVar[Mapping[str, Any]] = ContextVar("inputs")


def install() -> None:
    """Puts this into `kfp.local`, for good."""
    evaluator = orchestrator.ConditionEvaluator
    run_dag = orchestrator.run_enhanced_dag
    evaluate = evaluator.evaluate_condition
    resolve = evaluator._resolve_pipeline_channel

    def run_known_dag(**call: Any) -> Any:
        outer = _TASKS.set(call["dag_component_spec"].dag.tasks)
        try:
            return run_dag(**call)
        finally:
            _TASKS.reset(outer)

    def evaluate_with_inputs(condition: str, io_store: Any) -> bool:
        # Tasks with the same condition have the same inputs: an input's name says where it comes from.
        task = next(task for task in _TASKS.get().values() if task.trigger_policy.condition == condition)
        try:
            inputs = OrchestratorUtils.make_task_arguments(task.inputs, io_store)
        except ValueError:  # of a task that did not run
            inputs = {}
        outer = _INPUTS.set(inputs)
        try:
            return bool(evaluate(condition, io_store))
        finally:
            _INPUTS.reset(outer)

    def resolve_input(reference: str, io_store: Any) -> Any:
        inputs = _INPUTS.get()
        value = inputs[reference] if reference in inputs else resolve(reference, io_store)
        return _quotable(value) if isinstance(value, str) else value

    orchestrator.run_enhanced_dag = run_known_dag
    evaluator.evaluate_condition = staticmethod(evaluate_with_inputs)
    evaluator._resolve_pipeline_channel = staticmethod(resolve_input)


def _quotable(text: str) -> str:
    """Returns what stands for `text` between single quotes in Python."""
    return repr(f'"{text}')[2:-1]  # the double quote in front makes repr choose single ones
