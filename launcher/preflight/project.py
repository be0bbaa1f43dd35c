"""What Google Cloud says of a project: which APIs are enabled, what the caller may do, how many jobs may run.

Where these services are, gcloud's own variables say (`CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE` and so on); unset,
they are Google's. Whatever keeps an answer away is an `Unchecked`: not to know is no reason to stop a run.
"""

import os
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import quote

from gemini_sft.errors import GeminiSftError
from gemini_sft.rest import session
from launcher.preflight.permissions import SEES, SOMEBODY

_TIMEOUT_SECONDS = 30
_ATTEMPTS = 3
_QUOTA = "aiplatform.googleapis.com/global_concurrent_tuning_jobs"
_OFF = "SERVICE_DISABLED"


class Unchecked(Exception):
    """Something that Google did not tell.

    Args:
        why: In Google's words, if it gave a reason.
        remedy: The command that lets it tell; empty if there is none.
    """

    def __init__(self, why: str, remedy: str = "") -> None:
        super().__init__(why)
        self.remedy = remedy


class AbsentAccount(Exception):
    """There is no such service account."""


def disabled_apis(project: str, apis: Collection[str]) -> list[str]:
    """Returns those of some APIs that a project has not enabled.

    Raises:
        Unchecked: Service Usage did not say.
    """
    names = [f"projects/{project}/services/{api}" for api in apis]
    answer = _ask("GET", "serviceusage", f"v1/projects/{project}/services:batchGet", project, {"names": names})
    states = {one["name"].rpartition("/")[2]: one.get("state") for one in answer.get("services", [])}
    return [api for api in apis if states.get(api) == "DISABLED"]


def lacking_on_project(project: str, permissions: Sequence[str]) -> list[str]:
    """Returns those of some permissions that the caller does not have on a project.

    Raises:
        Unchecked: Resource Manager did not say.
    """
    path = f"v3/projects/{project}:testIamPermissions"
    granted = _ask("POST", "cloudresourcemanager", path, project, body={"permissions": list(permissions)})
    return [one for one in permissions if one not in granted.get("permissions", [])]


def lacking_on_account(project: str, account: str, permissions: Sequence[str]) -> list[str]:
    """Returns those of some permissions that the caller does not have on a service account.

    Raises:
        AbsentAccount: There is none of that name.
        Unchecked: IAM did not say.
    """
    # `-` stands for whatever project the account is of.
    path = f"v1/projects/-/serviceAccounts/{account}:testIamPermissions"
    granted = _ask("POST", "iam", path, project, body={"permissions": list(permissions)})
    return [one for one in permissions if one not in granted.get("permissions", [])]


def most_tuning_jobs(project: str) -> int | None:
    """Returns how many tuning jobs of a project may run at once, in all regions together; None for any number.

    Raises:
        Unchecked: Service Usage did not say.
    """
    path = f"v1beta1/projects/{project}/services/aiplatform.googleapis.com/consumerQuotaMetrics"
    answer = _ask("GET", "serviceusage", f"{path}/{quote(_QUOTA, safe='')}", project)
    try:
        # The first bucket is the one without dimensions, which holds for all. A limit of 0 is left out, as in all JSON
        # of protobuf's; -1 is none.
        limit = int(answer["consumerQuotaLimits"][0]["quotaBuckets"][0].get("effectiveLimit", 0))
    except (KeyError, IndexError, ValueError) as error:
        raise Unchecked(f"Service Usage told no limit of {_QUOTA}") from error
    return None if limit < 0 else limit


def _ask(
    method: str,
    service: str,
    path: str,
    project: str,
    parameters: dict[str, Any] | None = None,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    base = os.environ.get(f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{service.upper()}", f"https://{service}.googleapis.com/")
    url = f"{base.rstrip('/')}/{path}"
    try:
        with session(url, service, _ATTEMPTS, posts=True) as opened:
            response = opened.request(method, url, params=parameters, json=body, timeout=_TIMEOUT_SECONDS)
        document: dict[str, Any] = response.json()
    except GeminiSftError as error:
        raise Unchecked(str(error)) from error
    except ValueError as error:
        raise Unchecked(f"{service}.googleapis.com answered {response.status_code} and no JSON") from error
    if response.status_code == 200:
        return document
    refusal = document.get("error", {})
    message = refusal.get("message", "") if isinstance(refusal, dict) else str(refusal)
    if response.status_code == 404 and service == "iam":
        raise AbsentAccount(message)
    remedy = _remedy(refusal, project)
    if response.status_code == 403 and service == "serviceusage" and not remedy:
        to = f"--condition=None --member={SOMEBODY} --role={SEES.role}"
        remedy = f"gcloud projects add-iam-policy-binding {project} {to}"
    raise Unchecked(f"{service}.googleapis.com answered {response.status_code}: {message.rstrip('.')}", remedy)


def _remedy(refusal: Any, project: str) -> str:
    """Returns the command that mends a refusal, as far as Google tells what it is."""
    details = refusal.get("details", []) if isinstance(refusal, dict) else []
    for detail in details:
        about = detail.get("metadata", {})
        if detail.get("reason") == _OFF and about.get("service"):
            # What is off may be the API in the project that the user's own credentials are billed to.
            at = about.get("consumer", f"projects/{project}").rpartition("/")[2]
            return f"gcloud services enable {about['service']} --project={at}"
    if "quota project" in str(refusal):
        return f"gcloud auth application-default set-quota-project {project}"
    return ""
