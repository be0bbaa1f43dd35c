"""What the emulator says of a project, in the form in which Google's own clients and gcloud read it."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import BadRequest, Forbidden
from google.auth.credentials import AnonymousCredentials
from google.cloud.resourcemanager_v3 import ProjectsClient
from google.cloud.storage import Client
from google.iam.v1 import iam_policy_pb2
from google.protobuf import json_format

from tests.contract.conftest import Server
from vertex_emulator.environment import PROJECT
from vertex_emulator.names import project_number

NUMBER = project_number(PROJECT)
QUOTA = (
    f"/v1beta1/projects/{PROJECT}/services/aiplatform.googleapis.com/consumerQuotaMetrics"
    "/aiplatform.googleapis.com%2Fglobal_concurrent_tuning_jobs"
)
ACCOUNT = f"/v1/projects/-/serviceAccounts/robot@{PROJECT}.iam.gserviceaccount.com:testIamPermissions"


@pytest.fixture
def put(server: Server) -> Iterator[Any]:
    """Puts a control document in force until the end of the test."""
    yield lambda **control: server.http.put("/emulator/project", json=control).raise_for_status()
    server.http.put("/emulator/project", json={}).raise_for_status()


@pytest.fixture
def projects(server: Server) -> Iterator[ProjectsClient]:
    options = ClientOptions(api_endpoint=server.url)
    client = ProjectsClient(credentials=AnonymousCredentials(), transport="rest", client_options=options)
    yield client
    client.transport.close()


def refused(answer: Any, code: int, text: str) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (code, code) and text in error["message"]
    return error


def test_which_apis_are_enabled(server: Server, put: Any) -> None:
    names = [f"projects/{one}/services/{api}.googleapis.com" for one, api in ((PROJECT, "storage"), (NUMBER, "iam"))]
    path = f"/v1/projects/{PROJECT}/services:batchGet"
    put(disabled_apis=["iam.googleapis.com"])
    assert server.http.get(path, params={"names": names}).json()["services"] == [
        {
            "name": f"projects/{NUMBER}/services/{api}",
            "parent": f"projects/{NUMBER}",
            "config": {"name": api},
            "state": state,
        }
        for api, state in (("storage.googleapis.com", "ENABLED"), ("iam.googleapis.com", "DISABLED"))
    ]
    refused(server.http.get(path), 400, "Between 1 and 30")
    refused(server.http.get(path, params={"names": names * 16}), 400, "Between 1 and 30")
    for other in ("projects/another-project/services/iam.googleapis.com", f"projects/{PROJECT}/services/iam", "iam"):
        refused(server.http.get(path, params={"names": [other]}), 400, other)
    put(disabled_apis=["serviceusage.googleapis.com"])
    (detail,) = refused(server.http.get(path, params={"names": names}), 403, "disabled")["details"]
    assert detail["reason"] == "SERVICE_DISABLED"
    assert detail["metadata"] == {"service": "serviceusage.googleapis.com", "consumer": f"projects/{PROJECT}"}
    put(denied_permissions=["serviceusage.services.get"])
    refused(server.http.get(path, params={"names": names}), 403, "'serviceusage.services.get' denied")


def test_permissions_on_a_project(projects: ProjectsClient, put: Any) -> None:
    asked = ["aiplatform.pipelineJobs.create", "storage.buckets.create"]

    def granted() -> list[str]:
        return list(projects.test_iam_permissions(resource=f"projects/{PROJECT}", permissions=asked).permissions)

    assert granted() == asked
    put(denied_permissions=asked[:1])
    assert granted() == asked[1:]
    put(denied_permissions=asked)
    assert granted() == []
    for wrong in ("storage.*", "storage", "storage.buckets"):
        with pytest.raises(BadRequest, match="not valid for this resource"):
            projects.test_iam_permissions(resource=f"projects/{PROJECT}", permissions=[wrong])
    put(disabled_apis=["cloudresourcemanager.googleapis.com"])
    with pytest.raises(Forbidden, match="disabled"):
        granted()


def test_permissions_on_a_service_account(server: Server, put: Any) -> None:
    asked = {"permissions": ["iam.serviceAccounts.actAs"]}
    answer = json_format.ParseDict(
        server.http.post(ACCOUNT, json=asked).json(), iam_policy_pb2.TestIamPermissionsResponse()
    )
    assert list(answer.permissions) == asked["permissions"]
    put(denied_permissions=asked["permissions"])
    assert server.http.post(ACCOUNT, json=asked).json() == {}
    refused(server.http.post(ACCOUNT, json={"permission": []}), 400, "permission")
    refused(server.http.post(ACCOUNT.replace("robot@", "ann@lee@"), json=asked), 400, "service account")
    put(disabled_apis=["iam.googleapis.com"])
    refused(server.http.post(ACCOUNT, json=asked), 403, f"project {PROJECT}")


def test_permissions_on_a_bucket(server: Server, put: Any) -> None:
    bucket = Client(project=PROJECT).create_bucket("of-permissions")
    asked = ["storage.objects.create", "storage.objects.get"]
    assert bucket.test_iam_permissions(asked) == asked
    put(denied_permissions=asked[1:])
    assert bucket.test_iam_permissions(asked) == asked[:1]
    put(denied_permissions=asked)
    assert bucket.test_iam_permissions(asked) == []
    path = "/storage/v1/b/of-permissions/iam/testPermissions"
    assert server.http.get(path).status_code == 400
    assert server.http.get(path, params={"permissions": "aiplatform.models.get"}).status_code == 400


def test_how_many_tuning_jobs_may_run_is_how_many_do(server: Server, put: Any) -> None:
    for most, bucket in ((3, {"effectiveLimit": "3", "defaultLimit": "3"}), (0, {})):
        server.http.put("/emulator/tuning", json={"concurrent_jobs": most}).raise_for_status()
        found = server.http.get(QUOTA).json()
        assert found["metric"] == "aiplatform.googleapis.com/global_concurrent_tuning_jobs"
        assert found["consumerQuotaLimits"][0]["quotaBuckets"] == [bucket]
    server.http.put("/emulator/tuning", json={}).raise_for_status()
    refused(server.http.get(QUOTA.replace("tuning_jobs", "other")), 404, "global_concurrent_other")
    put(denied_permissions=["serviceusage.quotas.get"])
    refused(server.http.get(QUOTA), 403, "'serviceusage.quotas.get' denied")


def test_what_the_control_cannot_mean_is_refused_and_changes_nothing(server: Server, put: Any) -> None:
    put(denied_permissions=["iam.serviceAccounts.actAs"])
    documents: list[Any] = [
        {"apis": []},
        {"disabled_apis": ["storage"]},
        {"denied_permissions": ["storage.*"]},
        [],
        "x",
    ]
    for wrong in documents:
        refused(server.http.put("/emulator/project", json=wrong), 400, "")
    assert server.http.post(ACCOUNT, json={"permissions": ["iam.serviceAccounts.actAs"]}).json() == {}
