"""Made-up finished runs, for the tests of what compares two of them."""

from collections.abc import Sequence
from typing import Any

from gemini_sft.cost import Bill
from gemini_sft.data import Example
from gemini_sft.report.between import FinishedRun
from tests.unit.gemini_sft.report.data_sample import split, summary
from tests.unit.gemini_sft.report.sample import answers, made_of, sample_examples
from tests.unit.gemini_sft.report.selection_sample import one_job
from tests.unit.gemini_sft.report.whole_sample import counted, promoted, quote_lines, timed

FINGERPRINT = "0123456789abcdef"


def finished_run(name: str, quality: float, *, seed: int = 1, test: Sequence[Example] | None = None) -> FinishedRun:
    """Returns a run whose tuned model keeps about so much of the right answers' words."""
    test = sample_examples(60) if test is None else test
    data = made_of(test, answers(test, 0.4, 9), counted(answers(test, quality, seed), 212))
    candidate = timed(data.candidate, 0.5)
    assert candidate.traffic
    selection = one_job()
    bills = [Bill(trial="", tokens=151_240, epochs=4)]
    taken = selection.taken.model_copy(update={"model": f"{selection.taken.model}-{name}"})
    candidates = [taken if one == selection.taken else one for one in selection.candidates]
    return FinishedRun(
        run_id=f"tickets-20261122-1415{seed:02}-{name}",
        experiment=data.experiment,
        comparison=data.comparison,
        result=candidate.result.model_copy(update={"prompt": FINGERPRINT}),
        predictions=candidate.predictions,
        traffic=candidate.traffic,
        tuning=data.tuning,
        selection=selection.model_copy(update={"bills": bills, "candidates": candidates}),
        curves=data.curves,
        quote=quote_lines(),
        data=summary(splits={"train": split(240, 33), "validation": split(30), "test": split(len(test))}),
    )


def asked(run: FinishedRun, **sections: dict[str, Any]) -> dict[str, Any]:
    """Returns the run's experiment with other values in some sections, to be put into a run."""
    document = run.experiment.model_dump(mode="json")
    for name, section in sections.items():
        document[name] = (document[name] or {}) | section
    return {"experiment": type(run.experiment).model_validate(document)}


def with_champion() -> dict[str, Any]:
    """Returns a comparison with champion, guards and judge, to be put into a run."""
    return {"comparison": promoted(60).comparison}
