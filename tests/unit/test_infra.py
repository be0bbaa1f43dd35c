"""The Terraform files: their form, their rules, and that the page with gcloud commands does the same."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
FILES = sorted(INFRA.glob("*.tf"))
Grant = tuple[str, str, str]
"""On what, which role, and who: the pipeline's account, a member, or the service agent of tuning jobs."""

GCLOUD = """#!/usr/bin/env python3
import json, sys
with open("calls.jsonl", "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1:3] == ["projects", "describe"]:
    print(123456789012)
"""


def plain(value: Any) -> Any:
    """Returns a parsed value without the quotes around its strings and what the parser adds of its own."""
    if isinstance(value, dict):
        return {plain(key): plain(each) for key, each in value.items() if not str(key).startswith("__")}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.strip('"') if isinstance(value, str) else value


def parsed(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8") as file:
        found: dict[str, Any] = plain(hcl2.load(file))
    return found


def resources(kind: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yields type, name and body of each resource of a type, or of all."""
    for block in parsed(INFRA / "main.tf")["resource"]:
        ((found, named),) = block.items()
        ((name, body),) = named.items()
        if kind in ("", found):
            yield found, name, body


def variables() -> dict[str, dict[str, Any]]:
    return {name: body for block in parsed(INFRA / "variables.tf")["variable"] for name, body in block.items()}


LOCALS: dict[str, Any] = parsed(INFRA / "main.tf")["locals"][0]


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[list[str]], Path]:
    """How the page's commands call gcloud, and the folder that they are run in."""
    folder = tmp_path_factory.mktemp("gcloud")
    (folder / "gcloud").write_text(GCLOUD)
    (folder / "gcloud").chmod(0o755)
    page = (ROOT / "docs" / "gcloud-setup.md").read_text("utf-8")
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    path = f"{folder}:{Path(str(shutil.which('python3'))).parent}:/usr/bin:/bin"
    subprocess.run(["sh", "-euc", script], cwd=folder, env={"PATH": path}, check=True)
    return [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()], folder


def option(call: list[str], name: str) -> str:
    (found,) = (word.partition("=")[2] for word in call if word.startswith(f"--{name}="))
    return found


def who(member: str) -> str:
    if "vertex-tune" in member:
        return "tuning agent"
    return "pipeline" if re.search(r"\bpipeline\b", member) else "member"


def granted_by_terraform() -> set[Grant]:
    found = set()
    for kind, name, body in resources():
        if not kind.endswith("_iam_member"):
            continue
        place = kind.removeprefix("google_").removesuffix("_iam_member")
        roles = [body["role"]]
        if "each.value" in body["role"]:
            roles = LOCALS["pipeline_roles" if name == "pipeline" else "member_roles"]
        holder = {"${each.value}": "member", "${each.value.member}": "member"}.get(body["member"]) or who(
            body["member"]
        )
        found |= {(place, role, holder) for role in roles}
    return found


def granted_by_gcloud(calls: list[list[str]]) -> set[Grant]:
    places = {
        "projects": "project",
        "storage": "storage_bucket",
        "artifacts": "artifact_registry_repository",
        "secrets": "secret_manager_secret",
        "iam": "service_account",
    }
    grants = [call for call in calls if "add-iam-policy-binding" in call]
    return {(places[call[0]], option(call, "role"), who(option(call, "member"))) for call in grants}


def test_files_have_terraforms_own_form() -> None:
    terraform = shutil.which("terraform")
    if terraform is None:
        pytest.skip("no terraform on this machine")
    done = subprocess.run([terraform, "fmt", "-check", "-diff", INFRA], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_variable_is_described_and_used_and_no_other_is() -> None:
    declared = variables()
    assert all(body.get("description") and body.get("type") for body in declared.values())
    used = {name for path in FILES for name in re.findall(r"\bvar\.(\w+)", path.read_text("utf-8"))}
    assert used == declared.keys()


def test_every_local_and_resource_that_is_spoken_of_is_there() -> None:
    text = "\n".join(path.read_text("utf-8") for path in FILES)
    assert set(re.findall(r"\blocal\.(\w+)", text)) == LOCALS.keys()
    spoken_of = set(re.findall(r"\b(google_\w+)\.(\w+)", text))
    assert spoken_of <= {(kind, name) for kind, name, _ in resources()}


def test_the_example_sets_every_variable() -> None:
    example = parsed(INFRA / "terraform.tfvars.example")
    assert example.keys() == variables().keys()
    defaults = {name: body["default"] for name, body in variables().items() if "default" in body}
    assert {name: example[name] for name in defaults} == defaults


def test_nobody_gets_a_basic_role_and_nothing_is_public() -> None:
    grants = granted_by_terraform()
    assert len(grants) == 14
    assert not {role for _, role, _ in grants} & {"roles/owner", "roles/editor", "roles/viewer"}
    assert not any("admin" in role.lower() for _, role, _ in grants)
    assert ("project", "roles/storage.objectUser", "pipeline") not in grants
    assert not re.search("allUsers|allAuthenticatedUsers", "".join(path.read_text("utf-8") for path in FILES))
    assert not [kind for kind, _, _ in resources() if kind.endswith(("_iam_policy", "_iam_binding"))], (
        "takes others' away"
    )


def test_the_bucket_is_closed_and_forgets() -> None:
    ((_, _, bucket),) = resources("google_storage_bucket")
    assert bucket["public_access_prevention"] == "enforced"
    assert bucket["uniform_bucket_level_access"] is True
    assert bucket["versioning"] == [{"enabled": True}]
    runs, replaced = (rule["condition"][0] for rule in bucket["lifecycle_rule"])
    assert runs == {"age": 90, "matches_prefix": ["pipelines/"], "with_state": "LIVE"}
    assert replaced == {"days_since_noncurrent_time": 30, "with_state": "ARCHIVED"}
    assert not bucket.get("force_destroy")


def test_gcloud_gives_the_same_roles(called: tuple[list[list[str]], Path]) -> None:
    assert granted_by_gcloud(called[0]) == granted_by_terraform()


def test_gcloud_enables_the_same_services(called: tuple[list[list[str]], Path]) -> None:
    (enabled,) = (call[2:] for call in called[0] if call[:2] == ["services", "enable"])
    assert sorted(enabled) == LOCALS["apis"]


def test_gcloud_makes_the_same_bucket_repository_and_account(called: tuple[list[list[str]], Path]) -> None:
    calls, folder = called
    (created,) = (call for call in calls if call[:3] == ["storage", "buckets", "create"])
    (updated,) = (call for call in calls if call[:3] == ["storage", "buckets", "update"])
    assert created[3] == updated[3] == "gs://my-project-gemini-sft"
    assert {"--public-access-prevention", "--uniform-bucket-level-access"} <= set(created)
    assert "--versioning" in updated
    ((_, _, bucket),) = resources("google_storage_bucket")
    assert json.loads((folder / option(updated, "lifecycle-file")).read_text())["rule"] == [
        {"action": {"type": rule["action"][0]["type"]}, "condition": as_json(rule["condition"][0])}
        for rule in bucket["lifecycle_rule"]
    ]
    ((_, _, repository),) = resources("google_artifact_registry_repository")
    (made,) = (call for call in calls if call[:3] == ["artifacts", "repositories", "create"])
    assert made[3] == repository["repository_id"]
    assert option(made, "repository-format").upper() == repository["format"]
    ((_, _, account),) = resources("google_service_account")
    (made,) = (call for call in calls if call[:3] == ["iam", "service-accounts", "create"])
    assert (made[3], option(made, "display-name")) == (account["account_id"], account["display_name"])


def as_json(condition: dict[str, Any]) -> dict[str, Any]:
    """Returns a condition of a lifecycle rule as Cloud Storage has it, from Terraform's."""
    live = {"LIVE": True, "ARCHIVED": False}[condition["with_state"]]
    others = {key: value for key, value in condition.items() if key != "with_state"}
    return {re.sub("_([a-z])", lambda found: found[1].upper(), key): value for key, value in others.items()} | {
        "isLive": live
    }
