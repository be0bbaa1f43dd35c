from gemini_sft.report.data_figures import LABELS_SHOWN, histogram, label_table
from gemini_sft.report.data_page import data_page
from tests.unit.gemini_sft.report.data_sample import split, stopped, summary
from tests.unit.gemini_sft.report.test_page import Page


def test_a_histogram_has_one_scale_for_all_splits() -> None:
    drawn = histogram(
        {"train": split(10, histogram=[0, 0, 5, 5]), "test": split(4, histogram=[0, 4]), "empty": split(0)}
    )
    assert drawn is not None and list(drawn.bars) == ["train", "test"]
    assert [(one.at, one.height, one.count, one.label) for one in drawn.bars["train"]] == [
        (0.0, 0.0, 0, "1 character"),
        (33.33, 50.0, 5, "2 to 3 characters"),
        (66.67, 50.0, 5, "4 to 7 characters"),
    ]
    assert [one.height for one in drawn.bars["test"]] == [100.0, 0.0, 0.0]
    assert [(one.at, one.label) for one in drawn.ticks] == [(0.0, "1"), (33.33, "2"), (66.67, "4"), (100.0, "8")]
    assert histogram({"train": split(0)}) is None
    none = histogram({"train": split(1, histogram=[1])})
    assert none is not None and none.bars["train"][0].label == "0 characters"


def test_labels_are_counted_by_split() -> None:
    text = Page(data_page(stopped(), experiment_name="ticket-routing")).text
    assert "4 labels in 3 splits, the most frequent first." in text
    assert "network 2,198 17.7% 0 0% 700 22.6%" in text
    assert "biling 5 under 0.1% 0 0% 0 0%" in text
    assert "Labels" not in Page(data_page(summary(splits={"train": split(5)}), experiment_name="ticket-routing")).text


def test_the_most_frequent_labels_are_shown() -> None:
    labels = {f"label {n}": n for n in range(1, 1301)}
    table = label_table({"train": split(10, labels=labels)})
    assert table is not None and table.rows[0][0].text == "label 1300" and table.rows[0][1][0].width == 100
    text = Page(data_page(summary(splits={"train": split(10, labels=labels)}), experiment_name="ticket-routing")).text
    assert f"1,300 labels in 1 split, the most frequent first; the first {LABELS_SHOWN} are shown." in text


def test_a_share_is_all_or_nothing_only_if_it_is() -> None:
    table = label_table({"train": split(1, labels={"a": 99999, "b": 1}), "test": split(1, labels={"a": 3, "b": 0})})
    assert table is not None
    shares = [[cell.share for cell in cells] for _, cells in table.rows]
    assert shares == [["over 99.9%", "100%"], ["under 0.1%", "0%"]]
