"""What the judge is sent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.catalog import catalog
from gemini_sft.data import Example
from gemini_sft.data.example import turn
from gemini_sft.experiment import Evaluation, Task
from gemini_sft.experiment.schema import Judge
from gemini_sft.inference import Outcome, Service, predict
from gemini_sft.judging import comparing, grading
from tests.unit.gemini_sft.inference.fake_gemini import Gemini
from tests.unit.gemini_sft.judging.conftest import between, longer, says

ENUM = {"type": "STRING", "enum": ["A", "B", "TIE"]}


def example(*contents: dict[str, Any], references: tuple[str, ...] = ("right",), **beside: Any) -> Example:
    given = [*contents] or [turn("user", "a question")]
    return Example("e0", {"contents": [*given, turn("model", references[0])], **beside}, "f", 1, references)


def text_of(call: Any) -> str:
    ((part,),) = [one["parts"] for one in call.body["contents"]]
    return str(part["text"])


def frame(model: str = "gemini-2.5-flash", task: Task = Task.SUMMARIZATION, **judge: Any) -> Any:
    return comparing(task, Judge(model=model, **judge), model)


def test_everything_stands_between_marks(gemini: Gemini) -> None:
    one = example(
        turn("user", "first"), turn("model", "reply"), turn("user", "second"),
        references=("right", "right too"), systemInstruction={"parts": [{"text": "be brief"}]},
    )  # fmt: skip
    text = text_of(frame().call("n", one, ["left", "other"]))
    assert between("request", text) == ["[user]\nfirst\n[model]\nreply\n[user]\nsecond\n"]
    assert between("reference", text) == ["right", "right too"]
    assert between("instructions-to-the-models", text) == ["be brief"]
    assert (between("answer-A", text), between("answer-B", text)) == (["left"], ["other"])
    assert text.endswith(">\n\nWhich answer is better: A, B or TIE?")


def test_the_request_as_the_service_gets_it(gemini: Gemini) -> None:
    gemini.answer = says(longer)
    calls = [frame().call("e0:ab", example(), ["left", "r"])]
    (one,) = predict(Service("p", "us-central1", "gemini-2.5-flash"), calls, Evaluation()).predictions
    assert (one.outcome, one.text, one.example_id) == (Outcome.ANSWERED, "A", "e0:ab")
    ((_, body),) = gemini.calls
    settings = body["generationConfig"]
    assert (settings["responseMimeType"], settings["responseSchema"]) == ("text/x.enum", ENUM)
    assert settings["temperature"] == 0 and settings["thinkingConfig"] == {"thinking_budget": 0}
    assert "maxOutputTokens" not in settings and "tools" not in body


@pytest.mark.parametrize("model", sorted(catalog().models))
def test_it_thinks_least_and_has_no_temperature_that_it_does_not_take(model: str) -> None:
    settings = frame(model).call("n", example(), ["a", "b"]).body["generationConfig"]
    assert settings["thinkingConfig"] == catalog().models[model].thinking
    assert ("temperature" in settings) is catalog().models[model].sampling


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_answer_can_end_itself(first: str, second: str) -> None:
    """Not even one that has read the marks of the same request without it."""
    hostile = text_of(frame().call("n", example(), [first, second]))
    text = text_of(frame().call("n", example(), [hostile, second]))
    (mark,) = {name for name in between_names(text) if name.startswith("answer-A-") and name not in hostile}
    assert text.count(mark) == 2
    assert between("answer-A", text[text.index(f"<{mark}>") :])[0] == hostile


def between_names(text: str) -> set[str]:
    import re

    return set(re.findall(r"</([a-zA-Z-]+-[0-9a-f]{16})>", text))


def test_the_same_question_has_the_same_marks_and_the_other_order_others() -> None:
    calls = [frame().call("n", example(), pair) for pair in (["a", "b"], ["a", "b"], ["b", "a"])]
    assert calls[0] == calls[1] != calls[2]


def test_the_criteria_are_the_experiments_or_those_of_the_task() -> None:
    own = frame(criteria="Use {braces} and be kind.").instruction
    assert "Use {braces} and be kind." in own and "summary" not in own.replace("summarization", "")
    told = {frame(task=task).instruction for task in Task}
    assert len(told) == len(Task)
    assert "question answering" in frame(task=Task.QUESTION_ANSWERING).instruction


def test_files_are_shown_and_calls_are_read() -> None:
    picture = {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}}
    call = {"functionCall": {"name": "weather", "args": {}}}
    low = {"mediaResolution": "MEDIA_RESOLUTION_LOW", "topK": 3}
    prompt: list[dict[str, Any]] = [
        {"role": "user", "parts": [{"text": "what is "}, picture, {"text": "this?"}]},
        {"role": "model", "parts": [call]},
    ]
    sent = frame().call(
        "n",
        example(*prompt, turn("user", "and?"), tools=[{"functionDeclarations": []}], generationConfig=low),
        ["a", "b"],
    )
    (content,) = sent.body["contents"]
    before, shown, after = content["parts"]
    assert shown == picture and before["text"].endswith("what is ") and after["text"].startswith("this?\n[model]\n")
    assert '{"functionCall":{"args":{},"name":"weather"}}' in after["text"]
    assert between("functions-of-the-models", before["text"]) == ['[{"functionDeclarations":[]}]']
    assert "tools" not in sent.body, "the judge is to call none"
    settings = sent.body["generationConfig"]
    assert settings["mediaResolution"] == "MEDIA_RESOLUTION_LOW" and "topK" not in settings, "as the models saw them"


def test_what_is_counted_is_all_but_the_material() -> None:
    for made, count in ((frame(), 2), (grading(Task.CHAT, Judge(), "gemini-2.5-flash"), 1)):
        answers = ["x" * 7] * count
        body = made.call("n", example(turn("user", "x" * 7), references=("x" * 7,)), answers).body
        assert made.bare["systemInstruction"] == body["systemInstruction"]
        bare, text = made.bare["contents"][0]["parts"][0]["text"], body["contents"][0]["parts"][0]["text"]
        assert len(bare) == len(text) - 7 * (2 + count)
        assert made.longest["contents"][0]["parts"][0]["text"] in made.choices
