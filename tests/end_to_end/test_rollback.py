"""`gemini-sft rollback`, as a user runs it after a promotion that turned out badly."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import gemini_sft, write_experiment
from vertex_emulator.database import Database
from vertex_emulator.environment import LOCATION, PROJECT
from vertex_emulator.names import project_number
from vertex_emulator.registry import add_version
from vertex_emulator.registry.aliases import merge_aliases
from vertex_emulator.registry.models import fetch_model, save_model


@pytest.fixture
def models(tmp_path: Path) -> tuple[str, str]:
    """The champion and the one before it, in the data of an emulator that is not running."""
    (tmp_path / ".local").mkdir()
    made = []
    database = Database(tmp_path / ".local" / "vertex.db")
    for number, alias in enumerate(("previous", "champion")):
        name = add_version(
            database,
            f"projects/{project_number(PROJECT)}/locations/{LOCATION}",
            model_id=None,
            display_name=alias,
            labels={"experiment": "small", "promoted": f"2026112{number}t000000-000000"},
            base_model="gemini-3.1-flash-lite",
            checkpoints=[{"checkpointId": "1", "epoch": 1, "step": 5}],
            default_checkpoint_id="1",
        )
        model, version = fetch_model(database, name)
        save_model(database, {**model, "_aliases": merge_aliases(model, version["versionId"], [alias])})
        made.append(name)
    database.close()
    return made[1], made[0]


def test_back_and_forth(tmp_path: Path, models: tuple[str, str]) -> None:
    champion, previous = models
    experiment = write_experiment(tmp_path)
    for file in ("train.jsonl", "test.csv"):
        (tmp_path / file).unlink()  # they are not needed
    ended = gemini_sft("rollback", experiment, cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert f"Was champion: {champion}" in ended.out and f"Is champion:  {previous}" in ended.out
    ended = gemini_sft("rollback", experiment, "--json", cwd=tmp_path)
    assert json.loads(ended.out) == {
        **{"was": previous, "champion": champion, "previous": previous},
        **{"finished_only": False, "problems": []},
    }


def test_there_is_nothing_to_roll_back(tmp_path: Path) -> None:
    ended = gemini_sft("rollback", write_experiment(tmp_path), cwd=tmp_path)
    assert ended.code == 2 and "nothing has been promoted there yet" in " ".join(ended.err.split())
    assert "Traceback" not in ended.err
