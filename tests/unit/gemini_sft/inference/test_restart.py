"""Killed at any instant and started again: the same predictions, and next to nothing asked twice."""

import asyncio
import multiprocessing
import os
import random
import subprocess
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from gemini_sft import storage
from gemini_sft.errors import ServiceError
from gemini_sft.inference import Outcome
from tests.unit.gemini_sft.inference.fake_gemini import Gemini, answered, asked, examples, refused

# google-genai's own, when it makes its first session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

_EXAMPLES = 60
_KILLS = 20
_AT_ONCE = 8
_LEADS_TO_THE_SERVER = ("GOOGLE_", "GCE_", "VERTEX_", "SSL_")


def in_another_process(environment: dict[str, str], journal: str, target: str) -> None:
    """Asks for everything and writes the predictions, in a process that may be killed."""
    from google.auth.compute_engine import _metadata

    os.environ.update(environment)
    _metadata._GCE_METADATA_HOST = environment["GCE_METADATA_HOST"]
    found = asked(examples(_EXAMPLES), journal=journal, max_concurrency=_AT_ONCE)
    storage.write_jsonl(target, (one.model_dump(mode="json") for one in found.predictions))


def start(journal: Path, target: Path) -> ForkServerProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "google.genai.types", "google.auth.compute_engine", "aiohttp"])
    environment = {name: value for name, value in os.environ.items() if name.startswith(_LEADS_TO_THE_SERVER)}
    process = context.Process(target=in_another_process, args=(environment, str(journal), str(target)))
    process.start()
    return process


def test_killed_at_twenty_random_moments(gemini: Gemini, tmp_path: Path) -> None:
    async def slow(question: str, attempt: int) -> Response:
        await asyncio.sleep(0.05)
        return answered(f"re: {question}")

    gemini.answer = slow
    moments = random.Random(20)
    interrupted = tmp_path / "interrupted.jsonl"
    kills = 0
    for _ in range(_KILLS):
        before = gemini.asked.total()
        process = start(tmp_path / "journal", interrupted)
        while gemini.asked.total() == before and process.is_alive():
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.06))
        process.kill()
        process.join(10)
        kills += process.exitcode == -9
    last = start(tmp_path / "journal", interrupted)
    last.join(30)
    assert last.exitcode == 0 and kills >= 10, "the machine is too fast: make the answers slower"
    twice = gemini.asked.total() - _EXAMPLES
    assert twice <= kills * _AT_ONCE, "more than what was under way"

    whole = start(tmp_path / "another journal", tmp_path / "whole.jsonl")
    whole.join(30)
    assert interrupted.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert len(interrupted.read_bytes().splitlines()) == _EXAMPLES


def test_what_was_answered_is_not_asked_again(gemini: Gemini, tmp_path: Path) -> None:
    async def odd_ones_fail(question: str, attempt: int) -> Response:
        return refused(400, "INVALID_ARGUMENT") if int(question[1:]) % 2 else answered("a")

    gemini.answer = odd_ones_fail
    first = asked(examples(10), journal=tmp_path)
    gemini.answer = gemini._echo
    second = asked(examples(10), journal=tmp_path, max_concurrency=3)
    assert gemini.asked == {f"q{number}": 1 + number % 2 for number in range(10)}
    assert first.predictions[::2] == second.predictions[::2]
    assert {one.outcome for one in second.predictions} == {Outcome.ANSWERED}
    assert (second.traffic.examples, second.traffic.kept) == (10, 5)


@pytest.mark.parametrize(
    "changed", [{"temperature": 1.0}, {"model": "gemini-2.5-pro", "base": "gemini-2.5-pro"}], ids=str
)
def test_another_answer_is_never_taken(gemini: Gemini, tmp_path: Path, changed: dict[str, Any]) -> None:
    asked(examples(3), journal=tmp_path)
    assert asked(examples(3), journal=tmp_path, **changed).traffic.kept == 0
    assert asked(examples(3), journal=tmp_path, max_concurrency=1).traffic.kept == 3


def test_examples_with_the_same_prompt_all_have_their_answers(gemini: Gemini, tmp_path: Path) -> None:
    async def count(question: str, attempt: int) -> Response:
        return answered(f"{question} {attempt}")

    gemini.answer = count
    one, other = examples(1) * 2, examples(1) * 2
    first = [one.text for one in asked(one, journal=tmp_path, max_concurrency=1).predictions]
    second = [one.text for one in asked(other, journal=tmp_path).predictions]
    assert sorted(first) == ["q0 1", "q0 2"] and second == first and gemini.asked == {"q0": 2}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that is a disk with room for a few answers."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_ends_it_and_what_was_kept_stays(gemini: Gemini, small_disk: Path) -> None:
    with pytest.raises(ServiceError, match=r"disk/.*\.jsonl could not be written: No space left on device$"):
        asked(examples(40), journal=small_disk / "journal", max_concurrency=2)
    before = gemini.asked.total()
    assert before < 40, "nothing else is paid for"
    subprocess.run(["mount", "-o", "remount,size=10m", str(small_disk)], check=True)
    answers = asked(examples(40), journal=small_disk / "journal", max_concurrency=2)
    assert {one.outcome for one in answers.predictions} == {Outcome.ANSWERED}
    assert answers.traffic.kept >= before - 2 and gemini.asked.total() <= 40 + 2
