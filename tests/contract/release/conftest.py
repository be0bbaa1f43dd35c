"""Tuned models of an experiment in the emulator, and what a run knows when it promotes one."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from gemini_sft import registry
from gemini_sft.experiment import Experiment
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.inference.prediction import Outcome
from gemini_sft.release import Promotion, writing
from tests.contract.conftest import Server
from vertex_emulator.endpoints import create_endpoint
from vertex_emulator.environment import LOCATION, PROJECT
from vertex_emulator.names import project_number
from vertex_emulator.registry import add_version, link_endpoint

PARENT = f"projects/{project_number(PROJECT)}/locations/{LOCATION}"
PROMPT = "0123456789abcdef"
_numbers = count()

Faults = Callable[..., None]


class Team:
    """An experiment of its own, with as many tuned models as a test wants."""

    def __init__(self, server: Server, task: str = "summarization") -> None:
        self._server = server
        self.name = f"release-{next(_numbers)}"
        self.experiment = Experiment.model_validate(
            {"name": self.name, "task": task, "base_model": "gemini-2.5-flash", "data": {"train": "t.jsonl"}}
        )

    def model(self, model_id: str | None = None, **labels: str) -> str:
        """Returns the name of a new version, served at an endpoint for each of its two checkpoints."""
        name: str = self._server.inside(
            add_version,
            PARENT,
            model_id=model_id,
            display_name=self.name,
            labels={"experiment": self.name, "prompt": PROMPT, "data": "d0", "run": "tuned-by"} | labels,
            base_model="gemini-2.5-flash",
            checkpoints=[{"checkpointId": one, "epoch": int(one), "step": 5 * int(one)} for one in "12"],
            default_checkpoint_id="2",
        )
        for one in "12":
            endpoint = self._server.inside(create_endpoint, PARENT, display_name="e", model=name, checkpoint_id=one)
            self._server.inside(link_endpoint, name, endpoint)
        return name

    def give(self, model: str, alias: str) -> None:
        """Gives a version an alias by hand."""
        answer = self._server.http.post(f"/v1/{model}:mergeVersionAliases", json={"versionAliases": [alias]})
        assert answer.status_code == 200, answer.text

    def promotion(self, model: str, champion: str | None, **changes: Any) -> Promotion:
        """Returns what a run wants that has compared a model with a champion."""
        given: dict[str, Any] = {
            "project": PROJECT,
            "location": LOCATION,
            "experiment": self.experiment,
            "run_id": f"{self.name}-{model.rpartition('/')[2].partition('@')[0]}",
            "model": model,
            "checkpoint": "1",
            "prompt": PROMPT,
            "evaluation": evaluated(),
            "champion": champion,
        }
        return Promotion(**(given | changes))

    def versions(self) -> list[registry.Version]:
        return registry.versions(PROJECT, LOCATION, self.name)

    def standing(self) -> tuple[str | None, str | None]:
        """Returns the champion and the one before, as anybody else would find them."""
        found = self.versions()
        champion, previous = registry.champion_of(found), registry.previous_of(found)
        return champion.name if champion else None, previous.name if previous else None

    def aliases(self) -> dict[str, set[str]]:
        """Returns the aliases of each version that has any but `default`."""
        there = {one.name: set(one.aliases) - {"default"} for one in self.versions()}
        return {name: aliases for name, aliases in there.items() if aliases}


def evaluated(**changes: Any) -> EvaluationResult:
    """An evaluation of four examples, of which one was not answered."""
    given: dict[str, Any] = {
        "model": f"{PARENT}/endpoints/1",
        "served_by": "stand-in",
        "n": 4,
        "outcomes": {Outcome.ANSWERED: 3, Outcome.BLOCKED: 1},
        "metrics": {"rougeL_f": 0.25, "rougeLsum_f": 0.5},
        "scores": {},
        "failed": ["e4"],
    }
    return EvaluationResult.model_validate(given | changes)


@pytest.fixture
def team(server: Server) -> Team:
    return Team(server)


@pytest.fixture
def faults(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """Puts rules in force, and an end to them afterwards; nothing is waited for before it is asked again."""
    monkeypatch.setattr(writing, "PAUSES", (0.0, 0.0))

    def put(*rules: dict[str, Any]) -> None:
        assert server.http.put("/emulator/faults", json=list(rules)).status_code == 200

    yield put
    put()
