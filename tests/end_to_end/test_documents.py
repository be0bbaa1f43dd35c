"""Every command that the documents show, and every target of the Makefile, run as a reader would run them."""

import os
import re
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.conftest import GEMINI_SFT, ROOT, environment, processes_of

DOCUMENTS = [
    "README.md",
    "docs/first-run.md",
    "docs/schedule.md",
    "CONTRIBUTING.md",
    "benchmarks/README.md",
    "docs/emulator.md",
    "docs/architecture.md",
    "docs/experiment.md",
    "docs/data.md",
    "docs/costs.md",
    "docs/notification.md",
]
ELSEWHERE = {
    # Installs, lints and runs these very tests: continuous integration is the test of it.
    "make test",
    "make test-unit",
    "make format",
    # What `make run` runs, as the test of its dry run shows.
    "gemini-sft run experiments/summarization.yaml",
    # Serves until it is stopped, or speaks to what it serves: see the tests of those below.
    "gemini-sft emulator --port 8123 --data-dir .local",
    'curl -X PUT 127.0.0.1:8123/emulator/faults -d \'[{"path": "generateContent", "status": 429, "times": 3}]\'',
    "curl -X PUT 127.0.0.1:8123/emulator/schedules -d '{\"speed\": 604800}'",
}
COMMAND = re.compile(r"^(make|gemini-sft|python|curl|\.) ")


def blocks(name: str, section: str = "") -> list[tuple[str, list[str]]]:
    """The code blocks of a document, or of one of its sections: language, and lines."""
    found: list[tuple[str, list[str]]] = []
    inside = False
    text = (ROOT / name).read_text("utf-8")
    if section:
        (text,) = (one for one in text.split("\n## ") if one.startswith(f"{section}\n"))
    for line in text.splitlines():
        if line.startswith("```"):
            inside = not inside
            if inside:
                found.append((line.removeprefix("```"), []))
        elif inside:
            found[-1][1].append(line)
    return found


def shown_commands() -> list[str]:
    """Commands in the documents' code blocks that name no language, without comments, in order, each once."""
    lines = [line for name in DOCUMENTS for language, block in blocks(name) if not language for line in block]
    commands = (line.split("  #")[0].strip() for line in lines)
    return list(dict.fromkeys(command for command in commands if COMMAND.match(command)))


def shell(command: str, checkout: Path, timeout: float = 170) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-ec", f". .venv/bin/activate && {command}"],
        cwd=checkout,
        env=environment() | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_documents_show_commands() -> None:
    assert len(shown_commands()) > 6
    assert set(shown_commands()) >= ELSEWHERE


@pytest.mark.parametrize("command", [one for one in shown_commands() if one not in ELSEWHERE])
def test_command_works(command: str, checkout: Path) -> None:
    done = shell(command, checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    if command == "make run":
        assert "Verdict: " in done.stdout
        assert "pip" not in done.stdout


@pytest.mark.parametrize(
    ("target", "expected"),
    [("help", "make run"), ("compile", "build/finetune.yaml"), ("format", "left unchanged"), ("clean", "rm -rf")],
)
def test_target_works(target: str, expected: str, checkout: Path) -> None:
    done = shell(f"make {target}", checkout)
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout


def test_help_is_the_first_target_and_names_every_other(checkout: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    said = shell("make", checkout).stdout
    assert targets == set(re.findall(r"^  make ([a-z-]+)", said, re.MULTILINE))


def test_installed_environment_is_left_alone(checkout: Path) -> None:
    done = shell("make --dry-run run", checkout)
    assert "pip" not in done.stdout
    assert done.stdout.endswith("/gemini-sft run experiments/summarization.yaml\n")


def test_emulator_serves_what_its_page_says(checkout: Path) -> None:
    process = subprocess.Popen(
        ["make", "emulator", "PORT=0", "DATA_DIR=.emulator"],
        cwd=checkout,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        url = re.findall(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
        for command in (one for one in shown_commands() if one.startswith("curl")):
            ((path, body),) = re.findall(r"PUT 127\.0\.0\.1:8123(\S+) -d '(.*)'", command)
            assert httpx.put(f"{url}{path}", content=body, trust_env=False).status_code == 200
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(15)  # make tells of the interrupt with a code of its own
        process.stdout.close()
    assert not processes_of(checkout / ".emulator")


def test_programs_of_the_emulators_page_run(checkout: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*GEMINI_SFT, "emulator", "--port", "0", "--data-dir", tmp_path / "data"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        printed = ""  # what its user pastes into another terminal
        while "export no_proxy=" not in printed:
            line = process.stdout.readline()
            assert line, printed
            printed += line
        first, second = (
            lines
            for language, lines in blocks("docs/emulator.md", "Using it from your own program")
            if language == "python"
        )
        for lines, output in ((first, r"JOB_STATE_SUCCEEDED question"), (second, r"\['projects/.*/models/\d+'\]")):
            program = tmp_path / "program.py"
            program.write_text("\n".join(lines), "utf-8")
            done = shell(f"{printed} .venv/bin/python {program}", checkout)
            assert done.returncode == 0, done.stdout + done.stderr
            assert re.fullmatch(output, done.stdout.strip()), done.stdout
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(15)
        process.stdout.close()
    assert not processes_of(tmp_path / "data")


def test_example_in_the_readme_is_the_shipped_experiment() -> None:
    import yaml

    (shown,) = ("\n".join(lines) for language, lines in blocks("README.md") if language == "yaml")
    shipped = (ROOT / "experiments" / "summarization.yaml").read_text("utf-8")
    assert yaml.safe_load(shown) == yaml.safe_load(shipped)
