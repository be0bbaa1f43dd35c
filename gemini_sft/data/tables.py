"""The rows of tables: CSV and TSV (see `csvtext`), Parquet files, and BigQuery."""

import datetime
import decimal
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from gemini_sft.data.csvtext import Row, read_csv
from gemini_sft.data.findings import Fault, clip
from gemini_sft.errors import DataError, Problem, ServiceError, UserError
from gemini_sft.refusals import no_credentials
from gemini_sft.storage import open_reader

__all__ = ["Row", "read_bigquery", "read_csv", "read_parquet"]

_BLOCK = 1 << 20
_PARQUET_ROWS = 100
_BIGQUERY_ROWS = 1000
# For one answer, and for all attempts to get it.
_TIMEOUT = 60.0
_DEADLINE = 180.0


def read_parquet(stream_or_path: BinaryIO | str | Path, name: str) -> Iterator[tuple[int, Row | Fault]]:
    """Yields the rows of a Parquet file, as what JSON can hold: dates, decimals and bytes become texts.

    Args:
        stream_or_path: The file; a stream that cannot be read in any order is copied to the disk first.
        name: How problems speak of it.

    Yields:
        The number of a row, from 1, and the row; or what is wrong there.

    Raises:
        UserError: There is no space for the copy.
        DataError: It is no Parquet file, damaged, or two of its columns have the same name.
    """
    import pyarrow  # type: ignore[import-untyped]
    from pyarrow import parquet

    number = 0
    with ExitStack() as stack:
        if isinstance(stream_or_path, str | Path):
            source = stack.enter_context(open_reader(str(stream_or_path)))
        else:
            source = stream_or_path
        if not source.seekable():
            source = stack.enter_context(_copied(source, name))
        try:
            # Without these two settings a whole row group would be held in memory.
            file = stack.enter_context(parquet.ParquetFile(source, buffer_size=_BLOCK, pre_buffer=False))
            columns = file.schema_arrow.names
            _check_names(columns, name)
            for batch in file.iter_batches(_PARQUET_ROWS, use_threads=False):
                for scalars in zip(*batch.columns, strict=True):
                    number += 1
                    yield number, _row(zip(columns, scalars, strict=True), lambda scalar: scalar.as_py())
        except (pyarrow.ArrowException, OSError) as error:
            where = f"{name}:{number + 1}" if number else name
            reason = str(error).splitlines()[0]
            raise DataError([Problem(where, f"is no intact Parquet file: write it again ({reason})")]) from error


@contextmanager
def _copied(stream: BinaryIO, name: str) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as copy:
        try:
            shutil.copyfileobj(stream, copy, _BLOCK)
            copy.seek(0)
        except OSError as error:
            what = (
                f"could not be copied to {tempfile.gettempdir()}: {error.strerror}: set TMPDIR to a folder with space"
            )
            raise UserError(f"{name}: {what}") from error
        yield copy


def _check_names(columns: list[str], name: str) -> None:
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        what = f"has the column {clip(twice[0])!r} more than once: give each column a name of its own"
        raise DataError([Problem(name, what)])


def read_bigquery(table: str) -> Iterator[tuple[int, Row | Fault]]:
    """Yields the rows of a BigQuery table, as what JSON can hold, through its REST interface.

    Args:
        table: `project.dataset.table`.

    Yields:
        The number of a row, from 1, and the row; or what is wrong there.

    Raises:
        UserError: There is no such table, it is a view, it may not be read, or there are no credentials.
        ServiceError: BigQuery did not answer.
    """
    from google.cloud import bigquery

    with _bigquery_refusals(table):
        client = bigquery.Client(project=table.partition(".")[0])
        try:
            retry = bigquery.DEFAULT_RETRY.with_timeout(_DEADLINE)
            rows = client.list_rows(table, page_size=_BIGQUERY_ROWS, retry=retry, timeout=_TIMEOUT)
            for number, row in enumerate(rows, 1):
                yield number, _row(row.items(), lambda value: value)
        finally:
            client.close()


def bigquery_version(table: str) -> str | None:
    """Returns what is another if a BigQuery table has other rows; None if it does not tell.

    Args:
        table: `project.dataset.table`.

    Raises:
        UserError: There is no such table, it may not be read, or there are no credentials.
        ServiceError: BigQuery did not answer.
    """
    from google.cloud import bigquery

    with _bigquery_refusals(table):
        client = bigquery.Client(project=table.partition(".")[0])
        try:
            found = client.get_table(table, retry=bigquery.DEFAULT_RETRY.with_timeout(_DEADLINE), timeout=_TIMEOUT)
        finally:
            client.close()
    # Rows that are streamed in can be read before the table counts as modified.
    if found.streaming_buffer is not None or found.modified is None:
        return None
    return f"{found.modified.isoformat()} {found.etag}"


@contextmanager
def _bigquery_refusals(table: str) -> Iterator[None]:
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except (GoogleAuthError, exceptions.Unauthorized) as error:
        raise UserError(no_credentials(table, error)) from error
    except exceptions.NotFound as error:
        raise UserError(f"{table}: there is no such table in BigQuery ({_said(error)})") from error
    except exceptions.Forbidden as error:
        if any("Exceeded" in str(one.get("reason")) for one in error.errors):
            raise ServiceError(f"{table} could not be read: {_said(error)}") from error
        what = "may not be read: give the account that runs this roles/bigquery.dataViewer on the table"
        raise UserError(f"{table}: {what} ({_said(error)})") from error
    except exceptions.BadRequest as error:
        raise UserError(f"{table}: BigQuery refused it ({_said(error)}): save a view as a table") from error
    except (exceptions.GoogleAPIError, OSError) as error:
        raise ServiceError(f"{table} could not be read: {error}") from error


def _said(error: Any) -> str:
    """Returns what BigQuery said, without the address that was asked."""
    return str(error.errors[0]["message"] if error.errors else error.message)


def _row(cells: Iterable[tuple[str, Any]], value_of: Callable[[Any], Any]) -> Row | Fault:
    row = {}
    for column, cell in cells:
        try:
            row[column] = _plain(value_of(cell))
        except UnicodeDecodeError:
            return Fault("encoding", f"the column {clip(column)!r} holds bytes that are not UTF-8")
        except (ValueError, OverflowError):
            return Fault("columns", f"the column {clip(column)!r} holds a date or time that cannot be read")
    return row


def _plain(value: Any) -> Any:
    plain = value
    match value:
        case None | str() | bool() | int() | float():
            pass
        case bytes():
            plain = value.decode()
        case datetime.date() | datetime.time():
            plain = value.isoformat()
        case decimal.Decimal():
            plain = format(value, "f")
        case dict():
            plain = {key: _plain(one) for key, one in value.items()}
        case [tuple(), *_]:
            plain = _plain_map(value)
        case list():
            plain = [_plain(one) for one in value]
        case _:
            plain = str(value)
    return plain


def _plain_map(pairs: list[tuple[Any, Any]]) -> Any:
    """Returns what Parquet calls a map; as a list if it has a key twice."""
    made = {str(_plain(key)): _plain(value) for key, value in pairs}
    return made if len(made) == len(pairs) else [[_plain(key), _plain(value)] for key, value in pairs]
