from pathlib import Path

import pytest

from gemini_sft.errors import DataError
from gemini_sft.experiment import Data, Experiment, Task
from launcher.staging import check_data, resolve_data

GOOD = "input_text,output_text\na,b\n"


def experiment(train: str, test: str, validation: str | None = None) -> Experiment:
    data = Data(train=train, validation=validation, test=test)
    return Experiment(name="demo", task=Task.SUMMARIZATION, base_model="gemini-2.5-flash", data=data)


class TestResolving:
    def test_paths_stand_relative_to_the_experiments_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        given = experiment("../data/train.csv", "/absolute/test.csv", "data/validation.csv")
        resolved = resolve_data(given, "../experiments/x.yaml")
        assert resolved.data == Data(
            train=str(tmp_path / "data" / "train.csv"),
            validation=str(tmp_path / "experiments" / "data" / "validation.csv"),
            test="/absolute/test.csv",
        )
        assert resolved.model_copy(update={"data": given.data}) == given

    def test_objects_in_cloud_storage_stay_as_they_are(self, tmp_path: Path) -> None:
        given = experiment("gs://b/train.jsonl", "gs://b/test.jsonl", "gs://b/../v.jsonl")
        assert resolve_data(given, str(tmp_path / "x.yaml")) == given


class TestChecking:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "good.csv").write_text(GOOD)
        return tmp_path

    def test_good_files_and_objects_elsewhere(self, folder: Path) -> None:
        check_data(experiment(str(folder / "good.csv"), "gs://nobody/looks.csv", str(folder / "good.csv")))

    def test_the_problems_of_all_files_are_said_at_once_in_the_users_own_paths(self, folder: Path) -> None:
        (folder / "data").mkdir()
        (folder / "data" / "bad.csv").write_text(GOOD + "a,\nb\n")
        (folder / "bad.jsonl").write_text("{}\n")
        given = experiment(str(folder / "data" / "bad.csv"), str(folder / "none.csv"), str(folder / "bad.jsonl"))
        with pytest.raises(DataError) as caught:
            check_data(given)
        assert str(caught.value).splitlines() == [
            "data/bad.csv:3: turn 2 (the model's) is empty",
            "data/bad.csv:4: has not 2 fields, as the header has",
            'bad.jsonl:1: has neither "messages" nor "contents"',
            "none.csv: there is no such file (data.test, relative to the experiment file)",
        ]

    def test_a_file_outside_the_folder_is_named_in_full(
        self, folder: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        other = tmp_path_factory.mktemp("other")
        (other / "x.csv").mkdir()
        with pytest.raises(DataError) as caught:
            check_data(experiment(str(folder / "good.csv"), str(other / "x.csv")))
        assert (
            str(caught.value)
            == f"{other}/x.csv: is a directory, not a file (data.test, relative to the experiment file)"
        )
