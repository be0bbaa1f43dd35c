"""Listing a bucket's objects, page by page, flat or as if `delimiter` made folders."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.routing import emulator_of
from vertex_emulator.storage.errors import bad_request
from vertex_emulator.storage.globs import glob_pattern
from vertex_emulator.storage.parameters import flag, integer, refuse
from vertex_emulator.wire import Json

_LARGEST_PAGE = 1000


@dataclass
class _Page:
    """One page of names.

    Attributes:
        names: Objects.
        prefixes: What names have in common up to the delimiter.
        more: Whether something follows.
    """

    names: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    more: bool = False


class _Query:
    """What is asked for, and where the page before ended."""

    def __init__(self, query: QueryParams) -> None:
        self.prefix = query.get("prefix", "")
        self.delimiter = query.get("delimiter", "")
        self.end = query.get("endOffset", "")
        self.with_folders = flag(query, "includeTrailingDelimiter")
        self.size = min(integer(query, "maxResults") or _LARGEST_PAGE, _LARGEST_PAGE)
        self.pattern = glob_pattern(query["matchGlob"]) if query.get("matchGlob") else None
        self.after = _decode(query.get("pageToken", ""))
        self.start = max(query.get("startOffset", ""), self.after)

    def page(self, names: Iterator[str]) -> _Page:
        """Takes the next page from all names that are not before `start`, in order."""
        page = _Page()
        for name in names:
            if self.end and name >= self.end:
                break
            if self._was_given(name) or (self.pattern is not None and not self.pattern.fullmatch(name)):
                continue
            folder = self._folder(name)
            is_known = bool(folder and page.prefixes and page.prefixes[-1] == folder)
            if not is_known and len(page.names) + len(page.prefixes) >= self.size:
                page.more = True
                break
            if folder and not is_known:
                page.prefixes.append(folder)
            if not folder or (self.with_folders and name == folder):
                page.names.append(name)
        return page

    def _was_given(self, name: str) -> bool:
        """Tells whether the pages before hold a name, or the folder that it is in."""
        return bool(self.after) and self.after in (name, self._folder(name))

    def _folder(self, name: str) -> str:
        """Returns a name up to the first delimiter after the prefix; empty if there is none."""
        if not self.delimiter:
            return ""
        cut = name.find(self.delimiter, len(self.prefix))
        return name[: cut + len(self.delimiter)] if cut >= 0 else ""


async def list_objects(request: Request, bucket: str) -> Response:
    """Lists objects. There are no noncurrent versions, so `versions=true` lists the same."""
    emulator = emulator_of(request)
    store = emulator.objects
    refuse(request.query_params, "softDeleted", "filter")
    query = _Query(request.query_params)
    store.buckets.get(bucket)
    page = await run_in_threadpool(lambda: query.page(store.names(bucket, query.prefix, query.start)))
    records = [record for name in page.names if (record := store.find(bucket, name)) is not None]
    await store.hashed(records)
    answer = {"kind": "storage#objects", "items": [record.resource(emulator.url) for record in records]}
    if page.prefixes:
        answer |= {"prefixes": page.prefixes}
    if page.more:
        answer |= {"nextPageToken": _encode(max(page.names[-1:] + page.prefixes[-1:]))}
    return Json(answer)


def _encode(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _decode(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise bad_request(f"Invalid value for parameter 'pageToken': '{token}'.") from error
