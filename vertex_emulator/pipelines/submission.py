"""Takes a pipeline job as a client describes it, or refuses it as Vertex would."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vertex_emulator.errors import invalid
from vertex_emulator.filters import snake_case
from vertex_emulator.names import new_name
from vertex_emulator.pipelines.checks import output_directory, read_parameters, read_spec
from vertex_emulator.pipelines.jobs import Scheduled
from vertex_emulator.pipelines.resource import KIND, JobResource
from vertex_emulator.resources import check_fields
from vertex_emulator.wire import parse

if TYPE_CHECKING:
    from vertex_emulator.emulator import Emulator

_JOB_ID = re.compile(r"[a-z][-a-z0-9]{0,127}")
_GIVEN = (
    "displayName",
    "labels",
    "runtimeConfig",
    "encryptionSpec",
    "serviceAccount",
    "network",
    "reservedIpRanges",
    "pscInterfaceConfig",
    "preflightValidations",
)


@dataclass(frozen=True)
class Accepted:
    """A pipeline job that was found good.

    Attributes:
        fields: The fields that the client gave, in camelCase.
        pipeline_name: Name of the pipeline in its spec.
        parameters: The values to run the pipeline with.
        root: The folder that the job's `gcsOutputDirectory` means.
    """

    fields: dict[str, Any]
    pipeline_name: str
    parameters: dict[str, Any]
    root: Path


async def check(emulator: "Emulator", body: dict[str, Any], job_id: str = "") -> Accepted:
    """Checks a job and starts nothing.

    Args:
        emulator: The emulator.
        body: The PipelineJob as received.
        job_id: Last part of its name; empty if it is to be made up.

    Raises:
        ApiError: 400 naming the field that is wrong.
    """
    from vertex_emulator.protobuf import types

    job = parse(body, types.PipelineJob, "pipeline_job")
    check_fields(job)
    if job_id and not _JOB_ID.fullmatch(job_id):
        raise invalid(f"Invalid pipeline job id '{job_id}': it must match {_JOB_ID.pattern}.", "pipeline_job_id")
    config = job.get("runtimeConfig", {})
    if config.get("parameters"):
        raise invalid(
            "runtime_config.parameters is for pipelines older than schema 2.1.0; use parameter_values.",
            "pipeline_job.runtime_config.parameters",
        )
    root = output_directory(config.get("gcsOutputDirectory", ""), emulator.objects)
    # protobuf's Struct has no integers: what was posted is kept, not what protobuf makes of it.
    posted_spec = posted(body, "pipelineSpec")
    posted_values = posted(posted(body, "runtimeConfig") or {}, "parameterValues") or {}
    spec = await asyncio.to_thread(read_spec, posted_spec)
    values = read_parameters(spec, posted_values)
    fields = {key: job[key] for key in _GIVEN if key in job} | {"pipelineSpec": posted_spec}
    if posted_values:
        fields["runtimeConfig"]["parameterValues"] = posted_values
    return Accepted(fields, spec.pipeline_info.name, values, root)


async def submit(
    emulator: "Emulator", location: str, body: dict[str, Any], job_id: str = "", scheduled: Scheduled | None = None
) -> JobResource:
    """Checks a job, stores and starts it.

    Args:
        emulator: The emulator.
        location: Canonical `projects/NUMBER/locations/LOCATION`.
        body: See `check`.
        job_id: See `check`.
        scheduled: What schedule it is a run of.

    Raises:
        ApiError: 400 naming the field that is wrong; 409 if there is a job of that id.
    """
    accepted = await check(emulator, body, job_id)
    name = f"{location}/{KIND}/{job_id}" if job_id else new_name(emulator.database, location, KIND)
    return emulator.pipelines.create(
        name, accepted.fields, accepted.pipeline_name, accepted.parameters, accepted.root, scheduled
    )


def posted(body: dict[str, Any], field: str) -> Any:
    """Returns a field as it was posted, under its camelCase name `field` or in snake_case; None if it is not there."""
    return body.get(field, body.get(snake_case(field)))
