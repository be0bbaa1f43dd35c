import json
import math
from html import unescape

import pytest

from gemini_sft.report.curves import curves_page, curves_view
from gemini_sft.report.figures import MOST_POINTS
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
    page = curves_page(sample_curves(validation=False), sample_record(checkpoints=[]))
    loss, _ = json.loads(figures_of(page))
    assert [trace["name"] for trace in loss["data"]] == ["Training"]
    assert "There are no validation curves" in page and "Validation loss" not in page
    assert "At the first and the last step" in page


@pytest.mark.parametrize("curves", [Curves(), Curves(train_loss=Curve(steps=[], values=[]))])
def test_without_curves(curves: Curves) -> None:
    page = curves_page(curves, sample_record())
    assert "reported no curves" in page and "<script" not in page


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
