"""Which value of an enum the stand-in chooses, for judges and for plain questions."""

import pytest

from vertex_emulator.standin import StandIn, choose
from vertex_emulator.standin.sections import cut_sections

REFERENCE = "The store opens at nine and closes at six on weekdays."
GOOD = "It opens at nine and closes at six on weekdays."
BAD = "Please contact our support team for details."
JUDGES = {
    "headings": "Which is better?\n\nRequest:\nWhen is it open?\n\nReference answer:\n{r}\n\nAnswer A:\n{a}\n\n"
    "Answer B:\n{b}\n\nWhich answer is better? Reply with A, B or TIE.",
    "lines": "Question: When is it open?\nReference: {r}\nA: {a}\nB: {b}\nReply A, B or TIE.",
    "tags": "<question>\nWhen is it open?\n</question>\n<reference>\n{r}\n</reference>\n<answer_A>\n{a}\n</answer_A>\n"
    "<answer_B>\n{b}\n</answer_B>\nA, B or TIE?",
    "marks": "<request-1f2e3d4c5b6a7988>\nWhen is it open?\n</request-1f2e3d4c5b6a7988>\n\n"
    "<reference-1f2e3d4c5b6a7988>\n{r}\n</reference-1f2e3d4c5b6a7988>\n\n"
    "<answer-A-1f2e3d4c5b6a7988>\n{a}\n</answer-A-1f2e3d4c5b6a7988>\n\n"
    "<answer-B-1f2e3d4c5b6a7988>\n{b}\n</answer-B-1f2e3d4c5b6a7988>\n\nA, B or TIE?",
    "brackets": "When is it open?\n\n[Reference]\n{r}\n\n[A]\n{a}\n\n[B]\n{b}\n\nVerdict (A, B or TIE):",
    "assistants": "[User Question]\nWhen?\n\n[Reference]\n{r}\n[The Start of Assistant A's Answer]\n{a}\n"
    "[The End of Assistant A's Answer]\n\n[The Start of Assistant B's Answer]\n{b}\n[The End of Assistant B's Answer]",
    "markdown": "## Question\nWhen is it open?\n## Reference\n{r}\n## Answer A\n{a}\n## Answer B\n{b}\n\nA or B?",
    "bold": "**Reference:** {r}\n\n**Answer A:** {a}\n\n**Answer B:** {b}\n\nIs A or B better, or is it a TIE?",
    "no reference": "Article: {r} It sells tools.\n\nSummary A:\n{a}\n\nSummary B:\n{b}\n\nWhich is better, A or B?",
}
MODEL = StandIn.base()


@pytest.mark.parametrize("form", JUDGES.values(), ids=list(JUDGES))
def test_the_better_answer_is_found_in_either_place(form: str) -> None:
    def judge(a: str, b: str) -> str:
        return choose(MODEL, "", [("user", form.format(r=REFERENCE, a=a, b=b))], ("A", "B", "TIE"))

    assert [judge(GOOD, BAD), judge(BAD, GOOD), judge(GOOD, GOOD)] == ["A", "B", "TIE"]


def test_without_a_word_for_it_there_is_no_tie() -> None:
    prompt = JUDGES["headings"].format(r=REFERENCE, a=GOOD, b=GOOD)
    assert choose(MODEL, "", [("user", prompt)], ("A", "B")) == "A"


def test_parts_end_where_the_next_begins() -> None:
    sections = cut_sections(JUDGES["headings"].format(r=REFERENCE, a=GOOD, b=BAD), ("A", "B", "TIE"))
    assert (sections.named, sections.reference) == ({"A": GOOD, "B": BAD}, REFERENCE)
    assert "Which answer is better?" in sections.rest and "When is it open?" in sections.rest


def test_an_answer_may_have_labels_and_articles_of_its_own() -> None:
    answer = "A good store.\nAddress: High Street 1\n\nA second paragraph: it is open."
    sections = cut_sections(f"Answer A:\n{answer}\n\nAnswer B:\n{BAD}", ("A", "B"))
    assert sections.named == {"A": answer.replace("\n\n", "\n"), "B": BAD}


def test_no_answer_is_worse_than_one() -> None:
    prompt = JUDGES["headings"].format(r=REFERENCE, a="", b=GOOD)
    assert choose(MODEL, "", [("user", prompt)], ("A", "B", "TIE")) == "B"


def test_values_of_several_words_name_parts_too() -> None:
    prompt = f"Expected: {REFERENCE}\n\nOption model one:\n{BAD}\n\nOption model two:\n{GOOD}"
    assert choose(MODEL, "", [("user", prompt)], ("model one", "model two")) == "model two"


def test_grades_are_numbers_in_their_order() -> None:
    def grade(answer: str) -> str:
        prompt = f"Grade the answer from 1 to 10.\n\nReference: {REFERENCE}\n\nAnswer: {answer}\n\nGrade:"
        return choose(MODEL, "", [("user", prompt)], [str(value) for value in range(10, 0, -1)])

    assert grade(BAD) == "1" and grade(REFERENCE) == "10"
    assert 1 < int(grade("It opens at nine.")) < int(grade(GOOD)) < 10


def test_plain_questions_are_answered_with_the_nearest_value() -> None:
    values = ("refund wanted", "delivery late", "praise")
    asked = [("user", "My parcel has not arrived, where is the delivery?")]
    assert choose(MODEL, "Classify the message.", asked, values) == "delivery late"
    assert choose(MODEL, "", [("user", "")], values) in values
