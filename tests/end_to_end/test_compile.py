"""`python compile.py` gives the same bytes wherever it runs, and they are those of the golden copy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
IMAGE = f"example.test/python@sha256:{'0' * 64}"


def compiled(folder: Path, *, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "GEMINI_SFT_IMAGE"}
    return subprocess.run(
        [sys.executable, str(ROOT / "compile.py"), "out"],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_from_another_folder_and_with_another_hash_seed(tmp_path: Path) -> None:
    """The golden copy was made in the project's own folder, with the seed of that day."""
    done = compiled(tmp_path, environment={"PYTHONHASHSEED": "4711"})
    assert done.returncode == 0, done.stderr
    written = sorted((tmp_path / "out").iterdir())
    assert sorted(done.stdout.splitlines()) == sorted(str(Path("out") / file.name) for file in written)
    assert [file.name for file in written] == sorted(file.name for file in GOLDEN.glob("*.yaml"))
    for file in written:
        if file.read_bytes() != (GOLDEN / file.name).read_bytes():
            pytest.fail(
                f"{file.name} differs from its golden copy. If the change is meant, renew the copy with"
                " `python compile.py tests/golden` and look at the difference with `git diff tests/golden`.",
                pytrace=False,
            )


def test_for_the_image_that_was_built_and_for_none_that_is_not_pinned(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "image").write_text(IMAGE)
    refused = compiled(tmp_path, environment={"GEMINI_SFT_IMAGE": "example.test/python:1"})
    assert refused.returncode == 2 and "is not an address pinned by its digest" in refused.stderr
    assert compiled(tmp_path, environment={}).returncode == 0
    text = (tmp_path / "out" / "finetune.yaml").read_text("utf-8")
    assert text.count(f"image: {IMAGE}\n") == (GOLDEN / "finetune.yaml").read_text("utf-8").count("image: gemini-sft-")
