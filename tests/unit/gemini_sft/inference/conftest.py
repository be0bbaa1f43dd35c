"""`predict` with the real SDK needs a Gemini."""

from collections.abc import Callable, Sequence

import pytest
from starlette.routing import BaseRoute, Route

from gemini_sft.inference import online
from tests.unit.gemini_sft.inference.fake_gemini import ENDPOINT, Gemini


@pytest.fixture
def gemini(serve: Callable[[Sequence[BaseRoute]], str], monkeypatch: pytest.MonkeyPatch) -> Gemini:
    monkeypatch.setattr(online, "_LONGEST_PAUSE_SECONDS", 0.01)
    fake = Gemini()
    routes = [Route(f"/v1/{ENDPOINT}", fake.endpoint), Route("/{path:path}", fake.handle, methods=["POST"])]
    serve(routes)
    return fake
