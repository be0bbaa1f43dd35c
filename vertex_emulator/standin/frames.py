"""Frames: the constant wording that nearly all targets of a data set share, with slots where they differ.

Of `{"name": "Ann", "age": null}` and `{"name": "Bob", "age": 7}` the frame is `{"name": "…", "age": …}`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Any

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_SETS_APART = re.compile(r"[\s:={\[]")
_NUMERAL = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_MIN_RECORDS = 5
_NEARLY_ALL = 0.9
_MIN_LITERAL_SHARE = 0.25
_MIN_WRAPPED_SHARE = 0.3
_MAX_SLOTS = 32
_MAX_CONSTANTS = 50


@dataclass(frozen=True)
class Slot:
    """A place in a frame at which targets differ.

    Attributes:
        name: The word of the frame before the slot, `""` if none.
        opening: What is written before a value that is copied, such as a quotation mark.
        closing: What is written behind it.
        numeric: Whether copied values are always plain numbers.
        constants: Values, as they are written, that targets repeat without copying them from the prompt.
    """

    name: str
    opening: str
    closing: str
    numeric: bool
    constants: tuple[str, ...]

    def read(self, value: str) -> str:
        """Return what a value says: a constant as it stands, another one without what surrounds it."""
        return value if value in self.constants else _unwrapped(value, self.opening, self.closing)

    def write(self, text: str) -> str:
        """Return a text as a value of this slot."""
        if text in self.constants:
            return text
        if self.opening == self.closing == '"':
            return json.dumps(text, ensure_ascii=False)
        return self.opening + text + self.closing

    def takes(self, text: str) -> bool:
        """Tell whether a text may stand in this slot."""
        return not self.numeric or text in self.constants or _NUMERAL.fullmatch(text) is not None


@dataclass(frozen=True)
class Frame:
    """Literals with a slot between each and the next.

    Attributes:
        literals: One more than there are slots.
        slots: What is between them, at least one.
    """

    literals: tuple[str, ...]
    slots: tuple[Slot, ...]

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Frame":
        """Return the frame that `dataclasses.asdict` made a document of."""
        slots = [Slot(**{**slot, "constants": tuple(slot["constants"])}) for slot in document["slots"]]
        return cls(tuple(document["literals"]), tuple(slots))

    def read(self, target: str) -> tuple[str, ...] | None:
        """Return what a target says in each slot, `None` if it does not fit the frame."""
        text = target.strip()
        start, *inner = self.literals
        end = len(text) - len(inner[-1])
        if not text.startswith(start) or not text.endswith(inner[-1]):
            return None
        values, place = [], len(start)
        for literal in inner[:-1]:
            found = text.find(literal, place)
            if found < 0:
                return None
            values.append(text[place:found])
            place = found + len(literal)
        if place > end:
            return None
        values.append(text[place:end])
        return tuple([slot.read(value) for slot, value in zip(self.slots, values, strict=True)])

    def write(self, texts: Sequence[str]) -> str:
        """Return the frame with a text in each slot."""
        values = [slot.write(text) for slot, text in zip(self.slots, texts, strict=True)]
        return "".join([piece for pair in zip(self.literals, [*values, ""], strict=True) for piece in pair])


def learn_frame(prompts: Sequence[str], targets: Sequence[str]) -> Frame | None:
    """Find the frame of a data set.

    Its literals are the words that nearly all targets have exactly once and in one order, with what always
    stands next to them.

    Args:
        prompts: What the user wrote in each record.
        targets: Their targets.

    Returns:
        The frame; `None` if targets share little wording, as free prose does, or do not differ at all.
    """
    texts = [target.strip() for target in targets]
    split = [_TOKEN.findall(text) for text in texts]
    anchors = _anchors(split)
    fitting = [number for number, tokens in enumerate(split) if _in_order(tokens, anchors)]
    if not anchors or len(fitting) < max(_MIN_RECORDS, _NEARLY_ALL * len(targets)):
        return None
    gaps = zip(*(_gaps(split[number], anchors) for number in fitting), strict=True)
    literals, names = [""], []
    for gap, name, anchor in zip(gaps, ["", *anchors], [*anchors, ""], strict=True):
        before, behind = _common_ends(gap)
        literals[-1] += before
        if behind is not None:
            names.append(name)
            literals.append(behind)
        literals[-1] += anchor
    literal_share = len("".join(literals)) * len(fitting) / sum(len(texts[number]) for number in fitting)
    if not 0 < len(names) <= _MAX_SLOTS or literal_share < _MIN_LITERAL_SHARE:
        return None
    if not _SETS_APART.search("".join(literals)):
        return None  # the beginning of a word that is copied whole, such as the AA- of AA-1037
    literals = _without_quotes(literals)
    pattern = Frame(tuple(literals), tuple(Slot(name, "", "", numeric=False, constants=()) for name in names))
    values = zip(*(pattern.read(texts[number]) or names for number in fitting), strict=True)
    given = [prompts[number] for number in fitting]
    slots = [_slot(name, column, given) for name, column in zip(names, values, strict=True)]
    return Frame(tuple(literals), tuple(slots))


def _anchors(targets: Sequence[Sequence[str]]) -> list[str]:
    """Return the words that nearly all targets have exactly once, in the order of their mean place."""
    seen: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for tokens in targets:
        counts = Counter(tokens)
        for place, token in enumerate(tokens):
            if counts[token] == 1 and token[0].isalnum():
                seen[token] += 1
                places[token] += place
    common = [token for token, count in seen.items() if count >= _NEARLY_ALL * len(targets)]
    return sorted(common, key=lambda token: places[token] / seen[token])


def _in_order(tokens: Sequence[str], anchors: Sequence[str]) -> bool:
    wanted = set(anchors)
    return [token for token in tokens if token in wanted] == list(anchors)


def _gaps(tokens: Sequence[str], anchors: Sequence[str]) -> list[list[str]]:
    """Return the tokens before the first anchor, between each and the next, and behind the last."""
    wanted = set(anchors)
    cuts = [-1, *(place for place, token in enumerate(tokens) if token in wanted), len(tokens)]
    return [list(tokens[start + 1 : end]) for start, end in pairwise(cuts)]


def _common_ends(gap: Sequence[list[str]]) -> tuple[str, str | None]:
    """Return what all token lists begin with, and what their rests end with; `None` if no rest is left."""
    before = _common_start(gap)
    rests = [tokens[len(before) :] for tokens in gap]
    if not any(rests):
        return "".join(before), None
    behind = _common_start([rest[::-1] for rest in rests])[::-1]
    return "".join(before), "".join(behind)


def _without_quotes(literals: Sequence[str]) -> list[str]:
    """Leave quotation marks around a slot to the slot, which then knows that its text must be escaped."""
    result = list(literals)
    for number in range(len(result) - 1):
        if result[number].endswith('"') and len(result[number + 1]) > 1 and result[number + 1].startswith('"'):
            result[number], result[number + 1] = result[number][:-1], result[number + 1][1:]
    return result


def _common_start(lists: Sequence[list[str]]) -> list[str]:
    alike = takewhile(lambda tokens: len(set(tokens)) == 1, zip(*lists, strict=False))
    return [tokens[0] for tokens in alike]


def _slot(name: str, values: Sequence[str], prompts: Sequence[str]) -> Slot:
    opening, closing = _wrapping(values)
    counts = Counter(values)
    constants = [
        value
        for value, count in counts.most_common()
        if count > 1 and not _is_copied(value, _unwrapped(value, opening, closing), values, prompts)
    ][:_MAX_CONSTANTS]
    others = [value for value in counts if value not in constants]
    numeric = bool(others) and all(_NUMERAL.fullmatch(value) for value in others)
    return Slot(name, opening, closing, numeric, tuple(constants))


def _wrapping(values: Sequence[str]) -> tuple[str, str]:
    """Return the symbols that most values begin and end with; `""` twice if there are none."""
    ends = Counter((value[0], value[-1]) for value in values if len(value) > 1)
    wrappings = _symbols_only(ends)
    best = max(wrappings, key=lambda pair: ends[pair], default=("", ""))
    return best if ends[best] >= _MIN_WRAPPED_SHARE * len(values) else ("", "")


def _symbols_only(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair in pairs if not any(end.isalnum() or end.isspace() for end in pair)]


def _unwrapped(value: str, opening: str, closing: str) -> str:
    if opening == closing == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            return value
    if len(value) >= len(opening + closing) and value.startswith(opening) and value.endswith(closing):
        return value[len(opening) : len(value) - len(closing)]
    return value


def _is_copied(value: str, text: str, values: Sequence[str], prompts: Sequence[str]) -> bool:
    """Tell whether a value is one because the prompt has it: it stands in its own prompts, not in all."""
    own = [text in prompt for prompt, one in zip(prompts, values, strict=True) if one == value]
    everywhere = sum(text in prompt for prompt in prompts)
    return 2 * sum(own) > len(own) and 2 * everywhere < len(prompts)
