from collections.abc import Callable, Sequence

import pytest
from starlette.routing import BaseRoute

from gemini_sft.tuning import default, following, making, service, states
from tests.unit.gemini_sft.tuning.tuner import Clock, Tuner


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (default, following, making, service, states):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def tuner(serve: Callable[[Sequence[BaseRoute]], str], clock: Clock) -> Tuner:
    """The service, to which the SDKs lead; time does not pass."""
    fake = Tuner()
    serve(fake.routes())
    return fake
