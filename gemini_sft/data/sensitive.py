"""Secrets and personal data in training texts.

Nearly every text holds neither. So RE2 looks for traits of all kinds in a single pass: how a token begins, an `@`, a
word such as `password` with a `:` or `=` behind it, digits grouped as in a number of a telephone, card, account or
person. Only where a trait shows, the patterns of its kinds look closer, and what these match is checked. (Python's `re`
would take a hundred times as long.)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import re2

_Found = Iterator[tuple[str, int]]  # kinds, and where they begin

_TRAIT = re2.compile(
    rb"AKIA|ASIA|AIza|GOCSPX-|PRIVATE KEY|gh[oprsu]_|github_pat_|glpat-|xox[abpr]-|hooks[.]slack[.]com|[rs]k_live_|sk-"
    rb"|hf_|npm_|eyJ|[Bb]earer |@\w"
    rb"|(?i:passw(?:or)?d|pwd|secret|token|(?:access|api|auth|private|secret)[_-]?key)[ \"'`\\]{0,4}[:=]"
    rb"|[+][1-9](?:[ .()-]{0,2}\d){8}|[2-9]\d\d(?:-|[)] ?)[2-9]\d\d-\d{4}|\d{3}-\d\d-\d{4}"
    rb"|(?:2[2-7]|[3-6]\d)(?:\d{11}|\d\d(?:[ -]\d{4}){2}[ -]\d|\d\d[ -]\d{6}[ -]\d{4})"
    rb"|[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2} ?[A-Z0-9]{3}"
)
_PERSONAL = frozenset({"email address", "phone number", "US social security number", "payment card number", "IBAN"})
_TOKEN = re.compile(
    rb"""(?x)
      (?P<AWS_access_key_id> A[KS]IA [A-Z0-9]{16} (?!\w))
    | (?P<Google_API_key> AIza [\w-]{35} (?![\w-]))
    | (?P<Google_OAuth_client_secret> GOCSPX- [\w-]{20,})
    | (?P<private_key> PRIVATE[ ]KEY (?:[ ]BLOCK)? ----- (?:\s|\\+[nrt])*+ \w{3})
    | (?P<GitHub_token> gh[oprsu]_ [A-Za-z0-9]{36,} | github_pat_ \w{36,})
    | (?P<GitLab_token> glpat- [\w-]{20,})
    | (?P<Slack_token> xox[abpr]- [\w-]{15,} | hooks[.]slack[.]com/services/ \w+/\w+/\w{8,})
    | (?P<Stripe_key> [rs]k_live_ [A-Za-z0-9]{16,})
    | (?P<OpenAI_or_Anthropic_key> sk- (?=[\w-]*\d) [\w-]{20,})
    | (?P<Hugging_Face_token> hf_ [A-Za-z0-9]{34} (?!\w))
    | (?P<npm_token> npm_ [A-Za-z0-9]{36} (?!\w))
    | (?P<JSON_web_token> eyJ [\w-]{8,} [.] eyJ [\w-]{8,})
    | (?P<bearer_token> [Bb]earer[ ] (?=[\w.~+/-]*\d) [\w.~+/-]{16,})"""
)
_WORD = re.compile(rb"\w\Z")
_DOMAIN = re.compile(rb"@(?!\d+[.]\d)(?P<name>(?:[A-Za-z0-9-]{1,63}[.])+[A-Za-z]{2,24})(?![\w(-]|[.]\w)")
_NOBODYS_DOMAIN = re.compile(
    rb"(?i)(?:.*[.])?(?:example|example[.](?:com|net|org)|invalid|localhost|test|css|gif|html|jpe?g|js|json|png|svg|webp)"
)
_MAILBOX_BACKWARDS = re.compile(rb"(?!tig(?![\w.+%-]))[\w.+%-]{1,64}")  # git@ stands before the name of a repository
_CREDENTIALS = re.compile(rb"""://[^\s:/@"'<>{}]*:(?![$%*])[^\s/@"'<>{}]+""")
_NAME = re.compile(
    rb"(?i)(passw(?:or)?d|pwd|secret|token|(?:(?:secret[_-]?)?access|api|auth|private|secret)[_-]?key)[ \"'`]*\Z"
)
_ASSIGNED = re.compile(rb"""[:=][=>]?(?P<quote>[ "'`]*)(?P<value>[^\s"'`,;&<>(){}\[\]|]{6,80}+)(?![(\[{])""")
_PASSWORD = re.compile(rb"(?=.*[A-Za-z])(?=.*\d)(?![$%/~-])(?!(?i:.*(?:://|example|placeholder|redacted|xxx|your)))")
_CONSTANT = re.compile(rb"[A-Za-z_]\w*(?:[.][A-Za-z_]\w*)+|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_AWS_SECRET = re.compile(rb"[A-Za-z0-9/+]{40}")
_NUMBER = re.compile(
    rb"""(?x) (?<!\w) (?=[A-Z\d(+]) (?:
      (?P<phone_number> (?<![)]) [+][1-9] (?:[ .()-]{0,2} \d){8,14} (?!\w|[.-]\d)
        | (?<![./-]) (?:1[ -])? (?:[(][2-9]\d\d[)][ ]? | [2-9]\d\d-) [2-9]\d\d-\d{4} (?![\w-]|[.]\d))
    | (?P<US_social_security_number> (?<![./-]) (?!000|666|9)\d{3} - (?!00)\d\d - (?!0000)\d{4} (?![\w-]|[.]\d))
    | (?P<payment_card_number> (?<![.+/$-]) (?: \d{13,19}
        | \d{4} (?:[ ]\d{4}){2} [ ]\d{1,4} (?:[ ]\d{3})? | \d{4} [ ] \d{6} [ ] \d{4,5}
        | \d{4} (?: -\d{4}){2} -\d{1,4} (?: -\d{3})? | \d{4} - \d{6} - \d{4,5}) (?!\w|[.-]\d))
    | (?P<IBAN> [A-Z]{2}\d\d (?:[ ]?[A-Z0-9]{4}){2,7} (?:[ ]?[A-Z0-9]{1,3})? (?!\w)))"""
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

    @property
    def words(self) -> str:
        """What is said of it."""
        return f"seems to hold {'a secret' if self.rule == 'secret' else 'personal data'}: {self.kind}"


def find_sensitive(block: bytes) -> list[Sensitive]:
    """Finds secrets and personal data.

    Args:
        block: JSON Lines in UTF-8. No value is looked for across lines.

    Returns:
        The first finding of each kind in each line, in the order of the block.
    """
    found: list[Sensitive] = []
    line_ends: dict[str, int] = {}  # of the line that a kind was found in last
    for trait in _TRAIT.finditer(block):
        first, last = trait.span()
        shown = block[first:last]
        if shown.startswith(b"@"):
            sensitive = _addresses(block, first)
        elif shown.endswith((b":", b"=")):
            sensitive = _passwords(block, last - 1)
        elif shown[-1:].isdigit() or shown[2:3].isdigit():
            sensitive = _numbers(block, first, last)
        else:
            sensitive = _tokens(block, first)
        for kind, start in sensitive:
            if start >= line_ends.get(kind, 0):
                line_ends[kind] = block.find(b"\n", start) + 1 or len(block)
                found.append(Sensitive(kind, "personal_data" if kind in _PERSONAL else "secret", start))
    return sorted(found, key=lambda one: one.start)


def _tokens(block: bytes, at: int) -> _Found:
    match = _TOKEN.match(block, at, at + 1000)
    if match and len(set(match[0])) >= 5 and b"EXAMPLE" not in match[0] and not _WORD.search(_before(block, at, 16)):
        yield _kind(match), at


def _addresses(block: bytes, at: int) -> _Found:
    before = _before(block, at, 80)
    scheme = before.rfind(b"://")
    if scheme >= 0 and _CREDENTIALS.fullmatch(before, scheme):
        yield "connection string", at - len(before) + scheme
    elif (domain := _DOMAIN.match(block, at, at + 256)) and not _NOBODYS_DOMAIN.fullmatch(domain["name"]):
        mailbox = _MAILBOX_BACKWARDS.match(before[::-1])
        if mailbox:
            yield "email address", at - mailbox.end()


def _passwords(block: bytes, at: int) -> _Found:
    name, assigned = _NAME.search(_before(block, at, 40)), _ASSIGNED.match(_unescape(block[at : at + 100]))
    if name and assigned:
        word, value = name[1].lower(), assigned["value"]
        if word.startswith(b"secret") and word.endswith(b"key") and _AWS_SECRET.fullmatch(value):
            yield "AWS secret access key", at - len(name[0])
        elif (
            len(value) >= (6 if word.endswith(b"d") else 8)
            and len(set(value)) >= 5
            and _PASSWORD.match(value)
            and (assigned["quote"].strip() or not _CONSTANT.fullmatch(value))
        ):
            yield "password or key", at - len(name[0])


def _numbers(block: bytes, first: int, last: int) -> _Found:
    begin = max(0, first - 16)
    text, position = _unescape(block[begin : last + 48]), max(0, first - 3 - begin)  # `1 (` may stand before
    while (match := _NUMBER.search(text, position)) and begin + match.start() < last:  # what follows has its own trait
        kind = _kind(match)
        if kind not in _CHECKS or _CHECKS[kind](match[0]):
            yield kind, begin + match.start()
            position = match.end()
        else:
            position = match.start() + 1


def _before(block: bytes, at: int, size: int) -> bytes:
    return _unescape(block[max(0, at - size) : at])


def _unescape(text: bytes) -> bytes:
    r"""Makes `\"` quotes and other escapes line ends, as long as they were: the n of a `\n` belongs to no word."""
    if b"\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: (b'"' if match[0].endswith(b'"') else b"\n") * len(match[0]), text)


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
