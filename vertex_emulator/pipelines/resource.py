"""A pipeline job as its clients see it, and how the runner's events change it."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.errors import RPC_CODES
from vertex_emulator.logs import entries
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.wire import now

KIND = "pipelineJobs"
ENDED = frozenset({"PIPELINE_STATE_SUCCEEDED", "PIPELINE_STATE_FAILED", "PIPELINE_STATE_CANCELLED"})

_METADATA_STORE = "metadataStores/default"
_SCHEMAS = {"container": "system.ContainerExecution", "importer": "system.ImporterExecution"}
_EXECUTION_STATES = {
    "RUNNING": "RUNNING",
    "SUCCEEDED": "COMPLETE",
    "SKIPPED": "CACHED",
    "FAILED": "FAILED",
    "CANCELLED": "CANCELLED",
}

Document = dict[str, Any]


class JobResource:
    """A pipeline job's document; every change is stored at once."""

    def __init__(self, document: Document, database: Database, objects: ObjectStore) -> None:
        self.document = document
        self._database = database
        self._objects = objects
        self._location, _, self._id = document["name"].rsplit("/", 2)
        self._cancelled_tasks = False

    @classmethod
    def create(
        cls, name: str, fields: Document, pipeline_name: str, database: Database, objects: ObjectStore
    ) -> "JobResource":
        """Stores a new job, pending, with the fields that its client gave."""
        job = cls({"name": name, **fields, "createTime": now(), "state": "PIPELINE_STATE_PENDING"}, database, objects)
        job.document["jobDetail"] = {
            "pipelineContext": job._context(pipeline_name, "system.Pipeline"),
            "pipelineRunContext": job._context(job._id, "system.PipelineRun"),
            "taskDetails": [],
        }
        job.save()
        return job

    @property
    def name(self) -> str:
        """The full resource name."""
        return str(self.document["name"])

    @property
    def state(self) -> str:
        """The job's state, such as `PIPELINE_STATE_RUNNING`."""
        return str(self.document["state"])

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self.state in ENDED

    def save(self) -> None:
        """Stores the document as it is now."""
        self.document["updateTime"] = now()
        self._database.put(KIND, self._location, self.document)

    def cancelling(self) -> None:
        """Takes note of the wish to end the job."""
        self.document["state"] = "PIPELINE_STATE_CANCELLING"
        self.save()

    def cancel_tasks(self, exit_tasks: Mapping[str, Sequence[str]]) -> bool:
        """Ends the tasks of a job that is being cancelled, but for the exit tasks that are due now.

        Args:
            exit_tasks: By the name of each, the tasks after which it comes.

        Returns:
            Whether there are any: what they come after has begun, and they have not.
        """
        states = {one["taskUniqueName"]: one["state"] for one in self.document["jobDetail"]["taskDetails"]}
        due = {
            name
            for name, after in exit_tasks.items()
            if states[name] == "PENDING" and all(states[one] != "PENDING" for one in after)
        }
        self._end_tasks("CANCELLED", "The task was cancelled.", "CANCELLED", but=due)
        self._cancelled_tasks = True
        self.save()
        return bool(due)

    def apply(self, event: Document) -> None:
        """Takes over what the runner tells."""
        match event["event"]:
            case "pipeline_started":
                self.document["startTime"] = now()
                if self.state == "PIPELINE_STATE_PENDING":
                    self.document["state"] = "PIPELINE_STATE_RUNNING"
                self._list("", event["tasks"])
                self.save()
            case "task_started":
                self._task_started(event)
                self.save()
            case "container_started":
                self._container_started(event)
                self.save()
            case "task_skipped":
                self._task_ended(self._with_outputs(event), "SKIPPED")
                self.save()
            case "task_finished":
                self._task_finished(event)
                self.save()
            case "pipeline_finished" if event["cause"] is None:
                self.end("SUCCEEDED")
            case "pipeline_finished":
                self.end("FAILED", event["cause"])

    def end(self, state: str, message: str = "", code: str = "FAILED_PRECONDITION") -> None:
        """Gives the job, and the tasks that have not ended, their final state.

        Args:
            state: `SUCCEEDED`, `FAILED` or `CANCELLED`.
            message: What went wrong.
            code: Name of the `google.rpc.Code` of the error.
        """
        self._end_tasks(state, message, code)
        self.document["state"] = f"PIPELINE_STATE_{state}"
        self.document["endTime"] = now()
        if state != "SUCCEEDED":
            self.document["error"] = {"code": RPC_CODES[code], "message": message}
        self.save()

    def _end_tasks(self, state: str, message: str, code: str, but: Collection[str] = ()) -> None:
        for detail in self.document["jobDetail"]["taskDetails"]:
            if detail["taskUniqueName"] in but:
                continue
            if detail["state"] == "RUNNING":
                self._task_ended(detail, state, message, code)
            elif detail["state"] == "PENDING":
                detail["state"] = "CANCELLED" if state == "CANCELLED" else "NOT_TRIGGERED"

    def _task_started(self, event: Document) -> None:
        path = event["task"]
        parent, _, name = path.rpartition(".")
        detail = self._find(path) or self._list(parent, {name: name})
        at = now()
        detail.update(state="RUNNING", startTime=at)
        detail["execution"] = {
            "name": f"{self._location}/{_METADATA_STORE}/executions/{detail['taskId']}",
            "displayName": detail["taskName"],
            "state": "RUNNING",
            "schemaTitle": _SCHEMAS.get(event["kind"], "system.DagExecution"),
            "schemaVersion": "0.0.1",
            "createTime": at,
            "metadata": _ports("input", event["inputs"]),
        }
        if event["inputs"]["artifacts"]:
            detail["inputs"] = self._artifacts(event["inputs"])
        self._list(path, event["tasks"])

    def _container_started(self, event: Document) -> None:
        """Names the custom job that Vertex makes for each attempt of a task, under which its lines are found."""
        detail = self._find(event["task"])
        assert detail is not None
        name = f"{self._location}/customJobs/{self._database.next_id('customJobs')}"
        container = detail.setdefault("executorDetail", {"containerDetail": {}})["containerDetail"]
        if "mainJob" in container:
            container.setdefault("failedMainJobs", []).append(container["mainJob"])
        container["mainJob"] = name
        entries.keep(self._database, name, event["lines"])

    def _with_outputs(self, event: Document) -> Document:
        """Returns the task that has ended, with what it gave."""
        detail = self._find(event["task"])
        assert detail is not None
        detail["execution"]["metadata"].update(_ports("output", event["outputs"]))
        if event["outputs"]["artifacts"]:
            detail["outputs"] = self._artifacts(event["outputs"])
        return detail

    def _task_finished(self, event: Document) -> None:
        detail = self._with_outputs(event)
        if event["succeeded"]:
            self._task_ended(detail, "SUCCEEDED")
        elif self.state == "PIPELINE_STATE_CANCELLING" and not self._cancelled_tasks:
            self._task_ended(detail, "CANCELLED", "The task was cancelled.", "CANCELLED")
        else:
            message = event.get("cause") or "The DAG failed because some tasks failed."
            self._task_ended(detail, "FAILED", message)
        for other in self.document["jobDetail"]["taskDetails"]:
            if other["taskUniqueName"].startswith(f"{event['task']}.") and other["state"] == "PENDING":
                other["state"] = "NOT_TRIGGERED"

    def _task_ended(self, detail: Document, state: str, message: str = "", code: str = "FAILED_PRECONDITION") -> None:
        detail.update(state=state, endTime=now())
        detail["execution"].update(state=_EXECUTION_STATES[state], updateTime=detail["endTime"])
        if state not in ("SUCCEEDED", "SKIPPED"):
            detail["error"] = {"code": RPC_CODES[code], "message": message}

    def _list(self, parent: str, tasks: dict[str, str]) -> Document:
        """Adds tasks that may run later, by their own names with those that the user gave; returns the last."""
        detail: Document = {}
        for name, display_name in tasks.items():
            detail = {
                "taskId": self._database.next_id("pipelineTasks"),
                "taskName": display_name,
                "taskUniqueName": f"{parent}.{name}" if parent else name,
                "state": "PENDING",
                "createTime": now(),
            }
            if parent:
                above = self._find(parent)
                assert above is not None
                detail["parentTaskId"] = above["taskId"]
            self.document["jobDetail"]["taskDetails"].append(detail)
        return detail

    def _find(self, path: str) -> Document | None:
        details: list[Document] = self.document["jobDetail"]["taskDetails"]
        return next((detail for detail in details if detail["taskUniqueName"] == path), None)

    def _artifacts(self, ports: Document) -> Document:
        return {
            port: {"artifacts": [self._artifact(port, artifact) for artifact in artifacts]}
            for port, artifacts in ports["artifacts"].items()
        }

    def _artifact(self, port: str, artifact: Document) -> Document:
        # The same URI is the same artifact, whether a task gave or took it, and if only another job took it over.
        digest = hashlib.sha256(f"{self._location} {artifact['uri']}".encode()).digest()
        number = int.from_bytes(digest[:7], "big")
        return {
            "name": f"{self._location}/{_METADATA_STORE}/artifacts/{number}",
            "displayName": port,
            "uri": self._objects.uri_of(artifact["uri"]),
            "schemaTitle": artifact["schemaTitle"],
            "schemaVersion": artifact["schemaVersion"],
            "state": "LIVE",
            "metadata": artifact["metadata"],
        }

    def _context(self, context_id: str, schema_title: str) -> Document:
        name = f"{self._location}/{_METADATA_STORE}/contexts/{context_id}"
        return {"name": name, "displayName": context_id, "schemaTitle": schema_title, "schemaVersion": "0.0.1"}


def _ports(direction: str, ports: Document) -> Document:
    return {f"{direction}:{port}": value for port, value in ports["parameters"].items()}
