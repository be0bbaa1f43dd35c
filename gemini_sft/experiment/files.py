"""What an experiment names beside its own file: data, the texts of its prompt, metrics of the user's own."""

from pathlib import Path

from gemini_sft import storage
from gemini_sft.errors import ExperimentError, Problem, UserError
from gemini_sft.experiment.schema import Experiment, Prompt
from gemini_sft.experiment.template import columns_of


def complete(experiment: Experiment, experiment_file: str) -> Experiment:
    """Returns an experiment that stands by itself.

    Local data and metrics are absolute paths (they stand relative to the experiment's file), and the template and the
    system instruction are in it instead of files' names.

    Raises:
        ExperimentError: A text is given twice, its file cannot be read, or a template names no column.
    """
    folder = Path(experiment_file).resolve().parent
    data, evaluation = experiment.data, experiment.evaluation
    places = {split: _absolute(getattr(data, split), folder) for split in ("train", "validation", "test")}
    return experiment.model_copy(
        update={
            "data": data.model_copy(update=places),
            "prompt": _with_texts(experiment.prompt, folder),
            "evaluation": evaluation.model_copy(update={"metrics": _absolute(evaluation.metrics, folder)}),
        }
    )


def _absolute(given: str | list[str] | None, folder: Path) -> str | list[str] | None:
    if given is None:
        return None
    if isinstance(given, list):
        return [one if "://" in one else str(folder / one) for one in given]
    return given if "://" in given else str(folder / given)


def _with_texts(prompt: Prompt, folder: Path) -> Prompt:
    problems: list[Problem] = []
    texts: dict[str, str | None] = {}
    for name in ("system_instruction", "template"):
        file = getattr(prompt, f"{name}_file")
        if file is None:
            continue
        place = f"prompt.{name}_file"
        if getattr(prompt, name) is not None:
            problems.append(Problem(place, f"prompt.{name} is given too: keep one of them"))
            continue
        try:
            text = storage.read_text(file if "://" in file else str(folder / file)).strip()
            if not text:
                raise UserError(f"{file} is empty")
            if name == "template":
                columns_of(text)
            texts |= {name: text, f"{name}_file": None}
        except UserError as error:
            problems.append(Problem(place, str(error)))
        except ValueError as error:
            problems.append(Problem(place, f"{file}: {error}"))
    if problems:
        raise ExperimentError(problems)
    return prompt.model_copy(update=texts)
