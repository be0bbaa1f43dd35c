"""Takes a pipeline job as a client describes it, or refuses it as Vertex would."""

import asyncio
import re
from typing import TYPE_CHECKING, Any

from vertex_emulator.errors import invalid
from vertex_emulator.names import new_name
from vertex_emulator.pipelines.checks import output_directory, read_parameters, read_spec
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


async def submit(emulator: "Emulator", location: str, body: dict[str, Any], job_id: str = "") -> JobResource:
    """Checks a job, stores and starts it.

    Args:
        emulator: The emulator.
        location: Canonical `projects/NUMBER/locations/LOCATION`.
        body: The PipelineJob as received.
        job_id: Last part of its name; made up if empty.

    Raises:
        ApiError: 400 naming the field that is wrong; 409 if there is a job of that id.
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
    posted_spec = _posted(body, "pipelineSpec", "pipeline_spec")
    posted_config = _posted(body, "runtimeConfig", "runtime_config") or {}
    posted_values = _posted(posted_config, "parameterValues", "parameter_values") or {}
    spec = await asyncio.to_thread(read_spec, posted_spec)
    values = read_parameters(spec, posted_values)
    fields = {key: job[key] for key in _GIVEN if key in job} | {"pipelineSpec": posted_spec}
    if posted_values:
        fields["runtimeConfig"]["parameterValues"] = posted_values
    name = f"{location}/{KIND}/{job_id}" if job_id else new_name(emulator.database, location, KIND)
    return emulator.pipelines.create(name, fields, spec.pipeline_info.name, values, root)


def _posted(body: dict[str, Any], camel: str, snake: str) -> Any:
    return body.get(camel, body.get(snake))
