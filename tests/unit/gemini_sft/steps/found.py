"""What tasks have found out before the models are compared, on files, and changes of it."""

from collections.abc import Sequence
from typing import Any

from gemini_sft import storage
from gemini_sft.data import Example, read_split
from gemini_sft.data.dataset import sources_uri
from gemini_sft.decision.outcome import Outcome, outcome_uri
from gemini_sft.experiment import load_experiment
from gemini_sft.inference import Prediction, Service
from gemini_sft.inference.evaluation import evaluate
from gemini_sft.judging import judge
from gemini_sft.metrics import metrics_for
from gemini_sft.report.input import Arm
from gemini_sft.retraining.trained import Trained, keep
from gemini_sft.steps.places import OUTCOMES, TRAINED, beside
from tests.unit.gemini_sft.report.sample import answered
from tests.unit.gemini_sft.report.selection_sample import one_job
from tests.unit.gemini_sft.report.step_files import write_arm

Files = dict[str, str]
N = 16
RIGHT = "one two three four five six seven eight"
BASE = "one two"
IN_USE = "one two three four"
TUNED = "one two three four five six"
ROOT = {"id": "gemini-2.5-flash-lite"}
CHAMPION = {**ROOT, "model": "projects/7/locations/us/models/3@2", "checkpoint": "4", "endpoint": "e"}
CHAMPION_NAME = "projects/7/locations/us/models/3@2 checkpoint 4"
TAKEN = one_job().taken


def texts(test: Sequence[Example], text: str) -> list[Prediction]:
    return [answered(one, text) for one in test]


def answer(files: Files, **said: str) -> None:
    """Lets arms give other answers, scored as the experiment says."""
    test = read_split(files["test_uri"])
    metrics = metrics_for(load_experiment(files["experiment_uri"]), files["test_uri"])
    for arm, text in said.items():
        predictions = texts(test, text)
        write_arm(files, arm, Arm(evaluate(metrics, arm, test, predictions, max_failure_rate=0), predictions))


def ask(files: Files, section: str, **changes: Any) -> None:
    """Changes a section of the experiment."""
    document = storage.read_json(files["experiment_uri"])
    document[section] = document.get(section, {}) | changes
    storage.write_json(files["experiment_uri"], document)


def find(files: Files, champion: dict[str, str] | None, base: dict[str, str] | None = None) -> None:
    """Changes what was found when the run began."""
    storage.write_json(files["models_uri"], {"base": base or ROOT, "champion": champion})


def learn(files: Files, ids: Sequence[str]) -> None:
    """Lets the champion have been tuned on some examples."""
    folder = beside(files["experiment_uri"], TRAINED)
    keep(folder, "i", Trained(data="d", start=ROOT["id"], settings={}), ids)
    found = storage.read_json(files["models_uri"])
    storage.write_json(files["models_uri"], found | {"tuned_on": {found["champion"]["model"]: ["d"]}})


def take(files: Files, **changes: Any) -> None:
    """Lets another tuned model be taken than `TAKEN`."""
    selection = one_job()
    taken = TAKEN.model_copy(update=changes)
    selection = selection.model_copy(update={"candidates": [taken], "chosen": 0})
    storage.write_json(files["selection_uri"], selection.model_dump(mode="json"))


def mark(files: Files, **columns: Any) -> None:
    """Gives the test examples, in turn, what stands in columns of the user's file."""
    uri = sources_uri(files["test_uri"])
    rows = list(storage.read_jsonl(uri))
    more = ({name: values[n % len(values)] for name, values in columns.items()} for n in range(N))
    storage.write_jsonl(uri, (row | one for row, one in zip(rows, more, strict=True)))


def other_examples(files: Files) -> None:
    """Other test examples: ids of their own, and the same answers."""
    uri = sources_uri(files["test_uri"])
    storage.write_jsonl(uri, ({**row, "id": f"f{row['id'][1:]}"} for row in list(storage.read_jsonl(uri))))
    answer(files, base=BASE, candidate=TUNED, champion=IN_USE)


def outcome(files: Files, run_id: str = "demo-1") -> Outcome:
    folder = beside(files["experiment_uri"], OUTCOMES)
    return Outcome.model_validate(storage.read_json(outcome_uri(folder, run_id)))


def judged_alike(files: Files) -> None:
    """A judge that has nothing to choose, as both models say the same, and so is asked nothing."""
    ask(files, "evaluation", judge={"model": "gemini-2.5-pro"})
    test = read_split(files["test_uri"])
    same = texts(test, TUNED)
    service = Service("p", "us-central1", "gemini-2.5-pro")
    made = judge(service, load_experiment(files["experiment_uri"]), test, same, same)
    storage.write_json(files["judgement_uri"], made.model_dump(mode="json"))
