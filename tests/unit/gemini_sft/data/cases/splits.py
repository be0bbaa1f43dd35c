"""Labels, sizes of splits, what stands in two of them, and what stands in the prompt."""

from typing import Any

from tests.unit.gemini_sft.data.cases.case import GOOD, NO_TRAIN, Case, case, chat, contents, jsonl, pair

_AB = jsonl(*({"text": f"text {number}", "label": "AB"[number % 2]} for number in range(4)))
_TEST = jsonl({"text": "one", "label": "A"}, {"text": "two", "label": "B"})
_WORDLESS = "has no right answer that the metrics can read: evaluation.tokenizer is ascii"
_STORY = (
    "The old lighthouse on the northern cape was built in 1874 by a company of Norwegian engineers, "
    "who carried every stone of it up the cliff with a small steam winch and four tired horses. In the winter of 1911 "
    "its keeper saved the whole crew of a whaling ship, and a plate of brass beside the door still gives their names."
)
_ALMOST = _STORY.replace("four tired", "five tired")
_PAGED = {"group": "page"}
_ASK = "What is the capital of the Republic of Burkina Faso?"


def label(name: str, train: bytes, test: bytes, *found: tuple[str, int | str, str], **more: Any) -> Case:
    """Returns a case with the task classification."""
    return case(f"labels: {name}", train, *found, task="classification", others={"test.jsonl": test}, **more)


def labelled(text: str, name: Any) -> bytes:
    """Returns one line with a text and its label."""
    return jsonl({"text": text, "label": name})


def pairs(name: str, train: bytes, test: bytes, *found: tuple[str, int | str, str], **more: Any) -> Case:
    """Returns a case with train and test."""
    return case(name, train, *found, **({"others": {"test.jsonl": test}} | more))


LABELS: list[Case] = [
    label(
        "one that train does not have",
        _AB,
        _TEST + labelled("three", "C"),
        ("label", "test.jsonl:3", "has the label 'C', which is none of 'A', 'B'"),
    ),
    label(
        "one that is not declared",
        _AB + labelled("more", "C"),
        _TEST,
        ("label", 5, "has the label 'C', which is none of 'A', 'B'"),
        data={"labels": ["A", "B"]},
    ),
    label(
        "one that is not declared, to be dropped",
        _AB + labelled("more", "C"),
        _TEST,
        ("label", 5, "has the label 'C', which is none of 'A', 'B'"),
        data={"labels": ["A", "B"], "policy": {"label": "drop"}},
    ),
    label(
        "another case",
        _AB + labelled("more", "a"),
        _TEST,
        ("label_spelling", 5, "has the label 'a' where others have 'A'"),
    ),
    label(
        "a blank behind it",
        _AB,
        _TEST + labelled("three", "B "),
        ("label_spelling", "test.jsonl:3", "has the label 'B ' where others have 'B'"),
    ),
    label(
        "another case than declared",
        _AB,
        _TEST,
        *(("label_spelling", place, "has the label 'B' where others have 'b'") for place in (2, 4, "test.jsonl:2")),
        *(("missing_class", split, "has no example of 'b'") for split in ("train", "test")),
        data={"labels": ["A", "b"]},
    ),
    label(
        "a letter in two encodings",
        _AB + labelled("c", "caf\u00e9") + labelled("d", "cafe\u0301"),
        _TEST + labelled("e", "caf\u00e9"),
        ("label_spelling", 6, "has the label 'cafe\u0301' where others have 'caf\u00e9'"),
    ),
    label(
        "only one",
        labelled("a", "A") + labelled("b", "A"),
        labelled("c", "A"),
        ("single_class", "train", "has only the label 'A'"),
    ),
    label("one that test does not have", _AB, labelled("c", "A"), ("missing_class", "test", "has no example of 'B'")),
    label(
        "one that is declared and stands nowhere",
        _AB,
        _TEST,
        ("missing_class", "train", "has no example of 'C', 'D'"),
        ("missing_class", "test", "has no example of 'C', 'D'"),
        data={"labels": ["A", "B", "C", "D"]},
    ),
    case(
        "labels: one that validation does not have",
        _AB,
        ("missing_class", "validation", "has no example of 'A'"),
        task="classification",
        others={"test.jsonl": _TEST, "validation.jsonl": labelled("x", "B")},
    ),
]

SPLITS: list[Case] = [
    pairs(
        "few examples",
        jsonl(*(pair(f"a{number}", str(number)) for number in range(7))),
        jsonl(pair("x"), pair("y")),
        ("too_few_examples", "train", "has 7 examples: 100 are advised at least"),
        ("too_few_examples", "test", "has 2 examples: 30 are advised at least"),
        limits={"FEW_TRAIN": 100, "FEW_TEST": 30},
    ),
    pairs(
        "one example",
        jsonl(pair("a")),
        jsonl(pair("x")),
        ("too_few_examples", "train", "has 1 example: 100 are advised at least"),
        limits={"FEW_TRAIN": 100},
    ),
    pairs(
        "more examples than are allowed",
        jsonl(pair("a"), pair("b"), pair("c")),
        jsonl(pair("x")),
        ("too_many_examples", "train", "has 3 examples: at most 2 are allowed"),
        limits={"MAX_TEXT_EXAMPLES": 2},
    ),
    pairs(
        "a larger file than is allowed",
        jsonl(pair("a" * 9000)),
        jsonl(pair("x" * 9000)),
        ("file_size", "train", "has 0.00 GB: at most 0 are allowed"),
        limits={"MAX_TRAIN_BYTES": 9000},
    ),
    pairs("an empty test split", jsonl(GOOD), b"", ("empty_split", "test", "has no example that can be used")),
    case(
        "more validation examples than are taken",
        jsonl(GOOD),
        ("validation_cap", "validation", "has 1,001 examples, of which 1,000 are kept"),
        others={"validation.jsonl": jsonl(*(pair(f"v{number}") for number in range(1001)))},
    ),
    pairs(
        "the same target nearly everywhere",
        jsonl(*(pair(f"a{number}", "no" if number < 4 else "yes") for number in range(10))),
        jsonl(*(pair(f"x{number}", "no") for number in range(11))),
        ("identical_targets", "train", "has the same target in 6 of 10 examples"),
        ("identical_targets", "test", "has the same target in 11 of 11 examples"),
    ),
    pairs(
        "several system instructions",
        jsonl(chat("a", system="Be kind."), chat("b", system="Be kind."), chat("c", system="Be brief."), chat("d")),
        jsonl(chat("x", system="Be kind."), chat("y", system="Be brief.")),
        (
            "system_instruction",
            "train",
            "has 3 system instructions: 2 of 4 examples lack the usual one",
        ),
        ("system_instruction", "test", "has 2 system instructions: 1 of 2 examples lack the usual one"),
    ),
    pairs(
        "another system instruction in test",
        jsonl(chat("a", system="Be kind.")),
        jsonl(chat("x"), chat("y")),
        ("system_instruction", "test", "has 1 system instruction: 2 of 2 examples lack the usual one"),
    ),
    pairs(
        "a text that is too long",
        jsonl(pair("a" * 524_300), GOOD),
        jsonl(pair("x")),
        ("too_long", 1, "has about 131,098 tokens: at most 131,072 are allowed"),
    ),
    pairs(
        "a text that is too long, and a strict policy",
        jsonl(pair("a" * 524_300), GOOD),
        jsonl(pair("x")),
        ("too_long", 1, "has about 131,098 tokens: at most 131,072 are allowed"),
        data={"policy": {"too_long": "error"}},
    ),
    pairs(
        "test answers that the metrics cannot read",
        jsonl(GOOD, pair("w", "東京")),
        jsonl(pair("x", "東京"), pair("y", "Tokyo は"), pair("z", "…")),
        ("unreadable_target", "test.jsonl:1", _WORDLESS),
        ("unreadable_target", "test.jsonl:3", _WORDLESS),
    ),
    pairs(
        "a test answer that the metrics cannot read, to be dropped",
        jsonl(GOOD),
        jsonl(pair("x", "東京"), pair("y")),
        ("unreadable_target", "test.jsonl:1", _WORDLESS),
        data={"policy": {"unreadable_target": "drop"}},
    ),
]

ACROSS: list[Case] = [
    case(
        "an example three times",
        jsonl(pair("a"), pair("b"), pair("a"), pair("a")),
        ("duplicate", 3, "is train.jsonl:1 again"),
        ("duplicate", 4, "is train.jsonl:1 again"),
    ),
    case(
        "an example twice in test, to be kept",
        jsonl(GOOD),
        ("duplicate", "test.jsonl:2", "is test.jsonl:1 again"),
        others={"test.jsonl": jsonl(pair("x"), pair("x"))},
        data={"policy": {"duplicate": "warn"}},
    ),
    pairs(
        "an example in train and test",
        jsonl(GOOD, pair("a")),
        jsonl(pair("x"), pair("a", "no")),
        ("leak", 2, "has the prompt of test.jsonl:2 in test"),
    ),
    pairs(
        "a prompt in train and test that differs by case and space",
        jsonl(GOOD, pair("Hello  World\n")),
        jsonl(pair("hello world")),
        ("leak", 2, "has the prompt of test.jsonl:1 in test"),
    ),
    pairs(
        "a prompt in train and test, to be dropped",
        jsonl(pair("a")),
        jsonl(pair("a")),
        ("leak", 1, "has the prompt of test.jsonl:1 in test"),
        NO_TRAIN,
        data={"policy": {"leak": "drop"}},
    ),
    case(
        "a prompt in all splits",
        jsonl(pair("a")),
        ("leak", 1, "has the prompt of test.jsonl:1 in test"),
        ("leak", "validation.jsonl:1", "has the prompt of test.jsonl:1 in test"),
        others={"validation.jsonl": jsonl(pair("a")), "test.jsonl": jsonl(pair("a"))},
    ),
    case(
        "a prompt in train and validation",
        jsonl(pair("b"), pair("a")),
        ("leak", 2, "has the prompt of validation.jsonl:1 in validation"),
        others={"validation.jsonl": jsonl(pair("a"))},
    ),
    pairs(
        "a conversation in train and test that begins the same way",
        jsonl(contents(("user", "a"), ("model", "b"), ("user", "c"), ("model", "d"))),
        jsonl(
            contents(("user", "a"), ("model", "b")),
            contents(("user", "a"), ("model", "b"), ("user", "c"), ("model", "e")),
        ),
        ("leak", 1, "has the prompt of test.jsonl:2 in test"),
    ),
    case(
        "a prompt with two targets",
        jsonl(pair("a", "yes"), pair("b"), pair("A ", "no"), pair("a", "maybe")),
        ("conflict", 3, "has the prompt of train.jsonl:1, and another target"),
        ("conflict", 4, "has the prompt of train.jsonl:1, and another target"),
    ),
    case(
        "a prompt with two targets, to be dropped",
        jsonl(pair("a", "yes"), pair("a", "no")),
        ("conflict", 2, "has the prompt of train.jsonl:1, and another target"),
        data={"policy": {"conflict": "drop"}},
    ),
    case(
        "almost the same prompt",
        jsonl(pair(_STORY), GOOD, pair(_ALMOST)),
        ("near_duplicate", 3, "has almost the prompt of train.jsonl:1 (about 93% alike)"),
    ),
    pairs(
        "almost the same prompt in test",
        jsonl(GOOD, pair(_STORY)),
        jsonl(pair(_ALMOST)),
        ("near_leak", 2, "has almost the prompt of test.jsonl:1 in test (about 93% alike)"),
    ),
    pairs(
        "a group in two splits",
        jsonl(pair("a", page=1), pair("b", page=2)),
        jsonl(pair("x", page=3), pair("y", page=2)),
        ("group_leak", 2, "has the page of test.jsonl:2 in test"),
        data=_PAGED,
    ),
    pairs(
        "a group in two splits, to be dropped",
        jsonl(pair("a", page=1), pair("b", page=2)),
        jsonl(pair("y", page=2)),
        ("group_leak", 2, "has the page of test.jsonl:1 in test"),
        data=_PAGED | {"policy": {"group_leak": "drop"}},
    ),
    pairs(
        "a slice that test does not have",
        jsonl(pair("a", lang="de")),
        jsonl(pair("x", page=3)),
        (
            "slice",
            "test",
            "has no 'lang' in any record, which data.slices names (there are 'completion', 'page', 'prompt')",
        ),
        data={"slices": ["lang"]},
    ),
    pairs(
        "a slice that is misspelt",
        jsonl(chat("a") | {"language": "de"}),
        jsonl(chat("x") | {"language": None}),
        ("slice", "train", "has no 'langauge' in any record, which data.slices names (did you mean 'language'?)"),
        ("slice", "test", "has no 'langauge' in any record, which data.slices names (did you mean 'language'?)"),
        ("unknown_key", 1, "has the key 'language', which is not used"),
        ("unknown_key", "test.jsonl:1", "has the key 'language', which is not used"),
        data={"slices": ["langauge"]},
    ),
    pairs(
        "a slice that is no text",
        jsonl(pair("a", lang="de"), pair("b", lang=["de"])),
        jsonl(pair("x", lang="de")),
        ("columns", 2, "has no text in the column 'lang'"),
        data={"slices": ["lang"]},
    ),
]

PROMPT: list[Case] = [
    pairs(
        "a test prompt in the system instruction",
        jsonl(GOOD),
        jsonl(pair("x"), pair(_ASK, "Ouagadougou")),
        ("few_shot_leak", "test.jsonl:2", "has a prompt that stands in the system instruction"),
        prompt={"system_instruction": f"Answer like this:\n\n{_ASK}\nOuagadougou"},
    ),
    pairs(
        "a test prompt in a system instruction of train",
        jsonl(chat("a", system=f"Answer. Q: {_ASK} A: Ouagadougou.")),
        jsonl(chat(_ASK, "Ouagadougou", system=f"Answer. Q: {_ASK} A: Ouagadougou.")),
        ("few_shot_leak", "test.jsonl:1", "has a prompt that stands in the system instruction"),
    ),
    case(
        "a key in the system instruction",
        jsonl(GOOD),
        ("secret", "prompt.system_instruction", "seems to hold a secret: AWS access key id"),
        prompt={"system_instruction": "Use the key\n" + "AKIA" + "QYLPMN5HHHFPZAM2"},
        secrets=("QYLPMN5HHHFPZAM2",),
    ),
]
