"""What documents of Vertex AI say, in the words of the cleanup."""

import re
from collections.abc import Iterator
from typing import Any

from gemini_sft import vertex
from gemini_sft.release.cleanup_estate import Scope

Document = dict[str, Any]

_PROJECT = re.compile(r"^projects/([^/]+)/")
_ENDED_JOBS = {"SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"}
_ENDED_RUNS = {"SUCCEEDED", "FAILED", "CANCELLED"}


def pipelines_of(scope: Scope, *, under_way: bool = False) -> Iterator[Document]:
    """Yields the pipeline jobs of an experiment, known by the experiment file that they were given; see `look`.

    Args:
        scope: Whose.
        under_way: Only those that have not ended.
    """
    query = " AND ".join(f'state!="PIPELINE_STATE_{state}"' for state in sorted(_ENDED_RUNS)) if under_way else ""
    fields = "name,state,createTime,endTime,runtimeConfig"
    for one in vertex.listed(f"{place(scope)}/pipelineJobs", scope.location, "pipelineJobs", query, fields):
        # The same experiment may have runs in another bucket, and they adopt models as well.
        if path_of(experiment_uri(one)).startswith(f"{path_of(scope.staging)}/"):
            yield one


def schedules_of(scope: Scope) -> Iterator[Document]:
    """Yields the schedules that may still start a run of an experiment, in whatever bucket; see `look`."""
    query = 'create_pipeline_job_request:* AND state!="COMPLETED"'
    for one in vertex.listed(f"{place(scope)}/schedules", scope.location, "schedules", query):
        if path_of(experiment_uri(started_by(one))).startswith(f"{path_of(scope.staging)}/"):
            yield one


def started_by(schedule: Document) -> Document:
    """Returns the pipeline job that a schedule starts."""
    job: Document = schedule.get("createPipelineJobRequest", {}).get("pipelineJob", {})
    return job


def path_of(uri: str) -> str:
    """Returns what stands behind the bucket in a `gs://` URI."""
    return uri.removeprefix("gs://").partition("/")[2]


def named(scope: Scope, name: str) -> str:
    """Returns a resource name with the project's id: the service answers with its number."""
    return _PROJECT.sub(f"projects/{scope.project}/", name)


def version_name(scope: Scope, model: Document) -> str:
    """Returns the name of a model's version, of a model as the service describes it."""
    return f"{named(scope, model['name']).partition('@')[0]}@{model['versionId']}"


def served_by(scope: Scope, endpoint: Document) -> dict[str, str]:
    """Returns the versions that an endpoint serves, by the ids of their deployments."""
    return {
        one["id"]: f"{named(scope, one['model']).partition('@')[0]}"
        f"@{one.get('modelVersionId') or one['model'].partition('@')[2] or '1'}"
        for one in endpoint.get("deployedModels", [])
    }


def is_over(pipeline: Document) -> bool:
    """Returns whether a pipeline job will do nothing more."""
    return pipeline.get("state", "").removeprefix("PIPELINE_STATE_") in _ENDED_RUNS


def project_of(resource: Document) -> str:
    """Returns the project in a resource's name: the service gives its number."""
    return str(resource["name"]).split("/")[1]


def has_ended(job: Document) -> bool:
    """Returns whether a tuning job will do nothing more."""
    return job.get("state", "").removeprefix("JOB_STATE_") in _ENDED_JOBS


def place(scope: Scope) -> str:
    """Returns the resource name of the project's region."""
    return f"projects/{scope.project}/locations/{scope.location}"


def labelled(scope: Scope) -> str:
    """Returns the filter for what has the experiment's label."""
    return f'labels.experiment="{scope.experiment}"'


def experiment_uri(pipeline: Document) -> str:
    """Returns the experiment file that a pipeline job was given; empty if it is another pipeline's job."""
    return str(pipeline.get("runtimeConfig", {}).get("parameterValues", {}).get("experiment_uri", ""))
