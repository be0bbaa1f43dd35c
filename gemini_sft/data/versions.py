"""What data sources hold now, told without reading them."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from gemini_sft.data import web
from gemini_sft.data.sources import File, expand
from gemini_sft.data.tables import bigquery_version

_AT_ONCE = 8


def versions_of(sources: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Yields each file, object or table that sources stand for, with what is another if its content is another.

    That is the generation of an object, the state of a local file, the ETag or the time that a web server tells, and
    the time at which a table was modified; None where nothing is told.

    Args:
        sources: As `expand` takes them.

    Raises:
        UserError: A source does not exist or may not be read; but of the web nothing is asked for that must be there.
        ServiceError: Cloud Storage or BigQuery did not say.
    """
    files = [file for source in sources for file in expand(source)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from zip((file.uri for file in files), pool.map(_version, files), strict=True)


def _version(file: File) -> str | None:
    if file.version:
        return f"{file.size} {file.version}"
    if file.uri.startswith("bq://"):
        return bigquery_version(file.uri.removeprefix("bq://"))
    return web.version(file.uri)
