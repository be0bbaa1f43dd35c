"""The syntax of filters: a tokenizer and a recursive-descent parser that makes one predicate of a text."""

import re
from collections.abc import Callable, Collection, Mapping

import proto

from vertex_emulator.filters.restrictions import Document, Predicate, Vocabulary, refuse, restriction, unquoted
from vertex_emulator.names import canonical

_STRING = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_PLAIN = r"[^\s\"'()=<>!:,&]"
_TOKEN = re.compile(
    rf"(?P<string>{_STRING})|(?P<operator>!=|<=|>=|[=<>:])|(?P<bracket>[()])"
    # A word may have quoted parts: labels."a key"
    rf'|(?P<word>{_PLAIN}+(?:"(?:[^"\\]|\\.)*"{_PLAIN}*)*)'
)
_MAX_DEPTH = 20


def compile_filter(
    text: str,
    message: type[proto.Message],
    fields: Collection[str],
    *,
    derived: Mapping[str, Callable[[Document], str]] | None = None,
    functions: Mapping[str, Callable[[Document, str], bool]] | None = None,
) -> Predicate:
    """Returns a predicate over JSON documents (camelCase names) for a filter; an empty filter takes everything.

    Args:
        text: The filter as received.
        message: See `Vocabulary`, as for the others.
        fields: See `Vocabulary`.
        derived: See `Vocabulary`.
        functions: See `Vocabulary`.

    Raises:
        ApiError: 400 for a syntax, field, operator or value that is not supported.
    """
    if not text.strip():
        return lambda document: True
    return _Parser(text, Vocabulary(message, fields, derived or {}, functions or {})).parse()


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise refuse(f"unexpected {text[position]!r} at position {position} of {text!r}.")
        found.append((str(match.lastgroup), match[0]))
        position = match.end()
    return [*found, ("end", "the end")]


class _Parser:
    """expression: factor {AND factor}; factor: term {OR term}; term: [NOT] ( "(" expression ")" | restriction )."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0
        self._vocabulary = vocabulary

    def parse(self) -> Predicate:
        predicate = self._expression()
        self._take("end")
        return predicate

    def _take(self, kind: str, *texts: str) -> str:
        found_kind, found = self._tokens[self._next]
        if found_kind != kind or (texts and found not in texts):
            raise refuse(f"expected {' or '.join(texts) or kind}, found {found!r} in {self._text!r}.")
        self._next += 1
        return found

    def _takes(self, kind: str, text: str) -> bool:
        taken = self._tokens[self._next] == (kind, text)
        self._next += taken
        return taken

    def _expression(self) -> Predicate:
        factors = [self._factor()]
        while self._takes("word", "AND"):
            factors.append(self._factor())
        return factors[0] if len(factors) == 1 else lambda document: all(each(document) for each in factors)

    def _factor(self) -> Predicate:
        terms = [self._term()]
        while self._takes("word", "OR"):
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else lambda document: any(each(document) for each in terms)

    def _term(self) -> Predicate:
        if self._takes("word", "NOT"):
            inner = self._simple()
            return lambda document: not inner(document)
        return self._simple()

    def _simple(self) -> Predicate:
        if not self._takes("bracket", "("):
            return self._restriction()
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise refuse("too deeply nested.")
        inner = self._expression()
        self._take("bracket", ")")
        self._depth -= 1
        return inner

    def _restriction(self) -> Predicate:
        word = self._take("word")
        if self._takes("bracket", "("):
            return self._call(word)
        symbol = self._take("operator")
        quoted = self._tokens[self._next][0] == "string"
        value = canonical(unquoted(self._take("string" if quoted else "word")))
        return restriction(self._vocabulary, word, symbol, value)

    def _call(self, name: str) -> Predicate:
        function = self._vocabulary.functions.get(name)
        if function is None:
            raise refuse(f"no function {name!r} here.")
        argument = canonical(unquoted(self._take("string")))
        self._take("bracket", ")")
        return lambda document: function(document, argument)
