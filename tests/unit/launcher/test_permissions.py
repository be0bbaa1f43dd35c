"""The table of permissions, the page that shows it, and the commands that both name."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from launcher.preflight.permissions import MAKES_BUCKET, READS_LOGS, RUNS, SEES, STARTS, Need

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "vertex.md").read_text("utf-8")


def shown(heading: str) -> list[tuple[str, str, str]]:
    """The rows of the table below a line: on what, what for without its condition, role."""
    table = PAGE.partition(f"\n{heading}:\n\n")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return [(on, why, role.strip("`")) for on, why, role in rows]


@pytest.mark.parametrize(
    ("heading", "needs"),
    [
        ("Whoever starts runs", (*STARTS, MAKES_BUCKET, SEES, READS_LOGS)),
        ("The account that the pipeline runs as", RUNS),
    ],
)
def test_the_page_shows_the_table(heading: str, needs: tuple[Need, ...]) -> None:
    rows = shown(heading)
    assert len(rows) == len(needs)
    for (on, why, role), need in zip(rows, needs, strict=True):
        assert (on, role) == (need.on, need.role) and why.startswith(need.why)


def test_permissions_are_named_as_google_names_them() -> None:
    names = [one for need in (*STARTS, MAKES_BUCKET, SEES, READS_LOGS) for one in need.permissions]
    assert len({*names}) == len(names)
    assert all(re.fullmatch(r"[a-z]+\.[a-zA-Z]+\.[a-zA-Z]+", one) for one in names)


COMMANDS = """
gcloud auth application-default login
gcloud auth application-default set-quota-project p
gcloud config set project p
gcloud iam service-accounts add-iam-policy-binding a@p.iam.gserviceaccount.com --member=user:x --role=roles/r
gcloud iam service-accounts create robot --project=p
gcloud projects add-iam-policy-binding p --condition=None --member=user:x --role=roles/r
gcloud services enable storage.googleapis.com logging.googleapis.com --project=p
gcloud storage buckets add-iam-policy-binding gs://b --member=user:x --role=roles/r
gcloud storage buckets create gs://b --project=p --location=l --uniform-bucket-level-access --public-access-prevention
gcloud storage buckets update gs://b --uniform-bucket-level-access --public-access-prevention
""".strip()


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud itself reads the commands")
def test_gcloud_takes_the_commands_that_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its parser only: nothing is run. That the preflight says these very commands, its own tests check."""
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "true")
    monkeypatch.setenv("CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "true")
    wrong = "gcloud storage buckets create gs://b --walk"
    (tmp_path / "commands.json").write_text(
        json.dumps([{"command_string": one} for one in [*COMMANDS.splitlines(), wrong]])
    )
    lint = ["gcloud", "meta", "lint-gcloud-commands", "--commands-file", str(tmp_path / "commands.json")]
    done = subprocess.run(lint, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode or not done.stdout:
        pytest.skip("this gcloud does not read commands for others: its command for that is internal")
    found = {one["command_string"]: one["success"] for one in json.loads(done.stdout)}
    assert found == dict.fromkeys(COMMANDS.splitlines(), True) | {wrong: False}
