"""A small run as its user sees it, who has a Google account and wants to hear of runs elsewhere."""

import json
from pathlib import Path

import pytest
import yaml

from tests.end_to_end.conftest import Ended, assert_nothing_is_left, gemini_sft, write_experiment


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Path]:
    """What the run printed, and the folder that it was run in.

    A real account found by google-auth would be refreshed at Google, which is not to be reached, and shown to the
    emulator.
    """
    folder = tmp_path_factory.mktemp("ran")
    gcloud = folder / "home" / ".config" / "gcloud"
    gcloud.mkdir(parents=True)
    account = {"type": "authorized_user", "client_id": "x", "client_secret": "x", "refresh_token": "x"}
    (gcloud / "application_default_credentials.json").write_text(json.dumps(account), "utf-8")
    path = write_experiment(folder, notification={"webhook": "env:AWAY", "email": ["me@example.test"]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder / "home"))
        patch.setenv("AWAY", "https://hooks.slack.com/services/T00/B00/SECRET")
        return gemini_sft("run", path, cwd=folder), folder


def test_it_prints_table_verdict_and_report_and_leaves_nothing(ran: tuple[Ended, Path]) -> None:
    ended, folder = ran
    assert ended.code == 0, ended.err
    for text in (
        "examples (n)",
        "failures",
        "rouge1_precision",
        "rouge2_recall",
        "rougeL_f *",
        "95% interval",
        "Verdict: ",
    ):
        assert text in ended.out
    report = next(line.split()[-1] for line in ended.out.splitlines() if line.startswith("Report:"))
    assert (folder / report).is_file()
    assert "Traceback" not in ended.out + ended.err
    assert_nothing_is_left(folder)


def test_the_users_own_account_is_not_touched(ran: tuple[Ended, Path]) -> None:
    _, folder = ran
    (left,) = (folder / ".local" / "runs").glob("*/base-evaluation.json")
    assert json.loads(left.read_text("utf-8"))["outcomes"] == {"answered": 6}


def test_nobody_elsewhere_is_told(ran: tuple[Ended, Path]) -> None:
    ended, folder = ran
    said = " ".join(ended.out.split())
    assert "A run on this machine tells nobody elsewhere: notification is for --on vertex, and for a webhook" in said
    assert "which env:AWAY is not" in said
    (staged,) = (folder / ".local" / "storage").glob("*/staging/small/*/experiment.yaml")
    assert yaml.safe_load(staged.read_text("utf-8"))["notification"] == {"webhook": None, "email": []}
    compiled = (folder / ".local" / "compiled" / "finetune.yaml").read_text("utf-8")
    assert "me@example.test" not in compiled
