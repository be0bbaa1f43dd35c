"""The confusion matrices of a classification."""

from gemini_sft.experiment import Task
from gemini_sft.report.classes import MOST_LABELS, matrices
from tests.unit.gemini_sft.report.sample import answered, example, made_of, sample_input
from tests.unit.gemini_sft.report.test_page import page_of
from tests.unit.gemini_sft.report.whole_sample import LABELS, rejected_classification


def test_both_models_have_one_with_the_same_labels() -> None:
    data = rejected_classification()
    base, tuned = matrices(data)
    assert (base.model, tuned.model) == ("Base", "Tuned")
    assert [one.text for one in base.labels] == [one.text for one in tuned.labels] == [*LABELS, "(other)"]
    for matrix in (base, tuned):
        assert sum(cell.count for _, cells in matrix.rows for cell in cells) == 200
        assert [label.text for label, _ in matrix.rows] == list(LABELS)
    right = sum(cell.count for _, cells in tuned.rows for cell in cells if cell.right)
    assert right / 200 == data.comparison.candidate.metrics["accuracy"]


def test_a_cell_has_its_number_in_text_and_its_share_of_the_row_in_colour() -> None:
    test = [example(n, "q", "a" if n < 4 else "b") for n in range(8)]
    tuned = [answered(one, text) for one, text in zip(test, "aaabbbbx", strict=True)]
    data = made_of(test, tuned, tuned, task=Task.CLASSIFICATION, labels=("a", "b"))
    _, matrix = matrices(data)
    assert [[(cell.count, cell.share, cell.right) for cell in cells] for _, cells in matrix.rows] == [
        [(3, 75, True), (1, 25, False), (0, 0, False)],
        [(0, 0, False), (3, 75, True), (1, 25, False)],
    ]
    page = page_of(data)
    assert "b 0 3 1" in page.text
    assert [one.get("style") for one in page.tags("td") if one.get("class") == "right"] == ["--share:75%"] * 4


def test_beyond_so_many_labels_the_rarest_are_added_up() -> None:
    labels = [f"label {n:03}" for n in range(MOST_LABELS + 25)]
    data = rejected_classification(600, labels)
    for matrix in matrices(data):
        assert len(matrix.labels) == MOST_LABELS + 2 and matrix.labels[-1].text == "25 other labels"
        assert sum(cell.count for _, cells in matrix.rows for cell in cells) == 600
    assert f"{len(labels)} labels, one by one" in page_of(data).text


def test_other_tasks_have_none() -> None:
    assert matrices(sample_input()) == []
    assert "confusion" not in {one.get("id") for one in page_of(sample_input()).tags("h3")}
