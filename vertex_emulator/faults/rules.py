"""What a rule may say, and the error that it answers with."""

import re
from email.utils import formatdate
from time import time
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

WrongAnswer = Literal["no_candidates", "safety", "recitation", "max_tokens", "thinking", "malformed", "other", "empty"]
BlockReason = Literal["SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "MODEL_ARMOR"]

_STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_MORE_NAMES = ("FAILED_PRECONDITION", "OUT_OF_RANGE", "ALREADY_EXISTS", "DATA_LOSS", "UNKNOWN")


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule: which requests it takes, and what happens to them.

    Attributes:
        path: Regular expression searched in the path.
        method: HTTP method; every one if empty.
        body_matches: Text that the request's body must contain.
        every: Of the requests that fit so far, only every n-th.
        share: Of those, only this share, drawn one by one with `seed`.
        seed: Seeds the draw: the same for the first, the second, ... request, whatever the clock says.
        times: How often the rule applies; None for always.
        latency: Seconds that the answer is held back.
        quota: Requests per second that are served, with a burst of one second's worth; the others are refused.
        status: Refuse with this HTTP status; with `quota`, the status of what is beyond it (429 by default).
        status_name: Canonical name in the error, if it is not the usual one of `status`.
        message: Text of the error.
        retry_after: Retry-After header of the refusal, sent as it is.
        retry_after_date: The same as an HTTP date so many seconds from now.
        body: A wrong body: an HTML page, the real answer cut with the connection, or cut as if it ended there.
        hang: Never answer.
        served: The service does what was asked, and then its answer is lost to `status`, `body: "html"` or `hang`.
        answer: A wrong answer of the model, see `WrongAnswer`.
        block_reason: With `no_candidates`: why the prompt was blocked.
    """

    path: str = ""
    method: Literal["", "GET", "POST", "PUT", "PATCH", "DELETE"] = ""
    body_matches: str = ""
    every: Annotated[int, Meta(ge=1)] = 1
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    seed: int = 0
    times: Annotated[int, Meta(ge=0)] | None = None
    latency: Annotated[float, Meta(ge=0, le=3600)] | None = None
    quota: Annotated[float, Meta(gt=0)] | None = None
    status: int = 0
    status_name: str = ""
    message: str = "A fault that was asked for."
    retry_after: str | int = ""
    retry_after_date: float | None = None
    body: Literal["", "html", "cut", "truncated"] = ""
    hang: bool = False
    served: bool = False
    answer: WrongAnswer | None = None
    block_reason: BlockReason | None = None

    def __post_init__(self) -> None:
        """Refuses what makes no sense together.

        Raises:
            ValueError: Names the field and what is wrong with it.
        """
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path: {self.path!r} is not a regular expression: {error}") from error
        for wrong, why in self._contradictions():
            if wrong:
                raise ValueError(why)

    def _contradictions(self) -> list[tuple[bool, str]]:
        refuses = self.quota is not None or self.status >= 400
        effects = (self.latency is not None, refuses, self.status, self.body, self.hang, self.answer)
        names = {*_STATUS_NAMES.values(), *_MORE_NAMES}
        known = f"expected one of {', '.join(sorted(names))}"
        return [
            (not any(effects), "a rule needs latency, quota, status, body, hang or answer"),
            (self.status not in (0, 200, *range(400, 600)), "status: expected 400 to 599, or 200 with body 'html'"),
            (self.status == 200 and self.body != "html", "status: 200 needs body 'html'"),
            (self.status_name not in ("", *names), f"status_name: {self.status_name!r} is none; {known}"),
            (bool(self.status_name) and not refuses, "status_name: needs status or quota"),
            (bool(self.retry_after) and not refuses, "retry_after: needs status or quota"),
            (self.retry_after_date is not None and not refuses, "retry_after_date: needs status or quota"),
            (
                bool(self.retry_after) and self.retry_after_date is not None,
                "retry_after and retry_after_date: one only",
            ),
            (self.hang and bool(refuses or self.body or self.answer), "hang: goes with latency only"),
            (
                self.served and not (self.status or self.body == "html" or self.hang),
                "served: needs status, body 'html' or hang",
            ),
            (self.served and self.quota is not None, "served: what is beyond a quota is not"),
            (bool(self.answer) and refuses, "answer: an error has none; leave out status and quota"),
            (bool(self.answer) and self.body == "html", "answer: body 'html' has none"),
            (bool(self.block_reason) and self.answer != "no_candidates", "block_reason: needs answer 'no_candidates'"),
        ]


def read_rules(given: Any) -> list[Rule]:
    """Reads rules from JSON.

    Raises:
        msgspec.ValidationError: Names the rule and the field that is unknown or impossible.
    """
    return msgspec.convert(given, list[Rule])


def error_of(rule: Rule) -> dict[str, Any]:
    """Returns the body of a rule's error, in the shape of Google's services."""
    code = rule.status or 429
    return {"error": {"code": code, "message": rule.message, "status": _name_of(rule, code)}}


def headers_of(rule: Rule) -> dict[str, str]:
    """Returns the headers of a rule's error."""
    headers = {"Retry-After": str(rule.retry_after)} if rule.retry_after else {}
    if rule.retry_after_date is not None:
        headers["Retry-After"] = formatdate(time() + rule.retry_after_date, usegmt=True)
    if rule.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
    return headers


def _name_of(rule: Rule, code: int) -> str:
    usual = "INTERNAL" if code >= 500 else "INVALID_ARGUMENT"
    return rule.status_name or _STATUS_NAMES.get(code, usual)
