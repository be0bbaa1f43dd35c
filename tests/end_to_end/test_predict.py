"""`gemini-sft predict` after a run: the answers are those of the run's own evaluation."""

import contextlib
import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.conftest import ROOT, environment, gemini_sft
from tests.end_to_end.test_tasks import assert_verdict

EXPERIMENT = ROOT / "experiments" / "question_answering.yaml"
TEST = ROOT / "samples" / "question_answering" / "test.csv"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The shipped experiment with a template of two columns and few-shot examples, run once: its object and folder."""
    folder = tmp_path_factory.mktemp("predict")
    ended = gemini_sft("run", EXPERIMENT, "--json", cwd=folder)
    assert ended.code == 0, ended.err
    return json.loads(ended.out), folder


@contextlib.contextmanager
def emulator(folder: Path) -> Iterator[str]:
    """Serves what runs in a folder have left; gives its address."""
    command = [sys.executable, "-m", "vertex_emulator", "--json", "--until-stdin-closes", "--data-dir", ".local"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=environment(folder), stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin and process.stdout
        yield json.loads(process.stdout.readline())["environment"]["VERTEX_API_ENDPOINT"]
        process.stdin.close()


def evaluated(ran: tuple[dict[str, Any], Path]) -> list[str]:
    summary, folder = ran
    lines = (folder / summary["artifacts"] / "candidate-predictions.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def columns(row: dict[str, str]) -> list[str]:
    return [f"{name}={row[name]}" for name in ("question", "context")]


def rows() -> list[dict[str, str]]:
    with TEST.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_experiment_runs_to_a_verdict(ran: tuple[dict[str, Any], Path]) -> None:
    assert_verdict("question_answering", *ran)


def test_a_run_is_asked_with_the_prompt_that_it_was_tuned_with(ran: tuple[dict[str, Any], Path]) -> None:
    summary, folder = ran
    ended = gemini_sft("predict", EXPERIMENT, *columns(rows()[0]), "--run", summary["run_id"], cwd=folder)
    assert (ended.code, ended.out) == (0, f"{evaluated(ran)[0]}\n"), ended.err
    assert "A local stand-in answered, not Gemini." in ended.err
    assert evaluated(ran)[0] not in ended.err


def test_a_file_gives_what_the_evaluation_had(ran: tuple[dict[str, Any], Path]) -> None:
    summary, folder = ran
    bare = folder / "bare.tsv"
    with bare.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerows([("question", "context"), *((one["question"], one["context"]) for one in rows())])
    ended = gemini_sft("predict", EXPERIMENT, "--file", "bare.tsv", "--run", summary["run_id"], cwd=folder)
    assert ended.code == 0, ended.err
    answers = [json.loads(line) for line in ended.out.splitlines()]
    assert [one["text"] for one in answers] == evaluated(ran)
    assert {tuple(one) for one in answers} == {("source", "line", "outcome", "text", "tokens", "error")}
    assert f"{len(answers)} prompts, 0 without an answer" in ended.err


def test_without_a_champion_it_says_how_to_ask_another(ran: tuple[dict[str, Any], Path]) -> None:
    _, folder = ran
    ended = gemini_sft("predict", EXPERIMENT, "--file", TEST, "--set", "name=another", "--json", cwd=folder)
    assert ended.code == 2
    (problem,) = json.loads(ended.out)["problems"]
    assert problem.startswith("no champion of another can be asked: ") and problem.endswith("--run RUN_ID")


def test_the_champion_is_asked_when_there_is_one(ran: tuple[dict[str, Any], Path]) -> None:
    summary, folder = ran
    with emulator(folder) as url:  # whatever the verdict was
        aliased = f"{url}/v1/{summary['tuned_model']}:mergeVersionAliases"
        httpx.post(aliased, json={"versionAliases": ["champion"]}, trust_env=False).raise_for_status()
    ended = gemini_sft("predict", EXPERIMENT, "--file", TEST, "--out", "answers.jsonl", "--json", cwd=folder)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert (found["endpoint"], found["model"]) == (summary["endpoint"], summary["tuned_model"])
    assert (found["answers"], found["failures"], found["out"]) == (None, 0, "answers.jsonl")
    written = [json.loads(line) for line in (folder / "answers.jsonl").read_text("utf-8").splitlines()]
    assert [one["text"] for one in written] == evaluated(ran)


def test_other_few_shot_examples_are_another_prompt(ran: tuple[dict[str, Any], Path]) -> None:
    summary, folder = ran
    other = ("--set", "data.seed=7", "--run", summary["run_id"])
    ended = gemini_sft("predict", EXPERIMENT, *columns(rows()[0]), *other, cwd=folder)
    assert (ended.code, ended.out) == (2, "")
    assert "was tuned with another prompt" in ended.err
    assert "Traceback" not in ended.err
