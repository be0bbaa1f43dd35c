"""Metrics of the user's own: a function in a Python file, which `evaluation.metrics` names as `PATH.py:FUNCTION`.

    def words(answer: str, references: list[str]) -> float:
        return float(len(answer.split()))

It may also take a third argument, `prompt: str`. The file may import whatever is installed where it runs, but no file
beside it. It is run where the experiment is read, so that a mistake is found before anything is started, and again in
the pipeline.
"""

import contextlib
import hashlib
import inspect
import math
import numbers
import os
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from gemini_sft import storage
from gemini_sft.data.example import Example
from gemini_sft.errors import EvaluationError, ExperimentError, Problem, UserError

_PLACE = "evaluation.metrics"
_EXPECTED = "expected FUNCTION(answer, references) or FUNCTION(answer, references, prompt)"

_NOWHERE = Path(os.devnull)

_LARGEST = 1e100
"""Beyond this the mean of many numbers may be none."""


@dataclass(frozen=True)
class OwnMetric:
    """A metric of the user's own.

    Attributes:
        name: Of the function, and so of the metric.
        file: Where it stands.
        function: The function.
        takes_prompt: Whether it is given the prompt too.
    """

    name: str
    file: str
    function: Callable[..., Any]
    takes_prompt: bool

    def score(self, answer: str, references: Sequence[str], prompt: str) -> float:
        """Returns what the function says. What it prints goes nowhere: it would be in the task's log, with the data.

        Raises:
            EvaluationError: It raised an exception, `sys.exit()` included, or returned no finite number. The message
                says which and where, and nothing of what it was given or of what it said itself, which may hold that.
        """
        try:
            more = {"prompt": prompt} if self.takes_prompt else {}
            # A file of the system, for a function may want more of its standard output than a place to write to.
            with _NOWHERE.open("w", encoding="utf-8", errors="ignore") as nowhere, contextlib.redirect_stdout(nowhere):
                value = self.function(answer, list(references), **more)
        except (Exception, SystemExit) as error:
            raise EvaluationError(f"{self._what} raised {type(error).__name__}{_line(error, self.file)}") from None
        if not isinstance(value, numbers.Real):
            raise EvaluationError(f"{self._what} returned {type(value).__name__}: expected a number")
        try:
            number = float(value)
        except OverflowError:  # of a whole number
            number = math.inf
        if not abs(number) <= _LARGEST:
            raise EvaluationError(f"{self._what} returned {number:g}: expected a finite number")
        return number

    @property
    def _what(self) -> str:
        return f"the metric {self.name} of {self.file}"


def load_own(specs: Sequence[str], taken: Collection[str]) -> tuple[OwnMetric, ...]:
    """Loads metrics.

    Args:
        specs: Each `PATH.py:FUNCTION`, of which the path may be a `gs://` URI.
        taken: Names that other metrics have.

    Raises:
        ExperimentError: A file or function does not exist or cannot be used; all problems at once.
    """
    modules: dict[str, ModuleType] = {}
    problems: list[Problem] = []
    found: list[OwnMetric] = []
    for spec in specs:
        file, _, name = spec.rpartition(":")
        try:
            if name in taken or any(one.name == name for one in found):
                raise UserError(f"{spec}: another metric has the name {name}: give the function another")
            if file not in modules:
                modules[file] = _run(file)
            found.append(_metric(modules[file], file, name))
        except UserError as error:
            problems.append(Problem(_PLACE, str(error)))
    if problems:
        raise ExperimentError(problems)
    return tuple(found)


def rehearse(metrics: Sequence[OwnMetric], examples: Iterable[Example]) -> None:
    """Scores some right answers, so that a mistake that shows only then costs nothing.

    Raises:
        ExperimentError: A metric failed; all that did.
    """
    problems: dict[str, Problem] = {}
    for example in examples:
        for metric in metrics:
            try:
                metric.score(example.target, example.references, example.prompt_text)
            except EvaluationError as error:
                where = f"with the target of {example.source}:{example.line} as answer"
                problems.setdefault(metric.name, Problem(_PLACE, f"{error}, {where}"))
    if problems:
        raise ExperimentError(list(problems.values()))


def _run(file: str) -> ModuleType:
    text = storage.read_text(file)
    module = ModuleType(f"own_metric_{hashlib.sha256(file.encode()).hexdigest()[:8]}")
    module.__file__ = file
    try:
        code = compile(text, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:  # a ValueError of a NUL byte
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UserError(f"{file}{line}: is not Python: {what}") from None
    sys.modules[module.__name__] = module  # or a dataclass in it would not find its own module
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what we print ourselves may be JSON for a program
            exec(code, module.__dict__)
    except (Exception, SystemExit) as error:
        what = f"{type(error).__name__}: {error}"
        raise UserError(f"{file}: cannot be loaded: {what}{_line(error, file)}") from None
    return module


def _metric(module: ModuleType, file: str, name: str) -> OwnMetric:
    function = getattr(module, name, None)
    if function is None:
        there = [key for key, value in vars(module).items() if inspect.isfunction(value) and not key.startswith("_")]
        raise UserError(f"{file}: there is no function {name}" + (f" (there are: {', '.join(there)})" if there else ""))
    if not callable(function) or inspect.iscoroutinefunction(function):
        raise UserError(f"{file}: {name} is not an ordinary function: {_EXPECTED}")
    try:
        signature = inspect.signature(function)
        takes_prompt = "prompt" in signature.parameters
        signature.bind("", [], **({"prompt": ""} if takes_prompt else {}))
    except (TypeError, ValueError):
        raise UserError(f"{file}: {name} takes other arguments: {_EXPECTED}") from None
    return OwnMetric(name, file, function, takes_prompt)


def _line(error: BaseException, file: str) -> str:
    """Returns where in the user's file an exception arose."""
    lines = []
    trace = error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == file:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f" in line {lines[-1]}" if lines else ""
