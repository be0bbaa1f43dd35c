"""The metadata server of a Google machine, from which the SDKs take credentials when they find no others."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from vertex_emulator.environment import PROJECT
from vertex_emulator.names import project_number

_FLAVOR = {"Metadata-Flavor": "Google"}
# The identity as the metadata server of Kubernetes Engine states it. For one that looks like an e-mail address,
# google-auth would ask Google itself in which locations it may be used.
_IDENTITY = f"{PROJECT}.svc.id.goog"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_BASE = "/computeMetadata/v1"


def _text(content: str) -> Response:
    return PlainTextResponse(content, headers=_FLAVOR)


async def _ping(request: Request) -> Response:
    return _text("computeMetadata/\n")


async def _project_id(request: Request) -> Response:
    return _text(PROJECT)


async def _project_number(request: Request) -> Response:
    return _text(project_number(PROJECT))


async def _universe(request: Request) -> Response:
    return _text("googleapis.com")


async def _account(request: Request) -> Response:
    document = {"aliases": ["default"], "email": _IDENTITY, "scopes": [_SCOPE]}
    return JSONResponse(document, headers=_FLAVOR)


async def _token(request: Request) -> Response:
    token = {"access_token": "emulator-token", "expires_in": 3599, "token_type": "Bearer"}
    return JSONResponse(token, headers=_FLAVOR)


_ACCOUNT_PATH = f"{_BASE}/instance/service-accounts/{{account}}"

routes = [
    Route("/", _ping),
    Route(f"{_BASE}/project/project-id", _project_id),
    Route(f"{_BASE}/project/numeric-project-id", _project_number),
    Route(f"{_BASE}/universe/universe-domain", _universe),
    Route(f"{_ACCOUNT_PATH}/token", _token),
    Route(f"{_ACCOUNT_PATH}/", _account),
]
