"""`gemini-sft predict`: what a tuned model answers."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from gemini_sft import storage
from gemini_sft.catalog import catalog
from gemini_sft.cost.words import counted
from gemini_sft.data import Example
from gemini_sft.data.prompts import instructed, one_prompt, read_prompts
from gemini_sft.data.reading import reading_of
from gemini_sft.errors import EvaluationError, UserError
from gemini_sft.experiment import Experiment, load_experiment
from gemini_sft.experiment.schema import Backend
from gemini_sft.inference import Prediction, Service, predict, render
from gemini_sft.inference.fingerprint import check_sent
from gemini_sft.tuning import Base, Selection, TuningRecord, find_champion
from launcher import results
from launcher.place import Place, Request, at_place
from launcher.runs import find_run
from launcher.target import Target

_TAKEN = "selection.json"
"""What a run leaves that has tuned a model: which one it has taken."""


@dataclass(frozen=True)
class Question:
    """What is asked, and of whom.

    Attributes:
        texts: The one prompt; see `gemini_sft.data.prompts.one_prompt`.
        file: A file of prompts, in place of it.
        run_id: Whose model; None for the champion's.
        out: Where the answers to a file are put; None for nowhere.
    """

    texts: Sequence[str] = ()
    file: Path | None = None
    run_id: str | None = None
    out: Path | None = None


def ask_model(request: Request, question: Question, console: Console) -> dict[str, Any]:
    """Asks a tuned model as the experiment's evaluation would ask it.

    Returns:
        The object that `--json` prints: `model`, `endpoint`, `examples`, `failures`, `outcomes`, `out`, `answers` (each
        with `source`, `line`, `outcome`, `text`, `tokens`, `error`, in the order of the prompts; None if they are in
        `out`), and `problems`, of which there are none.

    Raises:
        UserError: There is nothing to ask or nobody to be asked, a prompt cannot be read, or the model was tuned with
            another one.
        RunError: A service did not answer.
    """
    experiment = request.experiment()
    examples = _examples(experiment, question)
    if question.out:
        _require_writable(question.out)
    asked = _of_run(request.data_dir, question.run_id, experiment.name) if question.run_id else None
    with at_place(request, console) as place:
        asked = asked or _champion(experiment, place.target)
        if experiment.prompt.few_shot:
            console.print("Reading the data again, from which the few-shot examples are drawn ...")
        found = _ask(experiment, instructed(experiment, examples), asked, place)
    answers = [_answer(example, one) for example, one in zip(examples, found, strict=True)]
    if question.out:
        storage.write_jsonl(str(question.out), answers)
    if any(one.model_version.startswith("stand-in") for one in found):
        console.print(Text("A local stand-in answered, not Gemini.", "yellow"))
    return {
        "model": asked.model,
        "endpoint": asked.endpoint,
        "examples": len(found),
        "failures": sum(not one.outcome.has_answer for one in found),
        "outcomes": Counter(one.outcome.value for one in found),
        "out": str(question.out) if question.out else None,
        "answers": None if question.out else answers,
        "problems": [],
    }


def nothing(problems: list[str]) -> dict[str, Any]:
    """Returns the same object for what could not be asked."""
    keys = ("model", "endpoint", "examples", "failures", "outcomes", "out", "answers")
    return dict.fromkeys(keys) | {"problems": problems}


def show(question: Question, found: dict[str, Any], console: Console) -> None:
    """Writes answers to standard output: to a text its answer alone, to a file JSONL; the rest is told on `console`."""
    answers = found["answers"] or []
    if question.file:
        sys.stdout.write("".join(orjson.dumps(one).decode() + "\n" for one in answers))
        where = f", in {found['out']}" if found["out"] else ""
        console.print(Text(f"{counted(found['examples'], 'prompt')}, {found['failures']:,} without an answer{where}"))
    elif found["failures"]:
        console.print(Text(f"No answer: {answers[0]['outcome']}: {answers[0]['error']}", "red"), soft_wrap=True)
    else:
        print(answers[0]["text"])


def _examples(experiment: Experiment, question: Question) -> list[Example]:
    if question.file:
        if question.texts:
            raise UserError("TEXT and --file are both given: give one of them")
        return read_prompts(experiment, str(question.file))
    if not question.texts:
        raise UserError("nothing to ask: give a TEXT, or --file with a file of prompts")
    if question.out:
        raise UserError("--out is for the answers to a --file: the answer to a TEXT goes to standard output")
    return one_prompt(experiment, question.texts)


def _require_writable(path: Path) -> None:
    """Finds out before anything is paid for whether the answers can be put there."""
    if path.is_dir():
        raise UserError(f"--out {path}: is a directory, not a file")
    there = next(one for one in path.absolute().parents if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise UserError(f"--out {path}: {there} is no directory that you may write to")


def _of_run(data_dir: Path, run: str, experiment: str) -> Base:
    """Returns the model that a run has taken; the latest run is that of the experiment which has one."""

    def fits(folder: Path) -> bool:
        return (folder / _TAKEN).is_file() and load_experiment(str(folder / results.EXPERIMENT)).name == experiment

    folder = find_run(data_dir, run, fits)
    if not (folder / _TAKEN).is_file():
        raise UserError(
            f"the run {folder.name} has tuned no model: give --run another, or leave it out for the champion"
        )
    taken = Selection.model_validate(storage.read_json(str(folder / _TAKEN))).taken
    record = TuningRecord.model_validate(storage.read_json(str(folder / "tuning.json")))
    return Base(id=record.base_model, model=taken.model, checkpoint=taken.checkpoint or None, endpoint=taken.endpoint)


def _champion(experiment: Experiment, target: Target) -> Base:
    found = find_champion(target.project, target.location, experiment.name)
    if found is None:
        why = f"in {target.location} no run of it has promoted a model"
    elif found.endpoint is None:
        why = f"no endpoint serves {found.model}"
    else:
        return found
    raise UserError(f"no champion of {experiment.name} can be asked: {why}; or ask the model of a run: --run RUN_ID")


def _ask(experiment: Experiment, examples: Sequence[Example], asked: Base, place: Place) -> list[Prediction]:
    if objection := catalog().objection(asked.id, "can be asked"):
        raise UserError(f"{asked.model}: {objection}")
    endpoint = asked.asked
    try:
        check_sent(endpoint, examples, reading_of(experiment).usual_template)
    except EvaluationError as error:  # nothing has run that could have failed
        raise UserError(str(error)) from error
    # A batch job asks a model's default checkpoint, and may take a day.
    settings = experiment.evaluation.model_copy(update={"backend": Backend.ONLINE})
    service = Service(place.target.project, place.target.location, endpoint)
    return predict(service, [render(one, asked.id, settings) for one in examples], settings).predictions


def _answer(example: Example, prediction: Prediction) -> dict[str, Any]:
    return {
        "source": example.source,
        "line": example.line,
        "outcome": prediction.outcome.value,
        "text": prediction.text if prediction.outcome.has_answer else "",
        "tokens": {
            "prompt": prediction.prompt_tokens,
            "answer": prediction.output_tokens,
            "thoughts": prediction.thought_tokens,
        },
        "error": None if prediction.outcome.has_answer else prediction.error or prediction.reason,
    }
