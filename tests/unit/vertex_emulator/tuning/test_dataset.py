import json
from pathlib import Path

import pytest

from vertex_emulator.tuning import dataset
from vertex_emulator.tuning.dataset import Dataset, DatasetError, Drop, check_validation_size, read_dataset
from vertex_emulator.tuning.example import Example
from vertex_emulator.tuning.statistics import data_stats, distribution

GOOD = json.dumps(
    {
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"text": "Argh!"}]},
        ]
    }
)
BAD = '{"contents": []}'
EXAMPLE = Example("", (("user", "Hi"), ("model", "Argh!")), (0, 0), {"role": "user", "parts": [{"text": "Hi"}]})


def read(folder: Path, text: str) -> Dataset:
    path = folder / "data.jsonl"
    path.write_text(text, "utf-8")
    return read_dataset(path, "The training dataset gs://b/data.jsonl", 1000)


def of_size(examples: int, drops: int = 0) -> Dataset:
    return Dataset("The dataset", [EXAMPLE] * examples, [Drop(1, "bad")] * drops)


def test_bad_lines_are_dropped_and_blank_ones_not_counted(tmp_path: Path) -> None:
    found = read(tmp_path, f"{GOOD}\n{BAD}\r\n\n{GOOD}\nnot json")
    assert (found.count, len(found.examples)) == (4, 2)
    assert [drop.index for drop in found.drops] == [2, 4]
    assert [drop.reason.partition(":")[0] for drop in found.drops] == ["contents", "invalid JSON"]


def test_one_bad_example_in_ten_is_borne_and_no_more(tmp_path: Path) -> None:
    read(tmp_path, "\n".join([GOOD] * 9 + [BAD])).check()
    with pytest.raises(DatasetError) as refused:
        read(tmp_path, "\n".join([GOOD] * 8 + [BAD])).check()
    assert "1 of the 9 examples of The training dataset gs://b/data.jsonl were dropped" in str(refused.value)
    assert "more than the 10% that are allowed. First reasons: example 9: contents: must be" in str(refused.value)


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_an_empty_dataset_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DatasetError, match=r"gs://b/data\.jsonl is empty"):
        read(tmp_path, text)


def test_a_dataset_without_any_text_to_learn_is_refused(tmp_path: Path) -> None:
    call = {"role": "model", "parts": [{"functionCall": {"name": "f"}}]}
    line = json.dumps({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}, call]})
    with pytest.raises(DatasetError, match="no model turn with text"):
        read(tmp_path, line).check()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        read_dataset(tmp_path / "none", "The dataset", 1000)


def test_limits_of_a_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (dataset.MAX_BYTES, dataset.MAX_TEXT_EXAMPLES, dataset.MAX_MULTIMODAL_EXAMPLES) == (
        2**30,
        10**7,
        300_000,
    )
    monkeypatch.setattr(dataset, "MAX_TEXT_EXAMPLES", 3)
    monkeypatch.setattr(dataset, "MAX_MULTIMODAL_EXAMPLES", 1)
    of_size(3).check()
    with pytest.raises(DatasetError, match="4 examples; at most 3 text examples"):
        of_size(4).check()
    seeing = Example("", EXAMPLE.turns, (1, 0), {})
    with pytest.raises(DatasetError, match="2 examples; at most 1 multimodal examples"):
        Dataset("The dataset", [EXAMPLE, seeing]).check()
    monkeypatch.setattr(dataset, "MAX_BYTES", 10)
    with pytest.raises(DatasetError, match=r"has \d+ bytes; at most 10 \(1 GB\)"):
        read(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("validation", "training", "refusal"),
    [
        (1000, 1, ""),
        (1200, 4000, ""),
        (1201, 4000, "1201 examples, 30% of the 4000 training examples; beyond 1000 it may have at most 30%"),
        (5000, 20_000, ""),
        (5001, 100_000, "5001 examples; at most 5000"),
    ],
)
def test_size_of_a_validation_dataset(validation: int, training: int, refusal: str) -> None:
    if not refusal:
        check_validation_size(of_size(validation), of_size(training))
        return
    with pytest.raises(DatasetError, match=refusal):
        check_validation_size(of_size(validation), of_size(training))


def test_statistics_count_all_examples_but_bill_the_usable_ones() -> None:
    stats = data_stats(of_size(20, drops=12), steps=60)
    assert stats["tuningDatasetExampleCount"] == "32"
    assert stats["totalTruncatedExampleCount"] == "12"
    assert stats["truncatedExampleIndices"] == ["1"] * 10
    assert stats["droppedExampleReasons"] == ["bad"] * 10
    assert stats["totalTuningCharacterCount"] == str(20 * len("HiArgh!"))
    assert stats["totalBillableTokenCount"] == str(20 * 3)
    assert stats["tuningStepCount"] == "60"
    assert stats["userDatasetExamples"] == [EXAMPLE.first_turn] * 3
    assert stats["userInputTokenDistribution"]["sum"] == "20"
    assert stats["userOutputTokenDistribution"]["sum"] == "40"
    assert stats["userMessagePerExampleDistribution"]["mean"] == 2


def test_statistics_leave_out_what_is_nothing() -> None:
    assert set(data_stats(of_size(0, drops=1), 0)) == {
        "tuningDatasetExampleCount",
        "totalTruncatedExampleCount",
        "truncatedExampleIndices",
        "droppedExampleReasons",
    }
    assert "droppedExampleReasons" not in data_stats(of_size(1), 1)


def test_distribution() -> None:
    found = distribution(list(range(101)))
    buckets = found.pop("buckets")
    assert found == {
        "sum": "5050",
        "billableSum": "5050",
        "min": 0,
        "max": 100,
        "mean": 50,
        "median": 50,
        "p5": 5,
        "p95": 95,
    }
    assert [bucket["count"] for bucket in buckets] == [10] * 9 + [11]
    assert (buckets[0]["left"], buckets[0]["right"], buckets[9]["right"]) == (0, 10, 100)
    assert [bucket["count"] for bucket in distribution([7, 7])["buckets"]] == [2]
