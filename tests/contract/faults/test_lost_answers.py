"""Answers to the creation of a job that its client never gets: is the job there or not?"""

import json
from typing import Any

import httpx
import pytest
from google import genai
from google.genai import errors, types

from tests.contract.conftest import Server
from tests.contract.faults.conftest import Faults

pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")

CREATION = {"path": "/tuningJobs$", "method": "POST", "times": 1}


@pytest.mark.parametrize(
    ("rule", "failure", "made"),
    [
        ({"body": "cut"}, httpx.RemoteProtocolError, True),
        ({"body": "truncated"}, json.JSONDecodeError, True),
        ({"hang": True}, httpx.TimeoutException, False),
        ({"hang": True, "served": True}, httpx.TimeoutException, True),
        ({"status": 503}, errors.ServerError, False),
        ({"status": 503, "served": True}, errors.ServerError, True),
        ({"status": 502, "body": "html", "served": True}, errors.ServerError, True),
        ({"status": 503, "body": "cut", "served": True}, httpx.RemoteProtocolError, True),
    ],
)
def test_a_job_is_made_and_nobody_hears_of_it_or_not(
    client: genai.Client, server: Server, faults: Faults, rule: dict[str, Any], failure: type[Exception], made: bool
) -> None:
    name = "-".join(f"{key}-{value}" for key, value in rule.items()).lower()
    faults({**CREATION, **rule})

    def tune() -> types.TuningJob:
        job: types.TuningJob = client.tunings.tune(
            base_model="gemini-2.5-flash",
            training_dataset=types.TuningDataset(gcs_uri="gs://no-such-bucket/none.jsonl"),
            config=types.CreateTuningJobConfig(labels={"lost": name}, http_options=types.HttpOptions(timeout=700)),
        )
        return job

    with pytest.raises(failure):
        tune()
    assert len(list(client.tunings.list(config={"filter": f"labels.lost={name}"}))) == int(made)
    assert tune().labels == {"lost": name}  # the rule is used up, and the service is well


def test_what_is_served_goes_with_what_loses_the_answer(server: Server) -> None:
    for rule in ({"served": True, "latency": 1}, {"served": True, "body": "cut"}, {"served": True, "quota": 1}):
        refusal = server.http.put("/emulator/faults", json=[rule])
        assert refusal.status_code == 400 and "served: " in refusal.json()["error"]["message"]
