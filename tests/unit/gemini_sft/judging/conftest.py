"""A Gemini that judges."""

import re
from collections.abc import Awaitable, Callable, Iterable

import pytest
from starlette.responses import Response

from tests.unit.gemini_sft.inference.conftest import gemini
from tests.unit.gemini_sft.inference.fake_gemini import answered

__all__ = ["gemini", "says"]


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        # google-genai's own, when it makes its first session.
        item.add_marker(pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"))


def between(label: str, text: str) -> list[str]:
    """What stands between marks in a request to the judge."""
    return [found[1] for found in re.findall(rf"<{label}-([0-9a-f]{{16}})>\n(.*?)\n</{label}-\1>", text, re.S)]


def says(choose: Callable[[list[str]], str]) -> Callable[[str, int], Awaitable[Response]]:
    """Returns a judge that chooses by the answers that it is shown, in their order."""

    async def answer(question: str, attempt: int) -> Response:
        shown = [one for label in ("answer-A", "answer-B", "answer") for one in between(label, question)]
        return answered(choose(shown), promptTokenCount=9, candidatesTokenCount=1)

    return answer


def longer(answers: list[str]) -> str:
    """Prefers the longer of two answers."""
    first, second = map(len, answers)
    return "TIE" if first == second else "A" if first > second else "B"
