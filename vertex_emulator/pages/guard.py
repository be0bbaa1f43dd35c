"""What a browser is told that a page, or an object that a page shows, may do."""

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
