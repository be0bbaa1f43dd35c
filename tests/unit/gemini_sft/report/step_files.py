"""The step that compares and reports, and the files that it reads."""

from pathlib import Path

from gemini_sft import storage
from gemini_sft.cost import Bill
from gemini_sft.data.dataset import examples_uri, prompt_uri, sources_uri
from gemini_sft.decision import Comparison
from gemini_sft.inference.prediction import Reply
from gemini_sft.inference.traffic import traffic
from gemini_sft.report import ReportInput
from gemini_sft.report.input import Arm
from gemini_sft.steps.compare_models import compare_models
from gemini_sft.steps.evidence import ArmUris
from gemini_sft.tuning import Base
from gemini_sft.tuning.record import DroppedExamples
from tests.unit.gemini_sft.report.data_sample import usable
from tests.unit.gemini_sft.report.sample import sample_curves, sample_quote, sample_record
from tests.unit.gemini_sft.report.selection_sample import one_job

TRAIN = [{"id": f"t{n}", "source": "a.jsonl" if n < 3 else "b.csv", "line": 10 * n} for n in range(1, 5)]


def written(folder: Path, data: ReportInput) -> dict[str, str]:
    """Writes all that the step reads; of the training split no contents but numbers."""
    names = (
        "models", "train", "test", "data", "judgement", "tuning", "curves", "selection", "quote", "comparison",
        "report", "summary",
    )  # fmt: skip
    uris = {f"{name}_uri": str(folder / name) for name in names}
    uris["experiment_uri"] = str(folder / "experiment" / "demo" / "experiment.yaml")
    dropped = DroppedExamples(count=3, indices=[4, 1, 0, 5], reasons=["too long", "no picture", "?", "?"])
    storage.write_json(uris["experiment_uri"], data.experiment.model_dump(mode="json", exclude_none=True))
    for name, document in {
        "data": usable(),
        "tuning": sample_record(dropped=dropped),
        "curves": sample_curves(),
        "selection": one_job().model_copy(update={"bills": [Bill(trial="", tokens=151_240, epochs=4)]}),
        "quote": sample_quote(),
    }.items():
        storage.write_json(uris[f"{name}_uri"], document.model_dump(mode="json"))
    storage.write_json(uris["models_uri"], {"base": Base(id="gemini-2.5-flash-lite").model_dump(mode="json")})
    storage.write_json(prompt_uri(uris["test_uri"]), {"fingerprint": "0123456789abcdef"})
    write_arm(uris, "base", data.base)
    write_arm(uris, "candidate", data.candidate)
    storage.write_jsonl(sources_uri(uris["train_uri"]), TRAIN)
    storage.write_jsonl(examples_uri(uris["train_uri"]), ({"number": one["line"]} for one in TRAIN))
    storage.write_jsonl(examples_uri(uris["test_uri"]), (one.record for one in data.test))
    places = ({"id": one.id, "source": one.source, "line": one.line} for one in data.test)
    storage.write_jsonl(sources_uri(uris["test_uri"]), places)
    return uris


def compared(files: dict[str, str], run_id: str = "demo-1") -> Comparison:
    """The step, told of all arms, whether they were asked or not."""
    uris = {name: arm_uris(files, name) for name in ("base", "candidate", "few_shot", "champion")}
    return compare_models(run_id=run_id, arms=uris, **files)


def arm_uris(files: dict[str, str], name: str) -> ArmUris:
    folder = Path(files["models_uri"]).parent / name
    return ArmUris(str(folder / "predictions"), str(folder / "evaluation"), str(folder / "traffic"))


def write_arm(files: dict[str, str], name: str, arm: Arm) -> None:
    uris = arm_uris(files, name)
    storage.write_jsonl(uris.predictions, (one.model_dump(mode="json") for one in arm.predictions))
    storage.write_json(uris.evaluation, arm.result.model_dump(mode="json"))
    replies = [Reply(prediction=one, seconds=0.5) for one in arm.predictions]
    storage.write_json(uris.traffic, traffic(replies, kept=0, seconds=30.0).model_dump(mode="json"))
