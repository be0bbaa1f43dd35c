"""The JSON API's calls on buckets."""

from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.routing import emulator_of
from vertex_emulator.storage.buckets import bucket_resource
from vertex_emulator.storage.errors import StorageError, bad_request, condition_not_met
from vertex_emulator.storage.fields import bucket_fields
from vertex_emulator.storage.parameters import integer, refuse, required
from vertex_emulator.wire import Json, read_json


async def insert(request: Request) -> Response:
    """Makes a bucket."""
    refuse(request.query_params, "predefinedAcl", "predefinedDefaultObjectAcl", "enableObjectRetention")
    project = required(request.query_params, "project")
    emulator = emulator_of(request)
    return Json(bucket_resource(emulator.objects.buckets.insert(project, await read_json(request)), emulator.url))


async def list_(request: Request) -> Response:
    """Lists a project's buckets, page by page; the page token is the last name of the page before."""
    query, emulator = request.query_params, emulator_of(request)
    refuse(query, "softDeleted")
    prefix, after = query.get("prefix", ""), query.get("pageToken", "")
    found = [
        bucket_resource(bucket, emulator.url)
        for bucket in emulator.objects.buckets.list(required(query, "project"))
        if bucket["name"].startswith(prefix) and bucket["name"] > after
    ]
    size = min(integer(query, "maxResults") or 1000, 1000)
    answer = {"kind": "storage#buckets", "items": found[:size]}
    if len(found) > size:
        answer["nextPageToken"] = found[size - 1]["name"]
    return Json(answer)


async def get(request: Request, bucket: str) -> Response:
    """Returns a bucket."""
    refuse(request.query_params, "softDeleted", "generation")
    emulator = emulator_of(request)
    found = emulator.objects.buckets.get(bucket)
    _check_metageneration(request, found["metageneration"], reading=True)
    return Json(bucket_resource(found, emulator.url))


async def change(request: Request, bucket: str) -> Response:
    """Changes (PATCH) or replaces (PUT) what clients may set."""
    refuse(request.query_params, "predefinedAcl", "predefinedDefaultObjectAcl")
    changes = bucket_fields(await read_json(request))
    emulator = emulator_of(request)
    found = emulator.objects.buckets.get(bucket)
    _check_metageneration(request, found["metageneration"])
    if request.method == "PUT":
        found = {key: value for key, value in found.items() if key not in bucket_fields(found)} | {
            key: found[key] for key in ("storageClass", "iamConfiguration")
        }
    return Json(bucket_resource(emulator.objects.buckets.update(found, changes), emulator.url))


async def delete(request: Request, bucket: str) -> Response:
    """Deletes an empty bucket."""
    store = emulator_of(request).objects
    found = store.buckets.get(bucket)
    _check_metageneration(request, found["metageneration"])
    if not store.remove_bucket_folder(bucket):
        raise StorageError(409, "conflict", "The bucket you tried to delete is not empty.")
    store.buckets.delete(bucket)
    return Response(status_code=204)


async def get_policy(request: Request, bucket: str) -> Response:
    """Returns the IAM policy."""
    return Json(emulator_of(request).objects.buckets.policy(bucket))


async def set_policy(request: Request, bucket: str) -> Response:
    """Replaces the IAM policy."""
    return Json(emulator_of(request).objects.buckets.set_policy(bucket, await read_json(request)))


async def test_permissions(request: Request, bucket: str) -> Response:
    """Grants what is asked about, but for what was denied on purpose: the emulator has no access control."""
    emulator = emulator_of(request)
    emulator.objects.buckets.get(bucket)
    permissions = request.query_params.getlist("permissions")
    if not permissions:
        raise bad_request("Required parameter: permissions", "required")
    for one in permissions:
        if not one.startswith("storage."):
            raise bad_request(f"Invalid argument: '{one}' is not a permission of Cloud Storage.")
    granted = emulator.project.allowed(permissions)
    return Json({"kind": "storage#testIamPermissionsResponse"} | ({"permissions": granted} if granted else {}))


def _check_metageneration(request: Request, actual: str, *, reading: bool = False) -> None:
    wanted = integer(request.query_params, "ifMetagenerationMatch")
    if wanted not in (None, int(actual)):
        raise condition_not_met()
    if integer(request.query_params, "ifMetagenerationNotMatch") == int(actual):
        raise StorageError(304, "notModified", "Not Modified") if reading else condition_not_met()
