"""Experiments with runs that really tuned, to be cleaned up."""

import itertools
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from google import genai
from google.cloud import storage
from google.genai import types

from gemini_sft.decision.outcome import Outcome, outcome_uri
from gemini_sft.experiment import Gate
from gemini_sft.release.cleanup_delete import Done, carry_out
from gemini_sft.release.cleanup_estate import Scope
from gemini_sft.release.cleanup_items import Plan
from gemini_sft.release.cleanup_look import look
from gemini_sft.release.cleanup_plan import plan
from gemini_sft.storage import write_json, write_text
from tests.contract.conftest import Server
from tests.contract.tuning.conftest import example, wait
from vertex_emulator.database import Database
from vertex_emulator.environment import LOCATION, PROJECT
from vertex_emulator.names import project_number

BUCKET = "cleanup-data"
PLACE = f"projects/{project_number(PROJECT)}/locations/{LOCATION}"
_COUNTER = itertools.count(1)


class House:
    """An experiment with a name of its own.

    Attributes:
        scope: Of its cleanup.
    """

    def __init__(self, server: Server, client: genai.Client) -> None:
        self.server, self.client = server, client
        self.name = f"exp-{next(_COUNTER)}"
        self.root = f"gs://{BUCKET}/staging/{self.name}"
        self.scope = Scope(
            project=PROJECT,
            location=LOCATION,
            experiment=self.name,
            pipelines=f"gs://{BUCKET}/pipelines",
            staging=self.root,
            outcomes=f"{self.root}/outcomes",
            commands=f"{self.root}/commands",
            cleaned=f"{self.root}/cleaned.txt",
            by_run=(f"{self.root}/tuning-evaluation",),
            answers=(f"{self.root}/answers", f"{self.root}/progress"),
        )

    def run(self, verdict: str = "reject", *, state: str = "SUCCEEDED", epochs: int = 2) -> types.TuningJob:
        """Stages, runs and judges; returns the tuning job."""
        run_id = f"{self.name}-{secrets.token_hex(4)}"
        train = f"{self.root}/{secrets.token_hex(8)}/train.jsonl"
        experiment = f"{self.root}/{secrets.token_hex(8)}/experiment.yaml"
        write_text(train, "\n".join(json.dumps(example(number)) for number in range(12)))
        write_json(experiment, {"name": self.name, "data": {"train": [train]}})
        self.pipeline(run_id, experiment, state)
        labels = {"experiment": self.name, "run": run_id, "intent": secrets.token_hex(20)}
        job = self.client.tunings.tune(
            base_model="gemini-3.1-flash-lite",
            training_dataset=types.TuningDataset(gcs_uri=train),
            config=types.CreateTuningJobConfig(tuned_model_display_name=run_id, epoch_count=epochs, labels=labels),
        )
        job = wait(self.client, job)
        assert job.tuned_model and job.tuned_model.model and job.tuned_model.endpoint
        for place in (
            f"gs://{BUCKET}/pipelines/{project_number(PROJECT)}/{run_id}/compare/report",
            f"{self.root}/tuning-evaluation/{run_id}/all/results.jsonl",
            f"{self.root}/answers/0123/{run_id}/1.jsonl",
            f"{self.root}/progress/{run_id}/0123.json",
        ):
            write_text(place, "of a run")
        if verdict:
            self.judge(run_id, verdict, job.tuned_model.model, job.tuned_model.endpoint)
        return job

    def pipeline(self, run_id: str, experiment_uri: str, state: str = "SUCCEEDED") -> None:
        """Remembers the job of a pipeline, as it is when it has come to a state."""
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        document = {
            "name": f"{PLACE}/pipelineJobs/{run_id}",
            "state": f"PIPELINE_STATE_{state}",
            "createTime": now,
            "pipelineSpec": {},
            "runtimeConfig": {"parameterValues": {"experiment_uri": experiment_uri}},
            "jobDetail": {"taskDetails": []},
        }
        document |= {"endTime": now} if state != "RUNNING" else {}
        self.server.inside(Database.put, "pipelineJobs", PLACE, document)

    def schedule(self, experiment_uri: str) -> str:
        """Makes a schedule that is not due before next year; returns its name."""
        recheck = Path(__file__).parents[2] / "golden" / "recheck.yaml"
        parameters = {"project": PROJECT, "location": LOCATION, "experiment_uri": experiment_uri}
        job = {
            "pipelineSpec": next(yaml.safe_load_all(recheck.read_text("utf-8"))),
            "runtimeConfig": {"gcsOutputDirectory": f"gs://{BUCKET}/pipelines", "parameterValues": parameters},
        }
        parent = f"projects/{PROJECT}/locations/{LOCATION}"
        wanted = {"displayName": self.name, "cron": "0 0 1 1 *", "maxConcurrentRunCount": 1}
        request = {"createPipelineJobRequest": {"parent": parent, "pipelineJob": job}}
        return str(self.http("POST", f"{parent}/schedules", wanted | request)["name"])

    def judge(self, run_id: str, verdict: str, model: str, endpoint: str) -> None:
        """Leaves the outcome of a run."""
        outcome = Outcome(
            run_id=run_id,
            experiment=self.name,
            verdict=verdict,
            reasons=["so it is"],
            metric="exact_match",
            base=0.5,
            candidate=0.4,
            gain=-0.1,
            low=-0.2,
            high=0.0,
            model=model,
            checkpoint="2",
            endpoint=endpoint,
            against="gemini-3.1-flash-lite",
            test="0123",
            champion=None,
            confidence=0.95,
            gate=Gate(),
            data="d0",
            intent="i0",
            report="report.html",
        )
        write_json(outcome_uri(self.scope.outcomes, run_id), outcome.model_dump(mode="json"))

    def alias(self, version: str, *aliases: str) -> None:
        self.http("POST", f"{version}:mergeVersionAliases", {"versionAliases": list(aliases)})

    def http(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self.server.http.request(method, f"/v1/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def exists(self, name: str) -> bool:
        return self.server.http.get(f"/v1/{name}").status_code == 200

    def plan(self, days: int = 30) -> Plan:
        return plan(look(self.scope), datetime.now(UTC), timedelta(days=days))

    def clean(self, days: int = 30) -> list[Done]:
        return carry_out(self.scope, self.plan(days).items)

    def files(self, part: str = "") -> list[str]:
        """The objects of the experiment whose names have a part."""
        found = storage.Client(project=PROJECT).list_blobs(BUCKET)
        return [
            one.name
            for one in found
            if self.name in one.name.split("/") or (f"{self.name}-" in one.name and part in one.name)
        ]


def made_by(job: types.TuningJob) -> tuple[str, list[str]]:
    """The version and the endpoints that a job has made."""
    tuned = job.tuned_model
    assert tuned and tuned.model
    return tuned.model, sorted({one.endpoint or "" for one in tuned.checkpoints or []} | {tuned.endpoint or ""})


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[genai.Client]:
    connected = genai.Client(vertexai=True, project=PROJECT, location=LOCATION)
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def bucket(server: Server) -> storage.Bucket:
    return storage.Client(project=PROJECT).create_bucket(BUCKET)


@pytest.fixture
def house(server: Server, client: genai.Client, bucket: storage.Bucket) -> Iterator[House]:
    """An experiment that nobody else has."""
    yield House(server, client)
    server.http.put("/emulator/faults", json=[])
