"""The rules in force: each counts the requests that it meets, and decides by that count whom it applies to."""

import random
import re
from dataclasses import dataclass
from time import monotonic
from typing import Any

import orjson

from vertex_emulator.faults.rules import Rule, read_rules


@dataclass
class Trouble:
    """What awaits one request.

    Attributes:
        latency: Seconds that its answer is held back.
        ending: The rule that answers in the service's place, spoils the answer's body, or never answers.
        answer: The rule that makes the model's answer a wrong one.
    """

    latency: float = 0.0
    ending: Rule | None = None
    answer: Rule | None = None


class Faults:
    """The rules in force. Use from one thread."""

    def __init__(self) -> None:
        self._rules: list[_LiveRule] = []

    def replace(self, given: Any) -> None:
        """Puts new rules in force, as read from JSON; their counts begin anew.

        Raises:
            msgspec.ValidationError: A rule is wrong; the old ones stay in force.
        """
        self._rules = [_LiveRule(rule) for rule in read_rules(given)]

    def ask_for_body(self, method: str, path: str) -> bool:
        """Tells whether the request's body is needed to know what awaits it."""
        return any(live.rule.body_matches and live.is_for(method, path) for live in self._rules)

    def meet(self, method: str, path: str, body: bytes = b"") -> Trouble:
        """Counts a request and returns what awaits it; the first rule that ends it is the last that is asked."""
        trouble = Trouble()
        for live in self._rules:
            if not live.takes(method, path, body):
                continue
            rule = live.rule
            if live.bucket is not None and not live.bucket.take():
                trouble.ending = rule
                return trouble
            trouble.latency += rule.latency or 0.0
            trouble.answer = rule if rule.answer else trouble.answer
            if rule.body or rule.hang or (rule.status and live.bucket is None):
                trouble.ending = rule
                return trouble
        return trouble

    def meet_line(self, path: str, line: bytes) -> Trouble:
        """The same for a line of a batch, which only rules with an `answer` or a `status` of their own can spoil."""
        trouble = Trouble()
        for live in self._rules:
            rule = live.rule
            if rule.quota or rule.body or not (rule.answer or rule.status) or not live.takes("POST", path, line):
                continue
            trouble.answer = rule if rule.answer else trouble.answer
            if rule.status:
                trouble.ending = rule
                return trouble
        return trouble


class _LiveRule:
    """A rule with its counts."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.bucket = None if rule.quota is None else _Bucket(rule.quota)
        self._path = re.compile(rule.path)
        self._met = 0
        self._left = rule.times
        self._random = random.Random(rule.seed)

    def is_for(self, method: str, path: str) -> bool:
        """Tells whether the rule is about such requests and not yet used up."""
        return self._left != 0 and self.rule.method in ("", method) and self._path.search(path) is not None

    def takes(self, method: str, path: str, body: bytes) -> bool:
        """Counts a request and tells whether the rule applies to it."""
        if not self.is_for(method, path) or not _contains(body, self.rule.body_matches):
            return False
        self._met += 1
        if self._met % self.rule.every or self._random.random() >= self.rule.share:
            return False
        if self._left is not None:
            self._left -= 1
        return True


class _Bucket:
    """A token bucket that holds one second's worth, and at least one token."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._size = max(1.0, per_second)
        self._tokens = self._size
        self._filled = monotonic()

    def take(self) -> bool:
        """Takes a token if there is one."""
        at = monotonic()
        self._tokens = min(self._size, self._tokens + (at - self._filled) * self._per_second)
        self._filled = at
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _contains(body: bytes, text: str) -> bool:
    """Tells whether a body has a text, however its JSON is escaped."""
    if not text:
        return True
    try:
        return orjson.dumps(text)[1:-1] in orjson.dumps(orjson.loads(body))
    except orjson.JSONDecodeError:
        return text.encode() in body
