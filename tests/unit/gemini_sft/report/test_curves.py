import json
import math
from html import unescape

import pytest

from gemini_sft.report.curves import curves_page, curves_view
from gemini_sft.report.figures import MOST_POINTS, curve_figures
from gemini_sft.report.render import render
from gemini_sft.tuning import Curves
from gemini_sft.tuning.curves import Curve
from tests.unit.gemini_sft.report.sample import HOSTILE, sample_curves, sample_record


def figures_of(page: str) -> str:
    return page.split('<script type="application/json" id="figures">')[1].partition("</script>")[0]


def test_figures_have_fixed_ids_and_mark_the_epochs_of_the_checkpoints() -> None:
    loss, accuracy = json.loads(figures_of(curves_page(sample_curves(), sample_record())))
    assert (loss["id"], accuracy["id"]) == ("loss-plot", "accuracy-plot")
    assert [trace["name"] for trace in loss["data"]] == ["Training", "Validation"]
    assert [shape["x0"] for shape in loss["layout"]["shapes"]] == [60, 120, 180]
    assert [one["text"] for one in loss["layout"]["annotations"]] == ["epoch 1", "2", "3"]


def test_without_validation() -> None:
    page = curves_page(sample_curves(validation=False), sample_record(checkpoints=[], epochs=None))
    loss, _ = json.loads(figures_of(page))
    assert [trace["name"] for trace in loss["data"]] == ["Training"]
    assert "There are no validation curves" in page and "Validation loss" not in page
    assert "At the first and the last step" in page


@pytest.mark.parametrize("curves", [Curves(), Curves(train_loss=Curve(steps=[], values=[]))])
def test_without_curves(curves: Curves) -> None:
    page = curves_page(curves, sample_record())
    assert "reported no curves" in page and "<script" not in page


def test_why_there_are_no_curves_is_said_as_text() -> None:
    page = curves_page(Curves(absent="<b>404</b>: it is gone"), sample_record())
    assert "<b>" not in page and "<b>404</b>: it is gone" in unescape(page)
    assert "reported no curves" not in page


def test_one_step_does_not_say_how_training_loss_went() -> None:
    losses = [*(2.0 + n % 2 for n in range(10)), *(1.0 for _ in range(85)), *(0.25, 0.75, 0.25, 0.75, 3.0)]
    curves = Curves(train_loss=Curve(steps=list(range(1, 101)), values=losses))
    assert curves_view(curves, sample_record()).sentences == [
        "Training loss went from 2.5 to 1, both means of 10 steps."
    ]
    few = Curves(train_loss=Curve(steps=[1, 2, 3], values=[0.9, 0.1, 0.5]))
    assert curves_view(few, sample_record()).sentences == ["Training loss went from 0.9 to 0.5."]


def test_epochs_are_marked_if_only_the_last_checkpoint_was_kept() -> None:
    page = curves_page(sample_curves(), sample_record(checkpoints=[]))
    for figure in json.loads(figures_of(page)):
        assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [60, 120, 180]
        assert [one["text"] for one in figure["layout"]["annotations"]] == ["epoch 1", "2", "3"]
    assert "At the ends of epochs" in page and "Dotted lines mark the ends of epochs" in page


def test_of_many_epochs_some_are_marked_and_the_last_always() -> None:
    record = sample_record(checkpoints=[], epochs=93, steps=930)
    (loss, _), view = curve_figures(sample_curves(), record), curves_view(sample_curves(), record)
    marked = [shape["x0"] for shape in loss["layout"]["shapes"]]
    assert len(marked) <= 10 and marked[-1] == 930
    assert len(view.rows) <= 20 and view.rows[-1][0] == "93"


class TestOverfitting:
    """The loss on validation falls to 0.42 in two of three epochs and rises to 0.61 in the third."""

    def page(self, values: tuple[float, ...] = (0.9, 0.42, 0.61), **changes: object) -> str:
        curves = sample_curves().model_copy(
            update={"validation_loss": Curve(steps=[60 * n for n in range(1, len(values) + 1)], values=list(values))}
        )
        return unescape(curves_page(curves, sample_record(240, **changes)))

    def test_is_named_with_its_place_and_its_loss(self) -> None:
        page = self.page()
        assert (
            "Over-fitting: validation loss was lowest, 0.42, after epoch 2 (step 120), and rose to 0.61 by the end;"
            in page
        )
        assert "By this measure the checkpoint of epoch 2 is the best." in page

    def test_without_that_checkpoint_nobody_is_sent_to_it(self) -> None:
        assert "Fewer epochs may do better" in self.page(checkpoints=[])

    def test_is_marked_in_the_loss_and_nowhere_else(self) -> None:
        loss, accuracy = json.loads(figures_of(self.page()))
        zone, said = loss["layout"]["shapes"][-1], loss["layout"]["annotations"][-1]
        assert (zone["type"], zone["x0"], zone["x1"]) == ("rect", 120, 180)
        assert (said["text"], said["x"], said["y"]) == ("lowest: 0.42", 120, 0.42)
        assert not [one for one in accuracy["layout"]["shapes"] if one["type"] == "rect"]

    @pytest.mark.parametrize(
        ("values", "anchor"),
        [((0.4, 0.5, *[0.6] * 8), "left"), ((0.9, 0.4, 0.6), "center"), ((*[0.9] * 9, 0.4, 0.6), "right")],
    )
    def test_its_label_does_not_cover_the_other_axis(self, values: tuple[float, ...], anchor: str) -> None:
        loss, _ = json.loads(figures_of(self.page(values)))
        assert loss["layout"]["annotations"][-1]["xanchor"] == anchor

    def test_who_cannot_see_the_mark_is_told_of_it(self) -> None:
        assert "examples against optimizer steps, marked from where validation loss rises; the table" in self.page()

    def test_in_the_middle_of_an_epoch(self) -> None:
        assert "lowest, 0.42, in epoch 2 (step 120)" in self.page(checkpoints=[], epochs=2, steps=220)

    def test_without_epochs_the_step_is_all_there_is(self) -> None:
        assert "lowest, 0.42, at step 120, and rose" in self.page(checkpoints=[], epochs=None)

    def test_what_only_wavers_is_not_over_fitting(self) -> None:
        page = self.page((0.9, 0.42, 0.425))
        assert "Over-fitting" not in page and "lowest:" not in page
        assert "lowest, 0.42, after epoch 2 (step 120), and ended at 0.425, which is about the same." in page

    def test_what_falls_to_the_end_is_not_either(self) -> None:
        page = self.page((0.9, 0.5, 0.42))
        assert "Over-fitting" not in page and "Validation loss ended at 0.42, its lowest." in page


def test_the_trial_is_named() -> None:
    page = curves_page(sample_curves(), sample_record(trial="epochs=3 <b>"))
    assert "This is about trial <code>epochs=3 &lt;b&gt;</code>." in page
    assert "about trial" not in curves_page(sample_curves(), sample_record())


def test_one_point() -> None:
    page = curves_page(Curves(train_loss=Curve(steps=[1], values=[0.5])), sample_record(checkpoints=[], steps=1))
    (loss,) = json.loads(figures_of(page))
    assert loss["data"][0]["mode"] == "lines+markers"


def test_numbers_that_do_not_exist_become_gaps() -> None:
    curves = Curves(
        train_loss=Curve(steps=[1, 2, 3], values=[0.5, math.nan, math.inf]),
        train_accuracy=Curve(steps=[1], values=[math.nan]),
    )
    page = curves_page(curves, sample_record(checkpoints=[]))
    (loss,) = json.loads(figures_of(page))
    assert loss["data"][0]["y"] == [0.5, None, None]
    assert "NaN" not in figures_of(page) and "Infinity" not in figures_of(page)
    assert "not computable" in page


def test_a_table_holds_the_values_at_each_checkpoint() -> None:
    curves = sample_curves()
    view = curves_view(curves, sample_record())
    assert view.columns == ["Training loss", "Validation loss", "Training accuracy", "Validation accuracy"]
    assert [row[:2] for row in view.rows] == [["1", "60"], ["2", "120"], ["3", "180"]]
    assert curves.train_loss is not None and view.rows[0][2] == f"{curves.train_loss.values[59]:.4g}"


def test_long_curves_are_thinned_and_keep_their_end() -> None:
    steps = list(range(1, 25_001))
    long = Curves(train_loss=Curve(steps=steps, values=[1 / step for step in steps]))
    page = curves_page(long, sample_record())
    (loss,) = json.loads(figures_of(page))
    assert len(loss["data"][0]["x"]) <= MOST_POINTS + 1 and loss["data"][0]["x"][-1] == 25_000
    assert "evenly many are left out" in page


def test_the_data_of_a_figure_cannot_close_its_script() -> None:
    record = sample_record()
    figure = {"id": "loss-plot", "label": HOSTILE, "data": [{"name": HOSTILE}], "layout": {}}
    page = render("curves.html.j2", [figure], curves=curves_view(Curves(), record), record=record, heading="h1")
    data = figures_of(page)
    assert not [one for one in "<>&\u2028\u2029\x00" if one in data]
    assert json.loads(data)[0]["data"][0]["name"] == HOSTILE
    assert page.count("<script") == 3


def test_same_input_same_bytes() -> None:
    assert curves_page(sample_curves(), sample_record()) == curves_page(sample_curves(), sample_record())


def test_the_job_is_named_as_text() -> None:
    page = curves_page(sample_curves(), sample_record(job="<b>job</b>"))
    assert "<b>job" not in page and "<b>job</b>" in unescape(page)
