"""The stand-in tokenizer: it counts and cuts text roughly as Gemini's would, and never loses a character.

Gemini's vocabulary is not public. Here a token is a word of up to eight letters with the space before it, the
next eight letters of a longer word, a single digit, a run of blanks or line ends, or any other single
character. English prose comes to about 1.3 tokens a word.
"""

import re
from dataclasses import dataclass

from vertex_emulator.standin.words import stable_hash

VOCABULARY_SIZE = 256_000
"""Token ids are below this number, the size of the vocabulary of Gemma, Gemini's open relative."""

# No alternative looks ahead: so the pieces of a prefix that ends between two pieces are the same pieces.
_PIECE = re.compile(
    r" ?[A-Za-z\u00c0-\u024f]{1,8}"  # Latin words
    r"|[^\W\d_]{1,2}"  # letters of other scripts carry more each
    r"| {1,16}|\n{1,4}|.",
    re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A piece of text and its id, which depends on the piece alone."""

    text: str
    id: int


def encode(text: str) -> list[Token]:
    """Cut `text` into tokens; their texts joined give back `text` exactly."""
    return [Token(piece, stable_hash(piece) % VOCABULARY_SIZE) for piece in _PIECE.findall(text)]


def count(text: str) -> int:
    """Return the number of tokens of `text`."""
    return sum(1 for _ in _PIECE.finditer(text))


def truncate(text: str, n: int) -> str:
    """Return the first `n` tokens of `text` as text, or all of it if it has no more than `n`.

    Raises:
        ValueError: If `n` is negative.
    """
    if n < 0:
        raise ValueError(f"cannot keep {n} tokens; n must be 0 or more")
    end = 0
    for kept, match in enumerate(_PIECE.finditer(text)):
        if kept == n:
            break
        end = match.end()
    return text[:end]
