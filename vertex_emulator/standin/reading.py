"""Reads a prompt as a page: what is asked, what answers are offered, which sentences may hold the answer."""

import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import chain, pairwise

from vertex_emulator.standin.lists import offered_entries
from vertex_emulator.standin.words import parts

_FIELD = (
    r"(?:Context|Question|Answer|Text|Passage|Document|Input|Query|Article|Message"
    r"|Classes|Labels|Categories|Options)"
)
_FIELD_INSIDE_LINE = re.compile(rf"(?<=[.!?\"”\]])\s+(?={_FIELD}:)")
_SOURCE_FIELD = re.compile(r"(?:context|passage|document|article|text|input)", re.IGNORECASE)
_LABEL = re.compile(r"(?P<label>[#\w][#\w' -]{0,30}):(?:\s+|$)")
_QUERY_WORDS = frozenset({"question", "query", "q"})
_ORDER = re.compile(
    r"(?:please\s+|now\s+|your task is to\s+)*"
    r"(?:(?P<plain>you (?:are|will|must|should)\b|your task\b|summari[sz]e|classify|extract|translate"
    r"|categori[sz]e|paraphrase|rewrite)"
    r"|answer|identify|choose|select|pick|assign|label|determine|decide|provide|write|generate|give|return"
    r"|respond|reply|output|describe|list|name|find|read|use|detect|predict|convert|tell|below|based on|given"
    r"|here is|the following)\b",
    re.IGNORECASE,
)
_ORDERED = re.compile(
    r"\b(?:articles?|texts?|passages?|documents?|contexts?|questions?|summary|summaries|messages?|dialogues?|"
    r"conversations?|labels?|class|classes|categor(?:y|ies)|intents?|sentiment|topics?|following|above|below|"
    r"(?:from|using) these)\b"
    r"|:$",
    re.IGNORECASE,
)
_MAX_INSTRUCTION_WORDS = 60
_MAX_QUERY_WORDS = 60
_BULLET = re.compile(r"[-*•–]\s+(?=\S)")
_MARKDOWN = "*#_> "
_MAX_SENTENCE_WORDS = 80
_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*\s+(?=[A-Z0-9#\"'“‘(\[À-Þ])|[。！？]\s*")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|e\.g|i\.e|etc|Inc|Ltd|Co|Fig|[A-Z])\.$")


@dataclass(frozen=True)
class Sentence:
    """One sentence of the content.

    Attributes:
        text: The sentence, stripped.
        label: The label of its line, such as a speaker's name, without the colon; `""` if none.
        line: Number of its line among the content lines, from 0.
        place: Its number in the line, from 0.
        is_last: Whether it ends its line.
    """

    text: str
    label: str
    line: int
    place: int
    is_last: bool


@dataclass(frozen=True)
class Page:
    """A prompt as the ranker sees it.

    Attributes:
        sentences: The sentences that an answer may be taken from, in order.
        entries: The answers that the prompt or its system instruction offers, distinct and in order.
        query: What is asked about the content, `""` if the content stands alone.
        sought: Text whose words point at the answer: the query, or the instruction if nothing else is asked.
        focus: Stems of the words that matter most, with repeats: those of the query, else of all content.
        is_dialogue: Whether lines carry labels of which some repeat.
    """

    sentences: tuple[Sentence, ...]
    entries: tuple[str, ...]
    query: str
    sought: str
    focus: tuple[str, ...]
    is_dialogue: bool


@dataclass(frozen=True)
class _Line:
    label: str
    text: str


def split_lines(text: str) -> list[str]:
    """Return the lines of a prompt, stripped, none empty; each field ("Text:") starts a line of its own."""
    lines = [part for line in text.splitlines() for part in _FIELD_INSIDE_LINE.split(line)]
    return [stripped for line in lines if (stripped := line.strip())]


def read_page(
    system: str,
    turns: Sequence[tuple[str, str]],
    boilerplate: Set[str] = frozenset(),
    *,
    guess_query: bool = True,
) -> Page:
    """Read a prompt.

    Args:
        system: Text of the system instruction, `""` if none.
        turns: `(role, text)` pairs; the last one asks, the earlier ones are context.
        boilerplate: Lines to be passed over because they stand in most prompts of the training set.
        guess_query: Whether a line that is not labelled as question may be taken for one.

    Returns:
        The page; every part of it is empty if the prompt is.
    """
    last_lines = split_lines(turns[-1][1]) if turns else []
    earlier_lines = [line for _, text in turns[:-1] for line in split_lines(text)]
    system_lines = split_lines(system)

    system_entries, _ = offered_entries(system_lines, [_source_line(line) is None for line in system_lines])
    user_entries, list_lines = offered_entries(last_lines, [_is_instruction(line) for line in last_lines])
    content = [
        line
        for number, text in enumerate(last_lines)
        if number not in list_lines and text not in boilerplate and (line := _content_line(text))
    ]
    content = content or [_Line("", text) for text in last_lines]
    background = [line for text in earlier_lines if text not in boilerplate and (line := _content_line(text))]

    labels = Counter(line.label for line in content + background if line.label)
    is_dialogue = max(labels.values(), default=0) > 1
    asked = _labelled_query(content)
    if asked is None and guess_query:
        asked = _query_number(content, is_dialogue, bool(background))
    query = "" if asked is None else content[asked].text
    sources = background + [line for number, line in enumerate(content) if number != asked]
    sources = sources or [line for text in system_lines if (line := _source_line(text))] or content
    focus_text = query or " ".join(line.text for line in sources)
    return Page(
        sentences=tuple(chain.from_iterable(_sentences(line, number) for number, line in enumerate(sources))),
        entries=tuple(dict.fromkeys(user_entries + system_entries)),
        query=query,
        sought=query if query and sources is not content else _instruction(last_lines, system_lines),
        focus=parts(focus_text),
        is_dialogue=is_dialogue,
    )


def _is_instruction(text: str) -> bool:
    """Tell an order to the model from prose: other verbs than the plain ones must name what they work on."""
    if len(text.split()) >= _MAX_INSTRUCTION_WORDS:
        return False
    order = _ORDER.match(text.lstrip(_MARKDOWN))
    return order is not None and (order["plain"] is not None or _ORDERED.search(text) is not None)


def _instruction(last_lines: Sequence[str], system_lines: Sequence[str]) -> str:
    """Return the lines that say what to do: those of the last turn, else those of the system instruction."""
    orders = [text for text in last_lines if _is_instruction(text)]
    return " ".join(orders or [text for text in system_lines if _is_instruction(text)])


def _content_line(text: str) -> _Line | None:
    """Return the line with its label cut off, or nothing if it only instructs or announces."""
    bullet = _BULLET.match(text)
    item = text[bullet.end() :] if bullet else text
    match = _LABEL.match(item)
    rest = item[match.end() :].strip() if match else item
    if not rest:
        return None
    label = match["label"].strip() if match else ""
    if _asks(label) or not _is_instruction(text):
        return _Line(label, rest)
    return None


def _source_line(text: str) -> _Line | None:
    """Return a line of the system instruction that is material to work on, not advice."""
    match = _LABEL.match(text)
    if match and _SOURCE_FIELD.fullmatch(match["label"].strip()) and text[match.end() :].strip():
        return _Line(match["label"].strip(), text[match.end() :].strip())
    return None


def _asks(label: str) -> bool:
    return not _QUERY_WORDS.isdisjoint(label.lower().split())


def _labelled_query(content: Sequence[_Line]) -> int | None:
    return next((number for number in reversed(range(len(content))) if _asks(content[number].label)), None)


def _query_number(content: Sequence[_Line], is_dialogue: bool, has_background: bool) -> int | None:
    """Return the number of the content line that asks, if one does."""
    last = len(content) - 1
    if last < 0:
        return None
    if last == 0 or (has_background and not is_dialogue):
        return last if len(content[last].text.split()) <= _MAX_QUERY_WORDS else None
    if not is_dialogue:
        for number in (last, 0):
            if content[number].text.endswith("?") and len(content[number].text.split()) <= _MAX_QUERY_WORDS:
                return number
        if content[last].label and not any(line.label for line in content[:last]):
            return last
    return None


def _sentences(line: _Line, number: int) -> list[Sentence]:
    cuts = [0]
    for match in _SENTENCE_END.finditer(line.text):
        if not _ABBREVIATION.search(line.text, max(0, match.start() - 12), match.start() + 1):
            cuts.append(match.end())
    whole = [line.text[start:end].strip() for start, end in pairwise([*cuts, len(line.text)])]
    texts = [piece for text in whole if text for piece in _bounded(text)]
    last = len(texts) - 1
    return [Sentence(text, line.label, number, place, place == last) for place, text in enumerate(texts)]


def _bounded(text: str) -> list[str]:
    """Cut text without sentence ends, so that no sentence is longer than `_MAX_SENTENCE_WORDS`."""
    words = text.split()
    if len(words) <= _MAX_SENTENCE_WORDS:
        return [text]
    starts = range(0, len(words), _MAX_SENTENCE_WORDS)
    return [" ".join(words[start : start + _MAX_SENTENCE_WORDS]) for start in starts]
