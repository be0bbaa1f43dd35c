"""Generation and metageneration conditions, on every verb.

A `blob.open("wb")` that is refused must not be tried here: the SDK's writer sends its content again when it is garbage
collected, and if that happens in the server's thread, that thread waits for itself.
"""

import io
from collections.abc import Callable
from typing import Any

import pytest
import requests
from google.api_core import exceptions

OTHER = 1


@pytest.fixture
def blob(bucket: Any) -> Any:
    blob = bucket.blob("x")
    blob.upload_from_string("one")
    return blob


def _in_chunks(blob: Any, **conditions: int) -> None:
    blob.chunk_size = 256 * 1024
    blob.upload_from_file(io.BytesIO(b"three"), **conditions)


CHANGES: dict[str, Callable[..., Any]] = {
    "upload": lambda blob, **c: blob.upload_from_string("three", **c),
    "resumable": _in_chunks,
    "patch": lambda blob, **c: blob.patch(**c),
    "update": lambda blob, **c: blob.update(**c),
    "delete": lambda blob, **c: blob.delete(**c),
    "compose": lambda blob, **c: blob.compose([blob], **c),
    "rewrite": lambda blob, **c: blob.rewrite(blob, **c),
    "copy": lambda blob, **c: blob.bucket.copy_blob(blob, blob.bucket, "x", **c),
}


@pytest.mark.parametrize("verb", CHANGES)
def test_change_needs_the_live_generation(blob: Any, verb: str) -> None:
    bucket, generation = blob.bucket, blob.generation
    blob = bucket.blob("x")
    for conditions in ({"if_generation_match": OTHER}, {"if_generation_match": 0}):
        with pytest.raises(exceptions.PreconditionFailed):
            CHANGES[verb](blob, **conditions)
    unchanged = bucket.get_blob("x")
    assert (unchanged.generation, unchanged.metageneration) == (generation, 1)
    CHANGES[verb](blob, if_generation_match=generation)
    after = bucket.get_blob("x")
    assert (after is None) if verb == "delete" else (after.generation, after.metageneration) != (generation, 1)


@pytest.mark.parametrize("verb", [verb for verb in CHANGES if verb != "compose"])
def test_the_other_conditions(blob: Any, verb: str) -> None:
    generation, metageneration = blob.generation, blob.metageneration
    blob = blob.bucket.blob("x")
    refused = (
        {"if_generation_not_match": generation},
        {"if_metageneration_match": metageneration + 1},
        {"if_metageneration_not_match": metageneration},
    )
    # For uploads the SDK misspells the last one (`ifMetaGenerationNotMatch`), and Google's API knows no such parameter.
    for conditions in refused[:2] if verb in ("upload", "resumable") else refused:
        with pytest.raises(exceptions.PreconditionFailed):
            CHANGES[verb](blob, **conditions)
    CHANGES[verb](blob, if_generation_not_match=OTHER, if_metageneration_match=metageneration)


@pytest.mark.parametrize("verb", ["upload", "resumable", "compose", "rewrite", "copy"])
def test_generation_0_means_that_there_is_none_yet(blob: Any, verb: str) -> None:
    bucket = blob.bucket
    new = bucket.blob("new")
    with pytest.raises(exceptions.PreconditionFailed):
        _make(verb, blob, new, if_generation_match=OTHER)
    assert not new.exists()
    _make(verb, blob, new, if_generation_match=0)
    assert new.exists()
    with pytest.raises(exceptions.PreconditionFailed):
        _make(verb, blob, bucket.blob("new"), if_generation_match=0)


def _make(verb: str, source: Any, new: Any, **conditions: int) -> None:
    if verb == "compose":
        new.compose([source], **conditions)
    elif verb == "rewrite":
        new.rewrite(source, **conditions)
    elif verb == "copy":
        source.bucket.copy_blob(source, source.bucket, new.name, **conditions)
    else:
        CHANGES[verb](new, **conditions)


@pytest.mark.parametrize("read", ["reload", "download_as_bytes", "exists"])
def test_reads(blob: Any, read: str) -> None:
    generation = blob.generation
    call = getattr(blob.bucket.blob("x"), read)
    with pytest.raises(exceptions.PreconditionFailed):
        call(if_generation_match=OTHER)
    with pytest.raises(exceptions.PreconditionFailed):
        call(if_metageneration_match=9)
    with pytest.raises(exceptions.NotModified):
        call(if_generation_not_match=generation)
    with pytest.raises(exceptions.NotModified):
        call(if_metageneration_not_match=1)
    call(if_generation_match=generation, if_generation_not_match=OTHER)


def test_etags(blob: Any) -> None:
    etag = blob.etag
    blob = blob.bucket.blob("x")
    assert blob.download_as_bytes(if_etag_match=etag) == b"one"
    with pytest.raises(exceptions.PreconditionFailed):
        blob.download_as_bytes(if_etag_match="other")
    with pytest.raises(exceptions.NotModified):
        blob.download_as_bytes(if_etag_not_match=etag)


def test_generation_that_is_not_live_is_404(blob: Any) -> None:
    old = blob.generation
    bucket = blob.bucket
    bucket.blob("x").upload_from_string("two")
    stale = bucket.blob("x", generation=old)
    for call in (stale.download_as_bytes, stale.reload, stale.delete, stale.patch):
        with pytest.raises(exceptions.NotFound):
            call()
    live = bucket.get_blob("x")
    assert bucket.blob("x", generation=live.generation).download_as_bytes() == b"two"


def test_source_conditions_of_a_copy(blob: Any) -> None:
    bucket = blob.bucket
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.copy_blob(blob, bucket, "y", if_source_generation_match=OTHER)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("y").rewrite(blob, if_source_metageneration_match=9)
    with pytest.raises(exceptions.NotFound):
        bucket.copy_blob(blob, bucket, "y", source_generation=OTHER)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("y").compose([bucket.blob("x")], if_source_generation_match=[OTHER])
    assert not bucket.blob("y").exists()


def test_condition_is_checked_again_when_a_resumable_upload_ends(server: Any, bucket: Any) -> None:
    query: dict[str, str] = {"uploadType": "resumable", "name": "x", "ifGenerationMatch": "0"}
    session = requests.post(f"{server.url}/upload/storage/v1/b/{bucket.name}/o", params=query, timeout=5)
    bucket.blob("x").upload_from_string("someone else was faster")
    assert requests.put(session.headers["Location"], data=b"late", timeout=5).status_code == 412
    assert server.left_over() == []
    assert bucket.blob("x").download_as_bytes() == b"someone else was faster"


def test_condition_that_is_no_number_is_400(server: Any, blob: Any) -> None:
    url = f"{server.url}/storage/v1/b/{blob.bucket.name}/o/x"
    assert requests.get(url, params={"ifGenerationMatch": "new"}, timeout=5).status_code == 400
    refused = requests.get(url, params={"ifGenerationMatch": "1"}, timeout=5)
    assert refused.json()["error"]["errors"][0]["reason"] == "conditionNotMet"
