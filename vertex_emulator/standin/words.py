"""Words of English prose: how they are cut out of text, stemmed and classed."""

import re
import zlib
from dataclasses import dataclass
from functools import lru_cache

WORD = re.compile(r"\w+(?:[-'’.,/:&@]\w+)*%?|[^\w\s]")
"""A word with its inner punctuation (`AA-1234`, `3.5%`, `don't`), or one symbol."""

PART = re.compile(r"[^\W_]+")
"""The smallest comparable part of a word; `AA-1234` and `lost_card` have two."""


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text that are parted by white space."""
    return frozenset(text.split())


ARTICLES = word_set("a an the this that these those")
PREPOSITIONS = word_set(
    """of in on at by for from to with into onto about after before between against during under over through
    within without across behind beyond near since until upon via per as"""
)
BE_VERBS = word_set("is are was were be been being am")
OTHER_FUNCTION_WORDS = word_set(
    """and or but nor so yet if then than because while although though when where who whom whose which what
    why how i you he she it we they me him her us them my your his its our their mine yours hers ours theirs
    do does did done have has had having will would shall should can could may might must not no there here
    also just very too some any each every all both such own same s t don ll re ve d m"""
)
STOP_WORDS = ARTICLES | PREPOSITIONS | BE_VERBS | OTHER_FUNCTION_WORDS
MONTHS = word_set("january february march april may june july august september october november december")
NUMBER_WORDS = word_set(
    """one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred
    thousand million billion first second third once twice dozen half"""
)

_PLURAL_OF_Y = "ies"
_SUFFIXES = (_PLURAL_OF_Y, "ing", "edly", "ed", "es", "ly", "s", "e")
_MIN_STEM = 3
_NAMES = frozenset({"May", "US", "IT", "WHO"})
_YEAR = re.compile(r"1\d{3}|20\d{2}")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

EDGE, PUNCTUATION, ARTICLE, PREPOSITION, BE_VERB, FUNCTION_WORD, LOWER, CAPITAL, DIGIT = range(9)
INITIAL_CAPITAL, ADVERB, VERB_FORM, NUMBER_WORD = range(9, 13)
CLASS_COUNT = 13
"""Classes of a word by its looks; `EDGE` stands for "no word here"."""


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return the lower-cased word without its commonest English ending; at least three letters stay."""
    lowered = word.lower().replace("’", "'")
    if lowered.endswith("'s"):
        lowered = lowered[:-2]
    for ending in _SUFFIXES:
        replacement = "y" if ending == _PLURAL_OF_Y else ""
        kept = lowered.removesuffix(ending) + replacement
        if lowered.endswith(ending) and len(kept) >= _MIN_STEM:
            return kept
    return lowered


def stable_hash(text: str) -> int:
    """Return a hash of any text, lone surrogates included, that is the same in every process."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=16384)
def parts(text: str) -> tuple[str, ...]:
    """Return the stems of the comparable parts of a text, cut at underscores and inside camelCase too."""
    return tuple([stem(part) for part in PART.findall(_CAMEL.sub(" ", text))])


CODES = (
    *("word_class", "content", "opens", "symbol"),
    *("stop", "year", "month", "number_word", "percent_or_money", "comma", "and_or", "capital"),
)
"""What `WordFacts.codes` holds, a byte each: the class of the word, then 0 or 1."""


@dataclass(frozen=True)
class WordFacts:
    """What features need to know about a word, whatever its place.

    Attributes:
        stem: The stem of the word.
        parts: Stems of its comparable parts, none for a symbol.
        content: Whether it is neither a symbol nor a stop word.
        codes: One byte for each of `CODES`; bytes of many words joined make an array quickly.
    """

    stem: str
    parts: tuple[str, ...]
    content: bool
    codes: bytes


@lru_cache(maxsize=65536)
def word_facts(word: str) -> WordFacts:
    """Return the facts about one match of `WORD`."""
    lowered = word if word in _NAMES else word.lower()
    symbol = not (word[0].isalnum() or word[0] == "_")
    stop = lowered in STOP_WORDS
    word_class = PUNCTUATION if symbol else _class_of(word, lowered)
    content = not symbol and not stop
    codes = {
        "word_class": word_class,
        "content": content,
        "opens": not symbol or word in ("$", "£", "€", "#"),
        "symbol": symbol,
        "stop": stop,
        "year": _YEAR.fullmatch(word) is not None,
        "month": word.lower() in MONTHS and not stop,
        "number_word": lowered in NUMBER_WORDS,
        "percent_or_money": word[-1] == "%" or word in ("$", "£", "€"),
        "comma": word == ",",
        "and_or": lowered in ("and", "or"),
        "capital": word_class == CAPITAL,
    }
    return WordFacts(stem(word), parts(word), content, bytes(codes[name] for name in CODES))


@lru_cache(maxsize=4096)
def word_places(sentence: str) -> tuple[tuple[int, int], ...]:
    """Return where each word of a sentence starts and ends, in characters."""
    return tuple(match.span() for match in WORD.finditer(sentence))


def _class_of(word: str, lowered: str) -> int:
    for members, number in (
        (ARTICLES, ARTICLE),
        (PREPOSITIONS, PREPOSITION),
        (BE_VERBS, BE_VERB),
        (OTHER_FUNCTION_WORDS, FUNCTION_WORD),
        (NUMBER_WORDS, NUMBER_WORD),
    ):
        if lowered in members:
            return number
    if any(character.isdigit() for character in word):
        return DIGIT
    if word[0].isupper():
        return CAPITAL
    if lowered.endswith("ly"):
        return ADVERB
    return VERB_FORM if lowered.endswith(("ed", "ing")) else LOWER
