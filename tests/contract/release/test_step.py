"""The step, on the files that a run leaves and the models of the emulator."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gemini_sft import storage
from gemini_sft.errors import RunError
from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.release import Champions
from gemini_sft.steps.find_models import find_models, read_champion
from gemini_sft.steps.promote_model import promote_model
from gemini_sft.steps.references import find_reference
from gemini_sft.tuning import Candidate, Selection
from tests.contract.release.conftest import PROMPT, Team, evaluated
from vertex_emulator.environment import LOCATION, PROJECT

Promote = Callable[..., Champions]


@pytest.fixture
def uris(tmp_path: Path, team: Team) -> dict[str, str]:
    """Where a run's files are; the models are looked up as the run does it."""
    ports = ("experiment", "models", "test", "selection", "evaluation", "comparison")
    found = {f"{one}_uri": str(tmp_path / one) for one in ports} | {"experiment_uri": str(tmp_path / "x.yaml")}
    document = {"name": team.name, "task": "chat", "base_model": "gemini-3.5-flash", "data": {"train": "t.jsonl"}}
    storage.write_json(found["experiment_uri"], document)
    storage.write_json(f"{found['test_uri']}/prompt.json", {"fingerprint": PROMPT})
    rows = [{"id": "e1", "group": "g"}, {"id": "e2", "group": None}]
    storage.write_jsonl(f"{found['test_uri']}/sources.jsonl", rows)
    return found


def look_up(uris: dict[str, str]) -> None:
    place = {"project": PROJECT, "location": LOCATION}
    find_models(**place, experiment_uri=uris["experiment_uri"], models_uri=uris["models_uri"])


def promoted(uris: dict[str, str], tuned: str, verdict: str = "promote", **changes: Any) -> Champions:
    candidate = Candidate(
        job="j", model=tuned, checkpoint="1", epoch=1, step=5, endpoint=evaluated().model, score=0.5, n=4
    )
    selection = Selection(
        by=CheckpointChoice.LAST, metric="rougeL_f", candidates=[candidate], chosen=0, reason="the last"
    )
    storage.write_json(uris["selection_uri"], selection.model_dump(mode="json"))
    storage.write_json(uris["evaluation_uri"], evaluated(**changes).model_dump(mode="json"))
    storage.write_json(uris["comparison_uri"], {"verdict": verdict, "whatever": "else"})
    return promote_model(project=PROJECT, location=LOCATION, run_id="run-1", **uris)


def test_from_run_to_run(team: Team, uris: dict[str, str]) -> None:
    look_up(uris)
    assert read_champion(uris["models_uri"]) is None
    first, second, third = team.model(), team.model(), team.model()
    assert promoted(uris, first) == Champions(first, None)
    look_up(uris)
    champion = read_champion(uris["models_uri"])
    assert champion is not None and (champion.model, champion.checkpoint) == (first, "1")
    kept = find_reference(uris["experiment_uri"], (champion.model or "", champion.checkpoint))
    assert kept and kept.evaluation == evaluated() and (kept.run_id, kept.groups) == ("run-1", {"e1": "g"})
    served = {one.name: one.endpoints for one in team.versions()}
    assert champion.endpoint == served[first]["1"] and champion.id == "gemini-2.5-flash"
    assert promoted(uris, second) == Champions(second, first)
    with pytest.raises(RunError, match="run again"):
        promoted(uris, third)
    assert promoted(uris, second) == Champions(second, first)


def test_a_champion_that_nothing_serves_stops_no_run(team: Team, uris: dict[str, str], server: Any) -> None:
    model = team.model()
    team.give(model, "champion")
    for endpoint in team.versions()[0].endpoints.values():
        for deployed in server.http.get(f"/v1/{endpoint}").json()["deployedModels"]:
            server.http.post(f"/v1/{endpoint}:undeployModel", json={"deployedModelId": deployed["id"]})
    look_up(uris)
    champion = read_champion(uris["models_uri"])
    assert champion is not None and (champion.model, champion.endpoint) == (model, None)


@pytest.mark.parametrize("verdict", ["reject", "inconclusive", ""])
def test_another_verdict(team: Team, uris: dict[str, str], verdict: str) -> None:
    look_up(uris)
    with pytest.raises(RunError, match="only a model with the verdict promote"):
        promoted(uris, team.model(), verdict)
    assert team.aliases() == {}


def test_the_evaluation_of_another_model(team: Team, uris: dict[str, str]) -> None:
    look_up(uris)
    with pytest.raises(RunError, match=r"is of gemini-2\.5-flash, and what was taken answers at "):
        promoted(uris, team.model(), model="gemini-2.5-flash")
    assert team.aliases() == {}


def test_models_of_a_run_from_before_there_were_champions(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text(json.dumps({"base": {"id": "gemini-2.5-flash"}}), "utf-8")
    assert read_champion(str(tmp_path / "models.json")) is None
