"""A small tuning service, and a clock that does not wait."""

import time
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gemini_sft.experiment import Tuning
from gemini_sft.tuning import Base, TuningRequest

PLACE = "projects/7/locations/us-central1"
NAME = f"{PLACE}/tuningJobs/1"
TUNED = {
    "model": f"{PLACE}/models/3@1",
    "endpoint": "projects/7/locations/us/endpoints/42",
    "checkpoints": [
        {"checkpointId": "1", "epoch": "1", "step": "9", "endpoint": "projects/7/locations/us/endpoints/4"}
    ],
}
Answer = Callable[[], Response]


def refusal(code: int, status: str = "", message: str = "told you") -> Answer:
    return lambda: JSONResponse({"error": {"code": code, "status": status, "message": message}}, code)


def page(code: int = 200) -> Answer:
    return lambda: Response("<html>Error</html>", code, media_type="text/html")


class Clock:
    """Takes the place of the module `time`: who sleeps is awake at once, and later."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return sum(self.slept)

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Tuner:
    """Goes through `states`, and stays in the last; `answers` come before, one for each look at the job."""

    def __init__(self) -> None:
        self.states = ["JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"]
        self.extra: dict[str, Any] = {"tunedModel": TUNED}
        self.answers: list[Answer] = []
        self.creations: list[Answer] = []
        self.lists: list[Answer] = []
        self.cancellations: list[Answer] = []
        self.posted: list[dict[str, Any]] = []
        self.there: list[dict[str, Any]] = []
        self.gone: set[str] = set()
        self.resources: dict[str, dict[str, Any]] = {}
        self.cancelled: list[str] = []
        self.looks = 0

    def routes(self) -> list[BaseRoute]:
        jobs = "/v1beta1/projects/p/locations/us-central1/tuningJobs"
        return [
            Route(jobs, self.create, methods=["POST"]),
            Route(jobs, self.list),
            Route("/v1beta1/{name:path}:cancel", self.cancel, methods=["POST"]),
            Route("/v1beta1/{name:path}", self.get),
            Route("/v1/{name:path}", self.resource),
        ]

    async def create(self, request: Request) -> Response:
        self.posted.append(await request.json())
        if self.creations:
            return self.creations.pop(0)()
        self.there.append({"name": NAME, "state": self.states[0], "labels": self.posted[-1].get("labels", {})})
        return self._job()

    async def list(self, request: Request) -> Response:
        return self.lists.pop(0)() if self.lists else JSONResponse({"tuningJobs": self.there})

    async def get(self, request: Request) -> Response:
        self.looks += 1
        return self.answers.pop(0)() if self.answers else self._job(request.path_params["name"])

    async def cancel(self, request: Request) -> Response:
        if self.cancellations:
            return self.cancellations.pop(0)()
        self.cancelled.append(request.path_params["name"])
        return JSONResponse({})

    async def resource(self, request: Request) -> Response:
        name = request.path_params["name"]
        return refusal(404)() if name in self.gone else JSONResponse({"name": name} | self.resources.get(name, {}))

    def _job(self, name: str = NAME) -> Response:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        labels = self.posted[-1].get("labels", {}) if self.posted else {}
        job = {"name": name, "state": state, "baseModel": "gemini-2.5-flash", "labels": labels}
        return JSONResponse(job | self.extra)


def request(validation: str | None = "gs://b/v", base: Base | None = None, **settings: Any) -> TuningRequest:
    return TuningRequest(
        project="p",
        location="us-central1",
        base=base or Base(id="gemini-2.5-flash"),
        run_id="run-1",
        train_uri="gs://b/t",
        validation_uri=validation,
        train_digest="abc",
        validation_digest="def" if validation else "",
        prompt="0123456789abcdef",
        examples=100,
        place=lambda number: f"train.csv:{number + 1}",
        settings=Tuning.model_validate(settings),
        labels={"experiment": "demo"},
        claims_uri=None,
        evaluation_uri="gs://b/evaluation",
    )
