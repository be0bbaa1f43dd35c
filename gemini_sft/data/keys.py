"""Hashes by which equal things are recognised without keeping them."""

import string
import unicodedata

import xxhash

_SPACES = string.whitespace.encode()
_LOWER = bytes(range(256)).lower()

hash64 = xxhash.xxh3_64_intdigest
"""64 bits that bytes fix: two of a million different texts collide once in 10^7 data sets."""


def normalised(text: str) -> bytes:
    """Returns what is left of a text when case and spaces do not count.

    Punctuation counts: `3-1` is not `31`.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).casefold()
    return text.encode().translate(_LOWER, _SPACES)
