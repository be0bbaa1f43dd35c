"""The REST methods that tell of a project, of three services at once: their paths do not meet.

- Service Usage: https://cloud.google.com/service-usage/docs/reference/rest, `services.batchGet` of v1 and
  `services.consumerQuotaMetrics.get` of v1beta1
- Resource Manager: https://cloud.google.com/resource-manager/reference/rest/v3/projects/testIamPermissions
- IAM: https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/testIamPermissions
"""

import re
from typing import Any
from urllib.parse import quote

import msgspec
from google.iam.v1.iam_policy_pb2 import TestIamPermissionsRequest
from google.protobuf import json_format
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vertex_emulator.environment import PROJECT
from vertex_emulator.errors import invalid, not_found
from vertex_emulator.names import project_number
from vertex_emulator.routing import emulator_of
from vertex_emulator.wire import Json, read_json

_SERVICE_USAGE = "serviceusage.googleapis.com"
_MOST_SERVICES = 30
_TUNING_JOBS = "aiplatform.googleapis.com/global_concurrent_tuning_jobs"
_SERVICE = re.compile(r"projects/(?P<project>[^/]+)/services/(?P<api>[a-z][a-z0-9-]*\.googleapis\.com)")
_PERMISSION = re.compile(r"[a-z][A-Za-z0-9]*(\.[A-Za-z0-9]+){2,}")
_ACCOUNT = re.compile(r"[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com|[0-9]+")
_MOST_PERMISSIONS = 100


async def _batch_get(request: Request) -> Response:
    """Tells which APIs are enabled."""
    project, state = request.path_params["project"], emulator_of(request).project
    state.require(_SERVICE_USAGE, project, "serviceusage.services.get")
    names = request.query_params.getlist("names")
    if not 0 < len(names) <= _MOST_SERVICES:
        raise invalid(f"Between 1 and {_MOST_SERVICES} names are expected, not {len(names)}.", "names")
    services = []
    for name in names:
        match = _SERVICE.fullmatch(name)
        if match is None or project_number(match["project"]) != project_number(project):
            raise invalid(f"'{name}' is not the name of a service of 'projects/{project}'.", "names")
        parent = f"projects/{project_number(project)}"
        api = match["api"]
        services.append(
            {
                "name": f"{parent}/services/{api}",
                "config": {"name": api},
                "state": "ENABLED" if state.enabled(api) else "DISABLED",
                "parent": parent,
            }
        )
    return Json({"services": services})


async def _get_quota(request: Request) -> Response:
    """Tells how many tuning jobs may run at once; the emulator has no other quota."""
    project, emulator = request.path_params["project"], emulator_of(request)
    emulator.project.require(_SERVICE_USAGE, project, "serviceusage.quotas.get")
    service, metric = request.path_params["service"], request.path_params["metric"]
    if service != "aiplatform.googleapis.com" or metric != _TUNING_JOBS:
        raise not_found(f"Quota metric '{metric}' of '{service}'")
    name = f"projects/{project_number(project)}/services/{service}/consumerQuotaMetrics/{quote(metric, safe='')}"
    limit = str(emulator.tuning.control["concurrent_jobs"])
    # As protobuf writes JSON, a limit of 0 is left out.
    bucket = {} if limit == "0" else {"effectiveLimit": limit, "defaultLimit": limit}
    limits = {
        "name": f"{name}/limits/%2Fproject",
        "unit": "1/{project}",
        "isPrecise": True,
        "quotaBuckets": [bucket],
        "metric": metric,
    }
    title = "Global concurrent tuning jobs"
    return Json({"name": name, "metric": metric, "displayName": title, "consumerQuotaLimits": [limits], "unit": "1"})


async def _test_project(request: Request) -> Response:
    """Tells which of some permissions the caller has on a project."""
    state = emulator_of(request).project
    state.require("cloudresourcemanager.googleapis.com", request.path_params["project"])
    return _granted(state.allowed(_asked(await read_json(request))))


async def _test_account(request: Request) -> Response:
    """Tells which of some permissions the caller has on a service account; every account exists."""
    state, account = emulator_of(request).project, request.path_params["account"]
    project = request.path_params["project"]  # `-` for whatever project the account is of
    state.require("iam.googleapis.com", PROJECT if project == "-" else project)
    if not _ACCOUNT.fullmatch(account):
        raise invalid(f"'{account}' is not the e-mail address or id of a service account.", "resource")
    return _granted(state.allowed(_asked(await read_json(request))))


def _asked(body: dict[str, Any]) -> list[str]:
    """Returns the permissions of a TestIamPermissionsRequest."""
    try:
        asked = list(json_format.ParseDict(body, TestIamPermissionsRequest()).permissions)
    except json_format.ParseError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if len(asked) > _MOST_PERMISSIONS:
        raise invalid(f"At most {_MOST_PERMISSIONS} permissions can be tested at once.", "permissions")
    for one in asked:
        if not _PERMISSION.fullmatch(one):
            raise invalid(f"Permission {one} is not valid for this resource.", "permissions")
    return asked


def _granted(permissions: list[str]) -> Response:
    return Json({"permissions": permissions} if permissions else {})


async def _put_control(request: Request) -> Response:
    try:
        emulator_of(request).project.replace(await request.json())
    except (ValueError, msgspec.ValidationError) as error:
        raise invalid(str(error)) from error
    return Json({})


routes = [
    Route("/emulator/project", _put_control, methods=["PUT"]),
    Route("/v1/projects/{project}/services:batchGet", _batch_get, methods=["GET"]),
    Route(
        "/v1beta1/projects/{project}/services/{service}/consumerQuotaMetrics/{metric:path}", _get_quota, methods=["GET"]
    ),
    Route("/v3/projects/{project}:testIamPermissions", _test_project, methods=["POST"]),
    Route("/v1/projects/{project}/serviceAccounts/{account}:testIamPermissions", _test_account, methods=["POST"]),
]
