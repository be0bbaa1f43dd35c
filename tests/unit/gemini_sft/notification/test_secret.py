import socket
from collections.abc import Callable, Sequence

import pytest
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from gemini_sft.errors import GeminiSftError, ServiceError, UserError
from gemini_sft.notification import read_secret
from tests.unit.gemini_sft.notification.secret_manager import SecretManager

Serve = Callable[[Sequence[BaseRoute]], str]
NAME = "projects/p/secrets/slack"


@pytest.fixture
def manager(serve: Serve) -> SecretManager:
    made = SecretManager({NAME: ["https://a.test/SECRET-1", "https://a.test/SECRET-2\n"]})
    serve(made.routes)
    return made


def refused(place: str) -> GeminiSftError:
    with pytest.raises(GeminiSftError) as caught:
        read_secret(place)
    assert "SECRET" not in str(caught.value)
    return caught.value


def test_a_variable_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", " https://a.test/SECRET\n")
    assert read_secret("env:HOOK") == "https://a.test/SECRET"


@pytest.mark.parametrize("value", [None, "", " \n"])
def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("HOOK", raising=False)
    if value is not None:
        monkeypatch.setenv("HOOK", value)
    error = refused("env:HOOK")
    assert isinstance(error, UserError)
    assert str(error).startswith("the variable HOOK is not set where the task runs: set it there, or ")


@pytest.mark.parametrize(("version", "number"), [("", 2), ("/versions/latest", 2), ("/versions/1", 1)])
def test_a_version_in_secret_manager_is_read_with_credentials(
    manager: SecretManager, version: str, number: int
) -> None:
    assert read_secret(NAME + version) == f"https://a.test/SECRET-{number}"
    assert manager.asked == [f"/v1/{NAME}{version or '/versions/latest'}:access"]


def test_what_passes_is_asked_again(manager: SecretManager) -> None:
    manager.trouble = [503]
    assert read_secret(NAME) == "https://a.test/SECRET-2"
    assert len(manager.asked) == 2


def test_a_lasting_fault_is_a_service_error(manager: SecretManager) -> None:
    manager.trouble = [501]
    error = refused(NAME)
    assert isinstance(error, ServiceError) and str(error) == f"{NAME}/versions/latest: Secret Manager answered 501"


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("projects/p/secrets/other", "there is no such secret, or no such version of it, in Secret Manager (404)"),
        (f"{NAME}/versions/3", "there is no such secret, or no such version of it, in Secret Manager (404)"),
        ("projects/p/secrets/off", "Secret Manager refuses it (400): is the version disabled or destroyed?"),
        ("projects/p/secrets/theirs", "may not be read (403): give the account that runs this roles/secretmanager."),
    ],
)
def test_a_refusal_says_what_to_do(manager: SecretManager, place: str, told: str) -> None:
    manager.secrets |= {"projects/p/secrets/off": [None], "projects/p/secrets/theirs": ["SECRET"]}
    manager.forbidden = {"projects/p/secrets/theirs"}
    error = refused(place)
    assert isinstance(error, UserError)
    assert str(error).startswith(f"{place if '/versions/' in place else place + '/versions/latest'}: {told}")


@pytest.mark.parametrize(
    "body", [{"payload": {"data": "SECRET!"}}, {"payload": {"data": "/w=="}}, {"payload": None}, {}, ["SECRET"], None]
)
def test_what_is_no_secret_is_not_repeated(serve: Serve, body: object) -> None:
    serve([Route(f"/v1/{NAME}/versions/latest:access", lambda _: JSONResponse(body))])
    error = refused(NAME)
    assert isinstance(error, ServiceError) and str(error).endswith("Secret Manager did not answer with a text")


def test_nobody_there(manager: SecretManager, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("SECRET_MANAGER_ENDPOINT", url)
    error = refused(NAME)
    assert isinstance(error, ServiceError)
    assert str(error).startswith(f"{url}/v1/{NAME}/versions/latest:access could not be reached: ")


def test_no_credentials(manager: SecretManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    error = refused(NAME)
    assert isinstance(error, UserError) and "no Google credentials" in str(error)
    assert manager.asked == []
