"""Secrets and personal data in training texts.

Nearly every text holds neither. So a block is screened first, by a few operations of numpy on all of its bytes, each
for a trait that all values of a family share:

* tokens: 19 bytes and more without blanks and quotes, which begin with `AK`, `gh`, `sk` or the like;
* addresses: an `@`;
* passwords: a `:` or `=` behind a word that may be `password`, `token` or `api_key`;
* numbers of telephones, cards, accounts and persons: nine digits close together.

Only where such a trait shows, regular expressions look closer, and what they match is checked.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

_Places = Iterable[tuple[int, int, int]]  # where a trait shows, and from where to where to look
_Found = Iterator[tuple[str, int]]  # kinds, and where they begin

_PIECE = 1 << 18  # bytes screened at once: what the second cache of a processor holds
_MARGIN = 64

_PERSONAL = frozenset({"email address", "phone number", "US social security number", "payment card number", "IBAN"})
_TOKEN = re.compile(
    rb"""(?x)
      (?P<AWS_access_key_id> A[KS]IA [A-Z0-9]{16} (?!\w))
    | (?P<Google_API_key> AIza [\w-]{35} (?![\w-]))
    | (?P<Google_OAuth_client_secret> GOCSPX- [\w-]{20,})
    | (?P<private_key> PRIVATE[ ]KEY (?:[ ]BLOCK)? ----- [\s\\nrt]*\w+)
    | (?P<GitHub_token> gh[oprsu]_ [A-Za-z0-9]{36,} | github_pat_ \w{36,})
    | (?P<GitLab_token> glpat- [\w-]{20,})
    | (?P<Slack_token> xox[abpr]- [\w-]{15,} | hooks[.]slack[.]com/services/ \w+/\w+/\w{8,})
    | (?P<Stripe_key> [rs]k_live_ [A-Za-z0-9]{16,})
    | (?P<OpenAI_or_Anthropic_key> sk- (?=[\w-]*\d) [\w-]{20,})
    | (?P<Hugging_Face_token> hf_ [A-Za-z0-9]{34} (?!\w))
    | (?P<npm_token> npm_ [A-Za-z0-9]{36} (?!\w))
    | (?P<JSON_web_token> eyJ [\w-]{8,} [.] eyJ [\w-]{8,})
    | (?P<bearer_token> earer[ ] (?=[\w.~+/-]*\d) [\w.~+/-]{16,})"""
)
_DOMAIN = re.compile(rb"@(?!\d+[.]\d)(?P<name>(?:[A-Za-z0-9-]{1,63}[.])+[A-Za-z]{2,24})(?![\w(-]|[.]\w)")
_NOBODYS_DOMAIN = re.compile(
    rb"(?i)(?:.*[.])?(?:example|example[.](?:com|net|org)|invalid|localhost|test|css|gif|html|jpe?g|js|json|png|svg|webp)"
)
_MAILBOX_BACKWARDS = re.compile(rb"(?!tig(?![\w.+%-]))[\w.+%-]{1,64}")  # git@ stands before the name of a repository
_CREDENTIALS = re.compile(rb"""://[^\s:/@"'<>{}]*:(?![$%*])[^\s/@"'<>{}]+""")
_NAME = re.compile(
    rb"(?i)(?:passwd|password|pwd|secret|token|(?:(?:secret[_-]?)?access|api|auth|private|secret)[_-]?key)[ \"'`]*$"
)
_ASSIGNED = re.compile(rb"""[:=][=>]?(?P<quote>[ "'`]*)(?P<value>[^\s"'`,;&<>(){}\[\]|]{6,80}+)(?![(\[{])""")
_PASSWORD = re.compile(rb"(?=.*[A-Za-z])(?=.*\d)(?![$%/~-])(?!(?i:.*(?:://|example|placeholder|redacted|xxx|your)))")
_CONSTANT = re.compile(rb"[A-Za-z_]\w*(?:[.][A-Za-z_]\w*)+|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_AWS_SECRET = re.compile(rb"[A-Za-z0-9/+]{40}")
_NINE_DIGITS = re.compile(rb"\d(?:[ .()-]{0,2}\d){8}")
_NUMBER = re.compile(
    rb"""(?x)
      (?P<phone_number> (?<![\w)]) [+][1-9] (?:[ .()-]{0,2} \d){8,14} (?!\w|[.-]\d)
        | (?<![\w./-]) (?:1[ -])? (?:[(][2-9]\d\d[)][ ]? | [2-9]\d\d-) [2-9]\d\d-\d{4} (?![\w-]|[.]\d))
    | (?P<US_social_security_number> (?<![\w./-]) (?!000|666|9)\d{3} - (?!00)\d\d - (?!0000)\d{4} (?![\w-]|[.]\d))
    | (?P<payment_card_number> (?<![\w.+/$-]) (?: \d{13,19}
        | \d{4} (?:[ ]\d{4}){2} [ ]\d{1,4} (?:[ ]\d{3})? | \d{4} [ ] \d{6} [ ] \d{4,5}
        | \d{4} (?: -\d{4}){2} -\d{1,4} (?: -\d{3})? | \d{4} - \d{6} - \d{4,5}) (?!\w|[.-]\d))
    | (?P<IBAN> (?<!\w) [A-Z]{2}\d\d (?:[ ]?[A-Z0-9]{4}){2,7} (?:[ ]?[A-Z0-9]{1,3})? (?!\w))"""
)
_ISSUER = re.compile(  # of Visa, Mastercard, American Express, Discover and JCB, Diners Club, UnionPay, Maestro
    r"""(?x) 4 (?:\d{12}|\d{15}|\d{18}) | (?:5[1-5]\d\d | 222[1-9] | 22[3-9]\d | 2[3-6]\d\d | 27[01]\d | 2720) \d{12}
    | 3[47]\d{13} | (?:6011 | 64[4-9]\d | 65\d\d | 35[2-8]\d) \d{12,15} | 3(?:0[0-5]|[689]\d) \d{11,16}
    | 62\d{14,17} | (?:5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 676[1-3]) \d{9,15}"""
)
_ESCAPE = re.compile(rb"""\\\\*(?:["bfnrt]|u[0-9a-fA-F]{4})?""")


@dataclass(frozen=True)
class Sensitive:
    """A secret or a piece of personal data, without its value.

    Attributes:
        kind: What it is, for example `AWS access key id`.
        rule: The rule that it breaks.
        start: Where it is, in bytes from the beginning of the block.
    """

    kind: str
    rule: Literal["secret", "personal_data"]
    start: int


def find_sensitive(block: bytes) -> list[Sensitive]:
    """Finds secrets and personal data.

    Args:
        block: JSON Lines in UTF-8. No value is looked for across lines.

    Returns:
        The first finding of each kind in each line, in the order of the block.
    """
    found: list[Sensitive] = []
    line_ends: dict[str, int] = {}  # of the line that a kind was found in last
    pieces = list(_pieces(block))
    screens = _Screens(max((stop - start for start, stop in pieces), default=0))
    for start, stop in pieces:
        screens.load(block, start, stop)
        for screen, search in _FAMILIES:
            for at, first, last in screen(screens):
                begin = start + max(0, first)
                for kind, offset in search(block[begin : min(start + last, stop)], start + at - begin):
                    position = begin + offset
                    if position >= line_ends.get(kind, 0):
                        line_ends[kind] = block.find(b"\n", position) + 1 or len(block)
                        found.append(Sensitive(kind, "personal_data" if kind in _PERSONAL else "secret", position))
    return sorted(found, key=lambda one: one.start)


def _pieces(block: bytes) -> Iterator[tuple[int, int]]:
    """Cuts a block at line ends."""
    stop = 0
    while stop < len(block):
        start, stop = stop, block.find(b"\n", stop + _PIECE) + 1 or len(block)
        yield start, stop


class _Screens:
    """What shows in one piece of text. All pieces use the same memory, since new memory costs more than the work."""

    def __init__(self, size: int) -> None:
        size = -(-(size + 2 * _MARGIN) // 8) * 8
        self._text, self._moved, self._mask = np.zeros((3, size), np.uint8)

    def load(self, block: bytes, start: int, stop: int) -> None:
        """Takes a piece of a block; around it stand bytes that show nothing."""
        self._source = block, start, stop
        end = _MARGIN + stop - start
        self._text[_MARGIN:end] = np.frombuffer(block, np.uint8, stop - start, start)
        self._text[end:] = 0
        self._signs = np.flatnonzero(self._between(b":", b"@"))

    def tokens(self) -> _Places:
        """Where tokens may begin: in every 19 bytes between `-` and `z` are 16 that begin at a multiple of four."""
        run = self._between(b"-", b"z").view(np.uint32) == 0x01010101
        run = run[1:] & run[:-1]
        starts = 4 * np.flatnonzero(run[2:] & run[:-2])
        starts = np.concatenate([starts - back for back in range(10)])  # three for a token, six for its `earer `
        return _around(np.unique(starts[self._are(_TOKEN_STARTS, starts)]), 24, 320)

    def private_keys(self) -> _Places:
        """Every `PRIVATE KEY`: a line of the key itself can be short and without a trait."""
        block, start, stop = self._source
        at = block.find(b"PRIVATE KEY", start, stop)
        while at >= 0:
            yield at - start, at - start - 24, at - start + 64
            at = block.find(b"PRIVATE KEY", at + 1, stop)

    def addresses(self) -> _Places:
        """Every `@`."""
        return _around(self._signs[self._text[self._signs] == ord("@")], 80, 96)

    def passwords(self) -> _Places:
        """Every `:` or `=` at most four blanks and quotes behind the end of a word that may be a secret's."""
        ends = self._signs - 1
        for _ in range(4):
            ends -= _BLANKS[self._text[ends]]
        return _around(self._signs[self._are(_NAME_ENDS, ends - 2)], 32, 96)

    def numbers(self) -> _Places:
        """Where 24 bytes that begin at a multiple of eight hold nine digits: all nine within 17 bytes are in such."""
        digits = np.bitwise_count(np.packbits(self._between(b"0", b"9")))
        starts = 8 * np.flatnonzero(digits[:-2] + digits[1:-1] + digits[2:] >= 9) - _MARGIN
        if not len(starts):
            return ()
        gaps = np.flatnonzero(np.diff(starts) > 72)
        firsts, lasts = starts[np.append(0, gaps + 1)], starts[np.append(gaps, -1)]
        return zip(firsts.tolist(), (firsts - 24).tolist(), (lasts + 48).tolist(), strict=True)

    def _are(self, table: NDArray[np.uint32], positions: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which positions begin one of a table's words."""
        bits: NDArray[np.uint32] = np.full(len(positions), 0xFFFFFFFF, np.uint32)
        for place, row in enumerate(table):
            bits &= row[self._text[positions + place]]
        return bits != 0

    def _between(self, first: bytes, last: bytes) -> NDArray[np.bool_]:
        np.subtract(self._text, ord(first), out=self._moved)
        return np.less_equal(self._moved, ord(last) - ord(first), out=self._mask.view(np.bool_))


def _table(*words: bytes) -> NDArray[np.uint32]:
    """For every place in words and every byte, one bit for each word that has this byte at this place."""
    table = np.zeros((len(words[0]), 256), np.uint32)
    for bit, word in enumerate(words):
        for place, byte in enumerate(word):
            table[place, byte] |= np.uint32(1 << bit)
    return table


_TOKEN_STARTS = _table(*b"AKI ASI AIz GOC ghp gho ghu ghs ghr git glp xox hoo sk_ sk- rk_ hf_ npm eyJ ear".split())
_NAME_ENDS = _table(*b"ord swd pwd ret ken key Pwd Key ORD SWD PWD RET KEN KEY".split())
_BLANKS = np.isin(np.arange(256), list(b" \"'`\\"))


def _around(positions: NDArray[np.intp], before: int, after: int) -> _Places:
    return ((at, at - before, at + after) for at in (positions - _MARGIN).tolist())


def _unescape(text: bytes) -> bytes:
    r"""Makes `\"` quotes and other escapes line ends, as long as they were: the n of a `\n` belongs to no word."""
    if b"\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: (b'"' if match[0].endswith(b'"') else b"\n") * len(match[0]), text)


def _tokens(text: bytes, at: int) -> _Found:
    match = _TOKEN.match(text, at)
    if match and len(set(match[0])) >= 5 and b"EXAMPLE" not in match[0]:
        is_whole = match.lastgroup == "bearer_token" or not re.search(rb"\w$", _unescape(text[:at]))
        if is_whole:
            yield _kind(match), at


def _addresses(text: bytes, at: int) -> _Found:
    before = _unescape(text[:at])
    scheme = before.rfind(b"://")
    if scheme >= 0 and _CREDENTIALS.fullmatch(before, scheme):
        yield "connection string", scheme
    elif (domain := _DOMAIN.match(text, at)) and not _NOBODYS_DOMAIN.fullmatch(domain["name"]):
        mailbox = _MAILBOX_BACKWARDS.match(before[::-1])
        if mailbox:
            yield "email address", at - mailbox.end()


def _passwords(text: bytes, at: int) -> _Found:
    text = _unescape(text)
    name, assigned = _NAME.search(text[:at]), _ASSIGNED.match(text, at)
    if name and assigned:
        word, value = name[0].rstrip(b" \"'`").lower(), assigned["value"]
        if word.startswith(b"secret") and word.endswith(b"key") and _AWS_SECRET.fullmatch(value):
            yield "AWS secret access key", name.start()
        elif (
            len(value) >= (6 if word.endswith(b"d") else 8)
            and len(set(value)) >= 5
            and _PASSWORD.match(value)
            and (assigned["quote"].strip() or not _CONSTANT.fullmatch(value))
        ):
            yield "password or key", name.start()


def _numbers(text: bytes, at: int) -> _Found:
    if not _NINE_DIGITS.search(text, at):
        return
    text, position = _unescape(text), 0
    while match := _NUMBER.search(text, position):
        kind = _kind(match)
        if kind not in _CHECKS or _CHECKS[kind](match[0]):
            yield kind, match.start()
            position = match.end()
        else:
            position = match.start() + 1


def _kind(match: re.Match[bytes]) -> str:
    return (match.lastgroup or "").replace("_", " ")


def _is_phone(value: bytes) -> bool:
    """Whether it is neither a decimal number nor a row of digits."""
    return value.count(b".") != 1 and len(re.findall(rb"\d+", value)) <= 7


def _is_card(value: bytes) -> bool:
    """Whether an issuer's number ends in the digit that Luhn's formula demands (ISO/IEC 7812), or a part of it does."""
    digits = re.sub(rb"\D", b"", value).decode()
    total = sum(map(int, digits[::-2])) + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    is_card = total % 10 == 0 and _ISSUER.fullmatch(digits) is not None
    return is_card or (b" " in value and _is_card(value.rpartition(b" ")[0]))


def _is_iban(value: bytes) -> bool:
    """Whether it leaves 1 if divided by 97 with letters as 10 to 35 (ISO 13616), or a part of it does."""
    code = value.replace(b" ", b"").decode()
    number = int("".join(str(int(one, 36)) for one in code[4:] + code[:4]))
    return (len(code) >= 15 and number % 97 == 1) or (b" " in value and _is_iban(value.rpartition(b" ")[0]))


_CHECKS = {"phone number": _is_phone, "payment card number": _is_card, "IBAN": _is_iban}
_FAMILIES: tuple[tuple[Callable[[_Screens], _Places], Callable[[bytes, int], _Found]], ...] = (
    (_Screens.tokens, _tokens),
    (_Screens.private_keys, _tokens),
    (_Screens.addresses, _addresses),
    (_Screens.passwords, _passwords),
    (_Screens.numbers, _numbers),
)
