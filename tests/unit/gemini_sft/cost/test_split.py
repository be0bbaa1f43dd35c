import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.cost import split
from gemini_sft.cost.cache import TokenCache
from gemini_sft.cost.split import SplitCount, TokenCount, count_split
from gemini_sft.cost.tokens import CountRequest
from gemini_sft.data.example import turn
from tests.unit.gemini_sft.cost.conftest import Counter, Record, record, words, write_split

MODEL = "gemini-2.5-flash"


def count(
    uri: str,
    cache: TokenCache,
    exact_count: int = 1000,
    seed: int = 0,
    longest: int = 131072,
    max_output_tokens: int | None = None,
) -> SplitCount:
    return count_split(
        "p",
        "us-central1",
        MODEL,
        uri,
        cache,
        exact_count=exact_count,
        seed=seed,
        max_example_tokens=longest,
        max_output_tokens=max_output_tokens,
    )


def exactly(examples: int, tokens: int) -> TokenCount:
    return TokenCount(examples=examples, counted=examples, tokens=tokens, error=0)


def test_prompts_answers_and_their_sum(counter: Counter, cache: TokenCache, tmp_path: Path) -> None:
    uri = write_split(tmp_path / "s", [record("a b c", "x y", system="be kind"), record("d", "z")])
    counted = count(uri, cache)
    assert counted.prompts == exactly(2, 3 + 2 + 1)
    assert counted.answers == exactly(2, 2 + 1)
    assert counted.total == exactly(2, 9)
    assert counted.too_long == [] and counted.conversations == 0


def test_tools_count_and_strange_keys_do_not(counter: Counter, cache: TokenCache, tmp_path: Path) -> None:
    tools = [{"functionDeclarations": [{"name": "weather", "description": "of the day"}]}]
    uri = write_split(tmp_path / "s", [record("a", "x") | {"tools": tools, "httpOptions": {"timeout": 1}}])
    assert count(uri, cache).prompts.tokens == words(record("a", "x") | {"tools": tools}) - 1 > 1


def test_a_function_call_that_is_wanted_counts_as_its_json(counter: Counter, cache: TokenCache, tmp_path: Path) -> None:
    call = {"functionCall": {"name": "weather", "args": {"city": "New York"}}}
    wanted: Record = {"contents": [turn("user", "a"), {"role": "model", "parts": [call]}]}
    assert count(write_split(tmp_path / "s", [wanted]), cache).answers.tokens == 2
    assert any('"New York"' in text for text in counter.texts)


def test_every_turn_but_the_last_is_sent(counter: Counter, cache: TokenCache, tmp_path: Path) -> None:
    turns = [turn("user", "a b"), turn("model", "x"), turn("user", "c"), turn("model", "y y y")]
    counted = count(write_split(tmp_path / "s", [{"contents": turns}, record("d", "z")]), cache)
    assert (counted.prompts.tokens, counted.answers.tokens, counted.total.tokens) == (5, 4, 9)
    assert counted.conversations == 1
    assert all(body["contents"][-1]["role"] == "user" for _, body in counter.calls)


def test_identical_turns_are_counted_once(counter: Counter, cache: TokenCache, tmp_path: Path) -> None:
    uri = write_split(tmp_path / "s", [record(f"q{number % 3}", "yes" if number % 2 else "no") for number in range(60)])
    assert count(uri, cache).total == exactly(60, 120)
    assert counter.texts == ["no", "q0", "q1", "q2", "yes"]


def test_answers_are_cut_and_training_is_not(counter: Counter, cache: TokenCache, tmp_path: Path) -> None:
    counted = count(write_split(tmp_path / "s", [record("q", "a b c d"), record("q", "a")]), cache, max_output_tokens=3)
    assert counted.answers == exactly(2, 3 + 1) and counted.total == exactly(2, 5 + 2)


def test_examples_that_are_too_long_are_named(counter: Counter, cache: TokenCache, tmp_path: Path) -> None:
    uri = write_split(tmp_path / "s", [record("a b", "x"), record("a b c", "x"), record("a b", "x y")])
    assert count(uri, cache, longest=3).too_long == ["e1", "e2"]


def test_no_examples(counter: Counter, cache: TokenCache, tmp_path: Path) -> None:
    assert count(write_split(tmp_path / "s", []), cache).total == exactly(0, 0) and counter.calls == []


def test_a_large_split_is_estimated(counter: Counter, cache: TokenCache, tmp_path: Path) -> None:
    generator = random.Random(1)
    lengths = [generator.randrange(5, 40) for _ in range(300)]
    records = [record(f"q{number} " + "a " * (length - 1), "x y") for number, length in enumerate(lengths)]
    uri = write_split(tmp_path / "s", records)
    counted = count(uri, cache, exact_count=50)
    assert (counted.total.examples, counted.total.counted) == (300, 50)
    assert len(counter.calls) == 51, "and one target"
    assert counted.answers == TokenCount(examples=300, counted=50, tokens=600, error=0), "that are all alike"
    truth = sum(lengths) + 600
    assert 0 < counted.total.error < truth / 5 and abs(counted.total.tokens - truth) <= 2 * counted.total.error
    assert counted.prompts.error == counted.total.error
    assert count(uri, cache, exact_count=50, seed=1) != counted
    assert count(uri, cache, exact_count=300).total == exactly(300, truth)


def fake(project: str, location: str, model: str, requests: Sequence[CountRequest], cache: TokenCache) -> list[int]:
    return [words(request.body) for request in requests]


RECORDS = st.builds(record, st.text(" ab", max_size=20), st.text(" ab", max_size=9), st.sampled_from(["", "be kind"]))


@given(st.lists(RECORDS, max_size=12).flatmap(lambda made: st.tuples(st.just(made), st.permutations(made))))
@settings(deadline=None, max_examples=40)
def test_the_order_of_lines_changes_nothing(orders: tuple[list[Record], list[Record]]) -> None:
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(split, "count_tokens", fake):
        cache = TokenCache(f"{folder}/c.json")
        one, other = (
            count(write_split(Path(folder) / name, made), cache) for name, made in zip("ab", orders, strict=True)
        )
    assert one == other and one.total.tokens == sum(words(made) for made in orders[0])
