"""`gemini-sft cleanup` after real runs: what it says, what it deletes, and what a later run makes of it."""

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from gemini_sft.decision.outcome import Outcome
from gemini_sft.experiment import Gate
from tests.end_to_end.conftest import gemini_sft, write_experiment
from tests.end_to_end.test_tuning import emulator, summary_of

BUCKET = "local-project-gemini-sft"


def judge(client: httpx.Client, summary: dict[str, Any], verdict: str) -> None:
    """Puts another verdict in the place of the one that so few examples allow."""
    outcome = Outcome(
        run_id=summary["run_id"],
        experiment="small",
        verdict=verdict,
        reasons=["so it is"],
        metric="rougeL_f",
        base=0.2,
        candidate=0.1,
        gain=-0.1,
        low=-0.2,
        high=0.0,
        model=summary["tuned_model"],
        checkpoint="",
        endpoint=summary["endpoint"],
        against="gemini-3.1-flash-lite",
        test="0123",
        champion=None,
        confidence=0.95,
        gate=Gate(),
        data="d0",
        intent="i0",
        report="report.html",
    )
    query = {"uploadType": "media", "name": f"staging/small/outcomes/{summary['run_id']}.json"}
    answer = client.post(f"/upload/storage/v1/b/{BUCKET}/o", params=query, content=outcome.model_dump_json().encode())
    assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def ran(
    ran_small: tuple[dict[str, Any], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Path]:
    """A small experiment that was run once and rejected: the object that the run printed, and where it was run."""
    summary, shared = ran_small
    folder = tmp_path_factory.mktemp("ran") / "small"
    shutil.copytree(shared, folder)
    with emulator(folder) as client:
        judge(client, summary, "reject")
    return summary, folder


@pytest.fixture
def rejected(ran: tuple[dict[str, Any], Path], tmp_path: Path) -> tuple[dict[str, Any], Path]:
    """A copy of it, for one test to clean up."""
    summary, folder = ran
    shutil.copytree(folder, tmp_path / "copy")  # with the times at which files were written
    return summary, tmp_path / "copy"


def test_a_champion_stays_though_its_run_was_rejected(rejected: tuple[dict[str, Any], Path]) -> None:
    run, folder = rejected
    with emulator(folder) as client:
        aliases = {"versionAliases": ["champion"]}
        client.post(f"/v1/{run['tuned_model']}:mergeVersionAliases", json=aliases).raise_for_status()
    ended = gemini_sft("cleanup", "small.yaml", "--yes", "--json", cwd=folder)
    found = json.loads(ended.out)
    assert ended.code == 0 and found["items"] == []
    assert [one["why"] for one in found["kept"]] == ["it is the champion"]
    with emulator(folder) as client:
        assert client.get(f"/v1/{run['endpoint']}").status_code == 200


def test_a_cleanup_names_everything_and_deletes_nothing_unless_told_to(rejected: tuple[dict[str, Any], Path]) -> None:
    run, folder = rejected
    shown = gemini_sft("cleanup", "small.yaml", cwd=folder)
    assert shown.code == 0, shown.err
    for said in (
        f"{run['run_id']}: rejected",
        "2 endpoints",
        "1 model",
        "1 experiment",
        run["endpoint"].rpartition("/")[2],
        f"/{run['run_id']}/",
        "cost nothing by the hour",
        "Nothing was deleted. To delete all of this, add --yes.",
    ):
        assert said in " ".join(shown.out.split()), said
    assert max(map(len, shown.out.splitlines())) <= 120
    with emulator(folder) as client:
        assert [client.get(f"/v1/{run[name]}").status_code for name in ("tuned_model", "endpoint")] == [200, 200]


def test_of_a_rejected_run_nothing_is_left_and_the_next_run_tunes_anew(rejected: tuple[dict[str, Any], Path]) -> None:
    run, folder = rejected
    done = gemini_sft("cleanup", "small.yaml", "--yes", "--json", cwd=folder)
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert document["state"] == "DELETED" and {one["fate"] for one in document["items"]} == {"deleted"}
    assert (document["endpoints"], document["models"]) == (2, 1)
    assert document["bytes"] > 0 and document["usd_a_month"] > 0
    small = folder / ".local" / "storage" / BUCKET / "staging" / "small"
    files = {path for path in (folder / ".local" / "storage" / BUCKET).rglob("*") if path.is_file()}
    left = {"outcomes", "commands", "tries", "token-counts", "spending", "trained", "cleaned.txt"}
    assert {path.relative_to(small).parts[0] for path in files} == left
    assert {path.name for path in files} >= {f"{run['run_id']}.json", f"{run['run_id']}.txt"}
    with emulator(folder) as client:
        assert [client.get(f"/v1/{run[name]}").status_code for name in ("tuned_model", "endpoint")] == [404, 404]
    again = gemini_sft("cleanup", "small.yaml", "--yes", cwd=folder)
    assert again.code == 0 and "There is nothing to clean up of small" in again.out
    # The job of the run cannot be deleted, but without its model nobody adopts it.
    anew, _ = summary_of("small.yaml", cwd=folder)
    assert not anew["selection"]["adopted"] and anew["tuned_model"] != run["tuned_model"]


def test_a_bucket_that_no_run_had_is_told_and_nothing_is_done(tmp_path: Path) -> None:
    ended = gemini_sft("cleanup", write_experiment(tmp_path), "--yes", cwd=tmp_path)
    assert ended.code == 2
    assert "there is no bucket gs://local-project-gemini-sft: nothing has been run with it" in ended.err


def test_mistakes_are_told_without_a_traceback(tmp_path: Path) -> None:
    missing = gemini_sft("cleanup", "nowhere.yaml", "--json", cwd=tmp_path)
    assert missing.code == 2 and "nowhere.yaml: there is no such file" in missing.err
    assert json.loads(missing.out)["state"] == "REFUSED"
    young = gemini_sft("cleanup", write_experiment(tmp_path), "--older-than", "0", cwd=tmp_path)
    assert young.code == 2 and "--older-than" in young.err
