"""Which names buckets and objects may have.

Rules: https://cloud.google.com/storage/docs/buckets#naming and https://cloud.google.com/storage/docs/objects#naming
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from vertex_emulator.storage.errors import bad_request

MAX_OBJECT_NAME = 1024
"""Bytes in UTF-8."""

_COMPONENT = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")
_GOOGLE = re.compile(r"^goog|g[o0]{2}g[l1]e")


def is_bucket_name(name: str) -> bool:
    """Tells whether a bucket may have that name."""
    if not 3 <= len(name) <= 222 or _GOOGLE.search(name):
        return False
    if not all(_COMPONENT.fullmatch(component) for component in name.split(".")):
        return False
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return True
    return False


def is_object_name(name: str) -> bool:
    """Tells whether an object may have that name."""
    if name in ("", ".", "..") or "\r" in name or "\n" in name:
        return False
    if name.startswith(".well-known/acme-challenge/"):
        return False
    try:
        return len(name.encode()) <= MAX_OBJECT_NAME
    except UnicodeEncodeError:
        return False


def check_bucket_name(name: str) -> str:
    """Returns `name`; 400 if no bucket can have it."""
    if not is_bucket_name(name):
        raise bad_request(
            f"Invalid bucket name: '{name}'. Bucket names have 3 to 63 characters (222 with dots): lowercase letters,"
            " digits, '-', '_' and '.', with a letter or digit at both ends and around dots;"
            " they are no IP address and do not hold 'google'."
        )
    return name


def check_object_name(name: str) -> str:
    """Returns `name`; 400 if no object can have it."""
    if not is_object_name(name):
        raise bad_request(
            f"Invalid object name: {name!r}. Object names have 1 to {MAX_OBJECT_NAME} bytes of UTF-8 without CR and LF,"
            " and are not '.', '..' or below '.well-known/acme-challenge/'."
        )
    return name


def new_object_name(query: Mapping[str, str], body: Mapping[str, Any]) -> str:
    """Returns the name that an upload gives its object, in the query or in the metadata; 400 if in neither."""
    name = query.get("name") or body.get("name")
    if not isinstance(name, str) or not name:
        raise bad_request("Required parameter: name", "required")
    return check_object_name(name)
