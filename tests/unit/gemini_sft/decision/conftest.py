from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def fewer_resamples(request: pytest.FixtureRequest) -> Iterator[None]:
    """A small part of the work: what is tested here holds for any number of worlds. A module may say how many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gemini_sft.decision.bootstrap.RESAMPLES", getattr(request.module, "WORLDS", 250))
        yield
