"""The image that is built, and the one that is taken."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from launcher.image import objection, use_image

ROOT = Path(__file__).parents[3]
NAME = "us-central1-docker.pkg.dev/my-project/gemini-sft/gemini-sft-python"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
PINNED = f"{NAME}@{DIGEST}"
OTHER = f"{NAME}@sha256:{'f' * 64}"

FAKE_DOCKER = f"""#!/bin/sh
echo "docker $*" >>"$CALLS"
case $1 in
    info) exit "$ENGINE" ;;
    push) exit "$PUSHED" ;;
    image) echo "elsewhere.test/other-python@{DIGEST}"; echo "$FOUND" ;;
    *) echo "loud" ;;
esac
"""
FAKE_GCLOUD = """#!/bin/sh
echo "gcloud $*" >>"$CALLS"
case $1 in
    artifacts) echo "${FOUND#*@}" ;;
    *) echo "loud" ;;
esac
"""


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GEMINI_SFT_IMAGE", "")
    monkeypatch.chdir(tmp_path)


def build(
    folder: Path, image: str, *programs: str, found: str = PINNED, engine: int = 0, pushed: int = 0
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Runs the script with nothing but fakes of these programs on PATH; returns what it did and how it called them."""
    project, commands = folder / "project", folder / "bin"
    for made in (project, commands):
        made.mkdir()
    shutil.copy(ROOT / "build-image.sh", project)
    for name, text in {"docker": FAKE_DOCKER, "gcloud": FAKE_GCLOUD}.items():
        if name in programs:
            (commands / name).write_text(text)
            (commands / name).chmod(0o755)
    for name in ("sh", "cat", "date", "dirname", "grep", "head", "mkdir", "tee"):
        (commands / name).symlink_to(str(shutil.which(name)))
    calls = folder / "calls"
    calls.touch()
    state = {"CALLS": str(calls), "FOUND": found, "ENGINE": str(engine), "PUSHED": str(pushed)}
    done = subprocess.run(
        [project / "build-image.sh", image],
        cwd="/",
        env={"PATH": str(commands), **state},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, calls.read_text().splitlines()


def test_docker_builds_and_pushes_if_its_engine_answers(tmp_path: Path) -> None:
    done, calls = build(tmp_path, NAME, "docker", "gcloud")
    assert (done.returncode, done.stdout) == (0, f"{PINNED}\n"), done.stderr
    assert (tmp_path / "project" / "build" / "image").read_text() == f"{PINNED}\n"
    tagged = calls[1].split()[5]
    assert tagged.startswith(f"{NAME}:20")
    assert calls[:3] == [
        "docker info",
        f"docker build --platform linux/amd64 --tag {tagged} .",
        f"docker push {tagged}",
    ]
    assert len(calls) == 4 and calls[3].endswith(tagged)


@pytest.mark.parametrize("programs", [("gcloud",), ("docker", "gcloud")])
def test_cloud_build_does_it_where_no_engine_answers(tmp_path: Path, programs: tuple[str, ...]) -> None:
    done, calls = build(tmp_path, NAME, *programs, engine=1)
    assert (done.returncode, done.stdout) == (0, f"{PINNED}\n"), done.stderr
    assert (tmp_path / "project" / "build" / "image").read_text() == f"{PINNED}\n"
    submitted, listed = (call.split() for call in calls if call.startswith("gcloud"))
    assert submitted[:6] == ["gcloud", "builds", "submit", "--project", "my-project", "--tag"]
    assert submitted[6].startswith(f"{NAME}:20") and submitted[7:] == ["."]
    assert listed[:7] == ["gcloud", "artifacts", "docker", "images", "list", NAME, "--include-tags"]
    assert listed[7:9] == ["--filter", f"tags:{submitted[6].rpartition(':')[2]}"]


@pytest.mark.parametrize(
    ("image", "programs", "state", "told"),
    [
        ("", ("docker",), {}, "give the address in Artifact Registry"),
        ("gemini-sft-python", ("docker",), {}, "give the address in Artifact Registry"),
        (NAME.replace("python", "tasks"), ("docker",), {}, "with python in its name"),
        (f"{NAME}:1", ("docker",), {}, "has a tag or digest"),
        (PINNED, ("docker",), {}, "has a tag or digest"),
        (NAME, (), {}, "neither a docker engine nor gcloud answers"),
        (NAME, ("docker",), {"pushed": 1}, "run `gcloud auth configure-docker us-central1-docker.pkg.dev`"),
        (NAME, ("docker",), {"found": ""}, "gave no digest"),
        (NAME, ("gcloud",), {"found": ""}, "gave no digest"),
    ],
)
def test_what_cannot_be_built_says_so(
    tmp_path: Path, image: str, programs: tuple[str, ...], state: dict[str, int], told: str
) -> None:
    done, _ = build(tmp_path, image, *programs, **state)  # type: ignore[arg-type]
    assert done.returncode != 0 and done.stdout == ""
    assert told in done.stderr
    assert not (tmp_path / "project" / "build" / "image").exists()


def test_what_was_built_is_taken_unless_the_environment_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    assert use_image() is None
    Path("build").mkdir()
    Path("build/image").write_text(f"{PINNED}\n")
    assert use_image() == os.environ["GEMINI_SFT_IMAGE"] == PINNED
    monkeypatch.setenv("GEMINI_SFT_IMAGE", OTHER)
    assert use_image() == OTHER


@pytest.mark.parametrize(
    "image", [f"{NAME}:1", NAME, "gemini-sft-python:0.1.0", f"{NAME}@sha256:12", f"python@{DIGEST}"]
)
def test_what_is_not_pinned_is_refused(image: str) -> None:
    assert str(objection(image)).startswith(f"the image {image} is not an address pinned by its digest")


def test_what_is_pinned_is_not() -> None:
    assert objection(PINNED) is None
