"""Who gets a page: a browser on this machine that was told to go here, and no page of somebody else.

A page elsewhere can let a browser ask 127.0.0.1, and can let its own name mean 127.0.0.1 to read the answer (DNS
rebinding). The first shows in `Origin` and `Sec-Fetch-Site`, the second in `Host`. The API has no such guard, for its
clients are no browsers.
"""

from urllib.parse import urlsplit

from starlette.requests import Request

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})

PAGE_POLICY = "; ".join(
    [
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
# The origin of what is in a sandbox is nobody's: it cannot read an answer of the API. Whatever it shows and runs must
# be in it, and it may call nowhere. That it cannot send its frame elsewhere is the doing of the page's frame-src.
OBJECT_POLICY = "; ".join(
    [
        "sandbox allow-scripts",
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "script-src 'unsafe-inline'",
        "img-src data:",
        "font-src data:",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    ]
)


def is_foreign(request: Request) -> bool:
    """Tells whether a request comes from a page of somebody else, or by a name that is not this machine's."""
    host = request.headers.get("host", "")
    origin = request.headers.get("origin", f"http://{host}")
    elsewhere = request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    # A link on another page may lead here: what it opens, that page cannot read.
    followed = request.headers.get("sec-fetch-dest") == "document" and request.method == "GET"
    return _name(f"//{host}") not in _HERE or origin != f"http://{host}" or (elsewhere and not followed)


def headers(policy: str) -> dict[str, str]:
    """Returns the headers of a page or an object that is shown under a Content Security Policy."""
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Vary": "Accept, Metadata-Flavor, Origin",
    }


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
