"""Listing: prefixes, folders, offsets, globs, pages, many objects."""

from typing import Any

import pytest
import requests

NAMES = ["a.txt", "a/", "a/1", "a/2", "a/b/3", "a0", "b/x.json", "b/y.JSON", "ü", "日本"]


@pytest.fixture(scope="module")
def shelf(server: Any, client: Any) -> Any:
    bucket = client.create_bucket("shelf-to-list")
    for name in NAMES:
        bucket.blob(name).upload_from_string(name)
    return bucket


def _names(bucket: Any, **arguments: Any) -> list[str]:
    return [blob.name for blob in bucket.list_blobs(**arguments)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, NAMES),
        ({"prefix": "a"}, ["a.txt", "a/", "a/1", "a/2", "a/b/3", "a0"]),
        ({"prefix": "a/"}, ["a/", "a/1", "a/2", "a/b/3"]),
        ({"prefix": "a/b"}, ["a/b/3"]),
        ({"prefix": "nothing"}, []),
        ({"start_offset": "a/2"}, ["a/2", "a/b/3", "a0", "b/x.json", "b/y.JSON", "ü", "日本"]),
        ({"start_offset": "a/a", "end_offset": "b/y"}, ["a/b/3", "a0", "b/x.json"]),
        ({"match_glob": "*"}, ["a.txt", "a0", "ü", "日本"]),
        ({"match_glob": "**/*.{json,JSON}"}, ["b/x.json", "b/y.JSON"]),
        ({"match_glob": "a/?"}, ["a/1", "a/2"]),
        ({"match_glob": "a/[!1]"}, ["a/2"]),
        ({"max_results": 3}, ["a.txt", "a/", "a/1"]),
        ({"versions": True, "prefix": "b"}, ["b/x.json", "b/y.JSON"]),
    ],
)
def test_flat(shelf: Any, arguments: dict[str, Any], expected: list[str]) -> None:
    assert _names(shelf, **arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "names", "prefixes"),
    [
        ({}, ["a.txt", "a0", "ü", "日本"], {"a/", "b/"}),
        ({"prefix": "a/"}, ["a/", "a/1", "a/2"], {"a/b/"}),
        ({"prefix": "a"}, ["a.txt", "a0"], {"a/"}),
        ({"include_trailing_delimiter": True}, ["a.txt", "a/", "a0", "ü", "日本"], {"a/", "b/"}),
        ({"match_glob": "b/**"}, [], {"b/"}),
    ],
)
@pytest.mark.parametrize("page_size", [None, 1, 2])
def test_folders(shelf: Any, arguments: dict[str, Any], names: list[str], prefixes: set[str], page_size: int) -> None:
    found = shelf.list_blobs(delimiter="/", page_size=page_size, **arguments)
    assert [blob.name for blob in found] == names
    assert found.prefixes == prefixes


@pytest.mark.parametrize("page_size", [1, 3, 7])
def test_pages_hold_every_name_once(shelf: Any, page_size: int) -> None:
    pages = [[blob.name for blob in page] for page in shelf.list_blobs(page_size=page_size).pages]
    assert [name for page in pages for name in page] == NAMES
    assert all(len(page) == page_size for page in pages[:-1])


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"pageToken": "!"}, 400),
        ({"maxResults": "many"}, 400),
        ({"maxResults": "-1"}, 400),
        ({"matchGlob": "{a"}, 400),
        ({"matchGlob": "a}"}, 400),
        ({"softDeleted": "true"}, 501),
        ({"filter": "contexts"}, 501),
    ],
)
def test_bad_query(server: Any, shelf: Any, query: dict[str, str], status: int) -> None:
    answer = requests.get(f"{server.url}/storage/v1/b/{shelf.name}/o", params=query, timeout=5)
    assert answer.status_code == status


def test_missing_bucket_is_404(server: Any) -> None:
    assert requests.get(f"{server.url}/storage/v1/b/no-such-bucket/o", timeout=5).status_code == 404


def test_a_thousand_files_that_were_put_directly(server: Any, bucket: Any) -> None:
    folder = server.root / bucket.name / "many"
    folder.mkdir(parents=True)
    for number in range(1_100):
        (folder / f"{number:04}").touch()
    url, token = f"{server.url}/storage/v1/b/{bucket.name}/o", None
    pages: list[Any] = []
    with requests.Session() as session:
        while not pages or token:
            pages.append(session.get(url, params={"pageToken": token, "fields": "items(name)"}, timeout=20).json())
            token = pages[-1].get("nextPageToken")
    assert [item["name"] for page in pages for item in page["items"]] == [f"many/{n:04}" for n in range(1_100)]
    assert len(pages) == 2
