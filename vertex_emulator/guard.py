"""Who is answered: programs and browsers on this machine that were told to go here, and no page of somebody else.

A page elsewhere can let a browser ask 127.0.0.1, and can let its own name mean 127.0.0.1 to read the answer (DNS
rebinding). The first shows in `Origin` and `Sec-Fetch-Site`, the second in `Host`. The API is guarded as the pages are:
whoever may post a pipeline job runs code of his own here.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


class Guard:
    """ASGI middleware that refuses what a page of somebody else asks for.

    Args:
        app: What answers everybody else.
        refuse: Makes the refusal.
    """

    def __init__(self, app: ASGIApp, refuse: Callable[[Request], Response]) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection event."""
        app = self._app
        if scope["type"] == "http" and is_foreign(request := Request(scope)):
            app = self._refuse(request)
        await app(scope, receive, send)


def is_foreign(request: Request) -> bool:
    """Tells whether a request comes from a page of somebody else, or by a name that is not this machine's."""
    host = request.headers.get("host", "")
    origin = request.headers.get("origin", f"http://{host}")
    elsewhere = request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    # A link on another page may lead here: what it opens, that page cannot read.
    followed = request.headers.get("sec-fetch-dest") == "document" and request.method == "GET"
    return _name(f"//{host}") not in _HERE or origin != f"http://{host}" or (elsewhere and not followed)


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
