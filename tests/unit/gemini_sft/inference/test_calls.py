"""What identifies an answer."""

from typing import Any

import pytest

from gemini_sft.data import Example
from gemini_sft.data.example import turn
from gemini_sft.experiment import Evaluation
from gemini_sft.inference import Service, render
from gemini_sft.inference.call import keys

RECORD = {"contents": [turn("user", "q"), turn("model", "a")]}
SERVICE = Service("p", "us-central1", "gemini-2.5-flash", "f" * 16)


def key(
    record: dict[str, Any] = RECORD, service: Service = SERVICE, base: str = "gemini-2.5-flash", **settings: Any
) -> str:
    (found,) = keys(service, [render(Example("e", record, "f", 1, ("a",)), base, Evaluation(**settings))])
    return found


def with_instruction(text: str) -> dict[str, Any]:
    return RECORD | {"systemInstruction": {"parts": [{"text": text}]}}


@pytest.mark.parametrize(
    "changed",
    [
        {"service": Service("p", "us-central1", "gemini-2.5-pro", "f" * 16)},
        {"service": Service("p", "us-central1", "projects/7/locations/us/endpoints/42", "f" * 16)},
        {"service": Service("p", "us-central1", "gemini-2.5-flash", "0" * 16)},
        {"record": {"contents": [turn("user", "Q"), turn("model", "a")]}},
        {"record": with_instruction("Be brief.")},
        {"record": RECORD | {"tools": [{"functionDeclarations": [{"name": "f"}]}]}},
        {"record": RECORD | {"generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_LOW"}}},
        {"base": "gemini-2.5-pro"},
        {"temperature": 0.5},
        {"temperature": None},
        {"max_output_tokens": 10},
    ],
    ids=str,
)
def test_whatever_changes_an_answer_changes_its_key(changed: dict[str, Any]) -> None:
    assert key(**changed) != key()


@pytest.mark.parametrize(
    "changed",
    [
        {"service": Service("another", "europe-west4", "gemini-2.5-flash", "f" * 16)},
        {"record": {"contents": [turn("user", "q"), turn("model", "another target")]}},
        {"max_concurrency": 3},
        {"max_requests_per_minute": 3},
        {"request_timeout_seconds": 3},
        {"timeout_minutes": 3},
        {"max_failure_rate": 0.5},
        {"lower_is_better": {"edits": 9.0}},
        {"backend": "batch"},
        {"tokenizer": "unicode"},
        {"few_shot": 2},
        {"metrics": ["a.py:f"]},
        {"judge": {"model": "gemini-2.5-pro"}},
    ],
    ids=str,
)
def test_what_changes_no_answer_changes_no_key(changed: dict[str, Any]) -> None:
    assert key(**changed) == key()


def test_every_setting_has_been_thought_of() -> None:
    """A new setting belongs into one of the two tests above."""
    assert set(Evaluation.model_fields) == {
        *("temperature", "max_output_tokens"),
        *("backend", "max_concurrency", "max_requests_per_minute", "request_timeout_seconds", "timeout_minutes"),
        *("max_failure_rate", "tokenizer", "metrics", "lower_is_better", "few_shot", "judge"),
    }


def test_the_same_prompt_twice_has_two_answers() -> None:
    calls = [render(Example(name, RECORD, "f", 1, ("a",)), "gemini-2.5-flash", Evaluation()) for name in ("e", "e-2")]
    first, second = keys(SERVICE, calls)
    assert second == f"{first}-2"
