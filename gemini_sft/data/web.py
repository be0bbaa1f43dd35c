"""Files from `http://` and `https://`, read while they arrive."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from gemini_sft.errors import UserError

if TYPE_CHECKING:
    import requests

_BUFFER = 1 << 20
# Seconds to connect, and between two pieces of an answer.
_TIMEOUTS = (10.0, 60.0)
_RETRIES = 3
_BACKOFF = 0.5
_LONGEST_RETRY_AFTER = 30


def shown(url: str) -> str:
    """Returns a URL without what may be secret: user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@contextmanager
def download(url: str) -> Iterator[BinaryIO]:
    """Opens what a web server has at an address, byte by byte as it keeps it.

    Refusals that pass, such as 503 or a lost connection, are met with a new attempt until the first byte has arrived.

    Raises:
        UserError: It could not be fetched, or, when reading, not to its end.
    """
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    passing = Retry(
        _RETRIES,
        status_forcelist=(429, 500, 502, 503, 504),
        backoff_factor=_BACKOFF,
        retry_after_max=_LONGEST_RETRY_AFTER,
        raise_on_status=False,
    )
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=passing))
        with _web_failures(url):
            # Compressed on the way, it could not be told whether it arrived as a whole.
            headers = {"Accept-Encoding": "identity"}
            response = session.get(url, stream=True, timeout=_TIMEOUTS, headers=headers)
        with response, io.BufferedReader(_Body(response, url), _BUFFER) as stream:
            _check(response, url)
            yield stream


def version(url: str) -> str | None:
    """Returns what is another if what a web server has at an address is another; None if it does not tell.

    A server that does not answer, or answers to nobody who asks only for the head, tells nothing.
    """
    import requests

    try:
        with requests.Session() as session:
            headers = {"Accept-Encoding": "identity"}
            response = session.head(url, timeout=_TIMEOUTS, headers=headers, allow_redirects=True)
    except requests.RequestException:
        return None
    told = [response.headers.get(name) for name in ("ETag", "Last-Modified")]
    # A length alone may be that of another content.
    if response.status_code != 200 or not any(told):
        return None
    return " ".join(map(str, [*told, response.headers.get("Content-Length")]))


class _Body(io.RawIOBase):
    """The bytes of an answer as they were sent."""

    def __init__(self, response: "requests.Response", url: str) -> None:
        self._response, self._url = response, url

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _web_failures(self._url):
            data = self._response.raw.read(len(buffer), decode_content=False)
        buffer[: len(data)] = data
        return len(data)


def _check(response: "requests.Response", url: str) -> None:
    encoding = response.headers.get("Content-Encoding", "identity")
    match response.status_code:
        case 200 if response.headers.get("Content-Type", "").startswith("text/html"):
            what = "is a web page, not a file: take the address of the file itself"
        case 200 if encoding not in ("identity", "gzip"):
            what = f"was sent with the encoding {encoding}: download it, and name its path"
        case 200:
            return
        case 401 | 403 as status:
            what = f"may not be read ({status}): download it with your account, and name its path"
        case 404 | 410 as status:
            what = f"there is no such file ({status}): check the address"
        case status:
            what = f"the server answered {status}: try again later, or download it and name its path"
    raise UserError(f"{shown(url)}: {what}")


@contextmanager
def _web_failures(url: str) -> Iterator[None]:
    import requests
    from urllib3.exceptions import HTTPError, ProtocolError

    try:
        yield
    except requests.exceptions.InvalidSchema as error:
        what = "leads to an address that begins with neither http:// nor https://"
        raise UserError(f"{shown(url)}: {what}: download it, and name its path") from error
    except ProtocolError as error:
        raise UserError(f"{shown(url)}: broke off before its end: run again") from error
    except (requests.RequestException, HTTPError) as error:
        what = f"could not be fetched ({_root(error)}): check address and connection, or try again later"
        raise UserError(f"{shown(url)}: {what}") from error


def _root(error: BaseException) -> str:
    """Returns what the operating system said; not what the libraries did, who repeat the address with its query."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    text = getattr(error, "strerror", None) or str(error)
    return type(error).__name__ if "?" in text or "://" in text else text
