"""What the operating system or Cloud Storage refuses, as errors that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from gemini_sft.errors import GeminiSftError, ServiceError, UserError

_SCHEME = "gs://"


@contextmanager
def refusals(uri: str, done: str = "read", forbidden: type[GeminiSftError] = UserError) -> Iterator[None]:
    """Raises what the operating system or Cloud Storage refuses as errors that say what to do.

    Args:
        uri: What the body reads or writes.
        done: `read` or `written`.
        forbidden: The error for a lack of permission.
    """
    try:
        yield
    except GeminiSftError:
        raise
    except Exception as error:
        refusal: GeminiSftError | None = None
        if uri.startswith(_SCHEME):
            refusal = _refusal(uri, done, error, forbidden)
        elif isinstance(error, OSError):
            refusal = ServiceError(f"{uri} could not be {done}: {error.strerror}")
        if refusal is None:
            raise
        raise refusal from error


@contextmanager
def unreadable(path: str) -> Iterator[None]:
    """Raises what keeps a local file from being read as an error that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such file") from error
    except IsADirectoryError as error:
        raise UserError(f"{path}: is a directory, not a file") from error
    except OSError as error:
        raise UserError(f"{path}: could not be read: {error.strerror}") from error


def _refusal(uri: str, done: str, error: Exception, forbidden: type[GeminiSftError]) -> GeminiSftError | None:
    """Returns what Cloud Storage's refusal means; None for an error that is none."""
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
    from urllib3.exceptions import HTTPError

    what = f"{uri} could not be {done}"
    if isinstance(error, InvalidResponse):
        error = exceptions.from_http_response(error.response)  # type: ignore[no-untyped-call]
    match error:
        case exceptions.NotFound():
            bucket = uri.removeprefix(_SCHEME).partition("/")[0]
            missing = f"bucket {bucket}" if "bucket does not exist" in str(error) else "such object"
            return UserError(f"{uri}: there is no {missing} in Cloud Storage")
        case GoogleAuthError() | exceptions.Unauthorized():
            return UserError(no_credentials(uri, error))
        case exceptions.Forbidden():
            role = "roles/storage.objectUser" if done == "written" else "roles/storage.objectViewer"
            return forbidden(f"{what}: 403: give the account that runs this {role} on the bucket ({error.message})")
        case exceptions.BadRequest() if "UserProjectMissing" in str(error) or "requester pays" in str(error):
            mend = "copy the object into a bucket of your own"
            return UserError(f"{what}: whoever reads its bucket must pay for it (requester pays): {mend}")
        case exceptions.GoogleAPIError() | DataCorruption() | HTTPError() | OSError():
            return ServiceError(f"{what}: {error}")
        case _:
            return None


def no_credentials(place: str, error: Exception) -> str:
    """Returns what to do without Google credentials."""
    return f"{place}: no Google credentials: run `gcloud auth application-default login` ({error})"
