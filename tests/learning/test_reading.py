"""Reading prompts: query, offered answers, content."""

import pytest

from tests.learning.toys import user
from vertex_emulator.standin.reading import Page, read_page

LABELS = ("billing", "refund", "technical issue")


def read(text: str, system: str = "") -> Page:
    return read_page(system, user(text))


def sentences(page: Page) -> list[str]:
    return [sentence.text for sentence in page.sentences]


@pytest.mark.parametrize(
    "prompt",
    [
        "Context: Rome is old. It lies on the Tiber.\nQuestion: Where does Rome lie?\nAnswer:",
        "Context: Rome is old. It lies on the Tiber. Question: Where does Rome lie? Answer:",
        "Question: Where does Rome lie?\nContext: Rome is old. It lies on the Tiber.",
        "**Below the context**\nContext: Rome is old. It lies on the Tiber.\n Question: Where does Rome lie?",
        "Use the passage below.\n\nRome is old. It lies on the Tiber.\n\nWhere does Rome lie?",
        "Given this passage:\nRome is old. It lies on the Tiber.\nAnswer the question: Where does Rome lie?",
    ],
)
def test_the_question_is_told_from_its_context(prompt: str) -> None:
    page = read(prompt)
    assert page.query == "Where does Rome lie?"
    assert page.sought == page.query
    assert sentences(page) == ["Rome is old.", "It lies on the Tiber."]


@pytest.mark.parametrize(
    "offer",
    [
        "Classify the ticket: [billing, 'refund', \"technical issue\"]",
        "Classify the ticket into one of these: [billing, refund, technical issue] ",
        "Categories: billing, refund, technical issue",
        "Classify the ticket into one of these classes: billing, refund, technical issue. No comment.",
        "Choose one of the following labels:\n- billing\n- refund\n- technical issue",
        "The labels are:\n1. billing: about money\n2. refund: give it back\n3. technical issue: it broke",
        "Classify the ticket as billing, refund or other.",
    ],
)
@pytest.mark.parametrize("in_system", [True, False])
def test_offered_labels_are_found(offer: str, in_system: bool) -> None:
    ticket = "Text: I was charged twice."
    page = read(ticket, offer) if in_system else read(f"{offer}\n{ticket}")
    expected = ("billing", "refund", "other") if "other" in offer else LABELS
    assert page.entries == expected
    assert sentences(page) == ["I was charged twice."]


@pytest.mark.parametrize(
    "article",
    [
        "There are three types of bread: rye, wheat and sourdough. Each of them keeps for a week.",
        "Take what you need:\n- a hammer\n- a nail\nThen hang the picture on the wall.",
        "She packed three things: a rope, a lamp, a knife. Nobody knew why she did that.",
        "The museum shows many classes of boats and several types: ferries, tugs. It is cheap.",
    ],
)
def test_prose_that_enumerates_offers_no_answers(article: str) -> None:
    assert read(f"{article}\n\nSummarize the article:").entries == ()


def test_an_article_without_question_has_no_query() -> None:
    page = read("Bread is old. It was flat.\nYeast came later.\n\nSummarize the article in one sentence:")
    assert page.query == ""
    assert sentences(page) == ["Bread is old.", "It was flat.", "Yeast came later."]
    assert [(sentence.line, sentence.place, sentence.is_last) for sentence in page.sentences] == [
        (0, 0, False),
        (0, 1, True),
        (1, 0, True),
    ]
    assert page.focus[:3] == ("bread", "is", "old")


def test_steps_of_an_article_are_not_taken_for_instructions() -> None:
    steps = ["Find a quiet place.", "Write a letter every day.", "Use a soft pencil and good paper."]
    text = "\n".join(steps)
    assert sentences(read(f"{text}\n\nProvide a summary of the article in two sentences:")) == steps


def test_the_instruction_says_what_to_look_for_when_nothing_is_asked() -> None:
    page = read("Extract the order number from the message.\nMy order 17 is late.\nInvoice 23 is paid.")
    assert page.query == ""
    assert page.sought == "Extract the order number from the message."


def test_a_list_of_facts_is_read_without_its_bullets_and_labels() -> None:
    page = read("Write two sentences from these notes.\n\nBoat: Swift\n- Hull: oak\n* two masts\n- Built in: Oslo")
    assert sentences(page) == ["Swift", "oak", "two masts", "Oslo"]
    assert [sentence.label for sentence in page.sentences] == ["Boat", "Hull", "", "Built in"]
    assert page.query == ""


def test_a_single_label_at_the_end_marks_the_query() -> None:
    page = read("The boat is called Swift. It is old.\nName of the boat: unknown")
    assert page.query == "unknown"


def test_questions_can_be_left_among_the_content() -> None:
    text = "We need ten chairs. Can you bring them?\nMany thanks"
    assert read(text).query != ""
    page = read_page("", user(text), guess_query=False)
    assert page.query == ""
    assert sentences(page) == ["We need ten chairs.", "Can you bring them?", "Many thanks"]
    labelled = read_page("", user("Question: Who came?\nAnn came."), guess_query=False)
    assert labelled.query == "Who came?"


def test_speakers_make_a_dialogue() -> None:
    page = read("Ann: Will you come?\nBob: No. I am ill.\nAnn: Get well soon.\n\nSummarize the dialogue:")
    assert page.is_dialogue
    assert [sentence.label for sentence in page.sentences] == ["Ann", "Bob", "Bob", "Ann"]
    assert page.query == ""


def test_earlier_turns_are_context() -> None:
    turns = (
        ("user", "I live in Porto. My cat is called Mia."),
        ("model", "How nice."),
        ("user", "What is my cat called?"),
    )
    page = read_page("", turns)
    assert page.query == "What is my cat called?"
    assert sentences(page) == ["I live in Porto.", "My cat is called Mia.", "How nice."]


def test_material_in_the_system_instruction_is_context() -> None:
    system = "You are a polite clerk.\nContext: The shop opens at nine. It is red."
    page = read("When does the shop open?", system)
    assert sentences(page) == ["The shop opens at nine.", "It is red."]


def test_worked_examples_in_the_system_instruction_are_no_context() -> None:
    system = "Answer briefly:\nContext: Paris is big. It is old.\nQuestion: What is big?\nAnswer: Paris"
    page = read("Context: Rome is old. It lies on the Tiber.\nQuestion: Where does Rome lie?", system)
    assert sentences(page) == ["Rome is old.", "It lies on the Tiber."]


def test_abbreviations_do_not_end_sentences() -> None:
    page = read("Dr. Lee met Mrs. Gold in St. Ives. They spoke of J. Smith, i.e. her uncle.\nThe end came.")
    assert len(page.sentences) == 3


def test_boilerplate_is_passed_over() -> None:
    role = "You work at a bank, remember."
    page = read_page("", user(f"{role}\nMy card is lost."), frozenset({role}))
    assert sentences(page) == ["My card is lost."]


def test_text_without_sentence_ends_is_cut() -> None:
    page = read("word " * 1000)
    assert len(page.sentences) == 13
    assert max(len(sentence.text.split()) for sentence in page.sentences) == 80


@pytest.mark.parametrize("text", ["", " \n\t\n", "Answer:", "Summarize the text:"])
def test_almost_nothing_can_be_read(text: str) -> None:
    assert read(text).entries == ()
    assert read_page("", ()).sentences == ()
