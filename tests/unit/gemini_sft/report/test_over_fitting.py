"""Over-fitting is told of beside the verdict, and what is said of it fits the checkpoint that was taken."""

from dataclasses import replace

import pytest

from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.report import ReportInput, report_page
from gemini_sft.report.curves import curves_view
from gemini_sft.report.over_fitting import over_fitting
from gemini_sft.tuning import Curves, Selection
from gemini_sft.tuning.curves import Curve
from tests.unit.gemini_sft.report.sample import sample_curves, sample_input, sample_record
from tests.unit.gemini_sft.report.selection_sample import candidate, chosen, one_job, sweep
from tests.unit.gemini_sft.report.test_page import Page

BY_LOSS, LAST = CheckpointChoice.LOSS, CheckpointChoice.LAST
SAID = "Over-fitting: loss on validation was lowest after epoch 2 (step 120) and rose from 2.4 to 31.4 by the end;"


def turned(*values: float, every: int = 60) -> Curves:
    steps = [every * n for n in range(1, len(values) + 1)]
    return sample_curves().model_copy(update={"validation_loss": Curve(steps=steps, values=list(values))})


RISES = turned(3.0, 2.4, 31.4)


def report(curves: Curves = RISES, selection: Selection | None = None, **record: object) -> ReportInput:
    data = sample_input()
    return replace(data, curves=curves, selection=selection, tuning=data.tuning.model_copy(update=record))


def advice(selection: Selection | None, curves: Curves = RISES, **record: object) -> str:
    found = over_fitting(curves, sample_record(240, **record), selection)
    assert found
    return found.advice


def test_the_verdict_has_it_with_a_way_to_the_curves() -> None:
    html = report_page(report())
    card = html.partition('id="verdict"')[2].partition("</section>")[0]
    assert '<p class="warning">' in card and '<a href="#curves">Curves</a>' in card
    assert f"{SAID} see Curves . By this measure the checkpoint of epoch 2 is the best." in Page(html).text


def test_the_verdict_has_none_where_there_is_none() -> None:
    for curves in (turned(3.0, 2.4, 2.41), turned(3.0, 2.4, 2.2), sample_curves(validation=False), Curves()):
        assert over_fitting(curves, sample_record(), one_job()) is None
        assert 'class="warning"' not in report_page(report(curves))


def test_a_checkpoint_from_before_the_rise() -> None:
    said = "The checkpoint of epoch 2 was taken, which is from before the rise."
    assert advice(one_job()) == advice(one_job(BY_LOSS)) == said
    earlier = one_job().model_copy(update={"chosen": 0})
    assert advice(earlier) == "The checkpoint of epoch 1 was taken, which is from before the rise."


def test_without_steps_epochs_tell() -> None:
    selection = chosen([candidate(n, score, step=None) for n, score in ((1, 0.3), (2, 0.5), (3, 0.4))])
    assert advice(selection).endswith("from before the rise.")
    assert not advice(selection, turned(3.0, 3.0, 2.4, 31.4, every=25)).endswith("before the rise.")


def test_the_last_one_may_still_be_the_best_by_the_metric() -> None:
    selection = chosen([candidate(n, 0.3 + n / 10) for n in (1, 2, 3)])
    said = "By ROUGE-L F on validation the last checkpoint was still the best, and it was taken"
    assert advice(selection) == f"{said}; by the loss it would be that of epoch 2."
    assert advice(selection, turned(3.0, 2.4, 31.4, every=50)) == f"{said}."


def test_so_may_one_in_between() -> None:
    selection = chosen([candidate(n, score) for n, score in ((1, 0.3), (2, 0.5), (3, 0.4))])
    said = "By ROUGE-L F on validation the checkpoint of epoch 2 was still the best, and it was taken"
    assert advice(selection, turned(2.4, 3.0, 31.4)) == f"{said}; by the loss it would be that of epoch 1."


def test_the_lowest_loss_of_all_checkpoints_may_be_after_the_lowest_of_all() -> None:
    curves = turned(*(9.0, 2.4, 2.5, 9.0), every=50)
    selection = chosen([candidate(n, None, loss) for n, loss in ((1, 9.0), (2, 2.4), (3, 2.5))], BY_LOSS)
    assert "has the lowest loss" in advice(selection, curves)


def test_the_last_because_it_was_asked_for() -> None:
    said = "The last checkpoint was taken, which is from after the rise"
    assert advice(one_job(LAST)) == f"{said}; by the loss it would be that of epoch 2."
    assert advice(one_job(LAST), checkpoints=[]) == f"{said}: fewer epochs may do better, or a lower learning rate."


@pytest.mark.parametrize("score", [None, 0.4])
def test_the_only_one(score: float | None) -> None:
    assert advice(chosen([candidate(3, score)]), checkpoints=[]) == (
        "The only checkpoint was taken, which is from after the rise: fewer epochs may do better, or a lower learning"
        " rate."
    )


def test_the_section_of_the_curves_says_the_same() -> None:
    for selection in (None, one_job(), one_job(LAST), chosen([candidate(n, n / 10) for n in (1, 2, 3)])):
        said = curves_view(RISES, sample_record(), selection).sentences[-1]
        assert said.startswith("Over-fitting: validation loss was lowest, 2.4,") and said.endswith(advice(selection))


def test_in_a_sweep_the_section_names_the_trial() -> None:
    selection = sweep()
    text = Page(report_page(report(sample_curves(), selection, trial=selection.taken.trial))).text
    assert f"This is about trial {selection.taken.trial} , the one that was taken." in text
    assert "This is about trial" not in Page(report_page(report(selection=one_job()))).text
