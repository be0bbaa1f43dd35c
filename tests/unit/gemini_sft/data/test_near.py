import itertools
import random
import string
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.data import near
from gemini_sft.data.near import SHORTEST, Near, Sketch, join, near_duplicates, sketch

_RANDOM = random.Random(20261122)
_VOCABULARY = ["".join(_RANDOM.choices(string.ascii_lowercase, k=_RANDOM.randint(2, 10))) for _ in range(2000)]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    _RANDOM.seed(20261122)  # each test has its own data, whichever run before it


def _words(count: int) -> list[str]:
    return _RANDOM.choices(_VOCABULARY, k=count)


def _text(words: Iterable[str]) -> bytes:
    return "".join(words).encode()


def _changed(words: list[str], times: int = 1) -> list[str]:
    """Other words in some places."""
    other = list(words)
    for at in _RANDOM.sample(range(len(words)), times):
        other[at] = _RANDOM.choice(_VOCABULARY) + "x"
    return other


def _added(words: list[str]) -> list[str]:
    at = _RANDOM.randrange(len(words))
    return words[:at] + _words(6) + words[at:]


def _pairs(found: list[Near]) -> set[tuple[int, int]]:
    return {(one.first, one.second) for one in found}


def _clusters(found: list[Near], names: list[int]) -> set[frozenset[int]]:
    """The texts that pairs connect, by name."""
    groups = {name: {name} for name in names}
    for one in found:
        joined = groups[names[one.first]] | groups[names[one.second]]
        groups.update(dict.fromkeys(joined, joined))
    return {frozenset(group) for group in groups.values() if len(group) > 1}


@pytest.mark.parametrize(
    "edit",
    [_changed, _added, lambda words: _words(5) + words, lambda words: words + _words(5)],
    ids=["word", "sentence", "prefix", "suffix"],
)
def test_planted_near_duplicates_are_found_and_nothing_else(edit: Callable[[list[str]], list[str]]) -> None:
    originals = [_words(100) for _ in range(500)]
    texts = [_text(words) for words in originals] + [_text(edit(words)) for words in originals[:400]]
    found = near_duplicates(sketch(texts))
    planted = {(row, 500 + row) for row in range(400)}
    assert _pairs(found) <= planted
    assert len(found) >= 0.95 * len(planted)
    assert [one.second for one in found] == sorted(one.second for one in found)
    assert all(0.8 <= one.similarity <= 1 for one in found)


def test_the_similarity_estimates_the_share_of_common_windows() -> None:
    originals = [_words(150) for _ in range(200)]
    texts = [_text(words) for words in originals] + [_text(_changed(words, 2)) for words in originals]
    errors = []
    for one in near_duplicates(sketch(texts), threshold=0.5):
        left, right = (
            {text[at : at + 16] for at in range(len(text) - 15)} for text in (texts[one.first], texts[one.second])
        )
        errors.append(one.similarity - len(left & right) / len(left | right))
    assert len(errors) == 200
    assert abs(np.mean(errors)) < 0.01
    assert np.std(errors) < 0.06


@pytest.mark.parametrize("vocabulary", [50, 2000])
@pytest.mark.parametrize("count", [12, 40, 170])
def test_unrelated_texts_of_one_vocabulary_are_not_reported(vocabulary: int, count: int) -> None:
    texts = [_text(_RANDOM.choices(_VOCABULARY[:vocabulary], k=count)) for _ in range(2000)]
    assert near_duplicates(sketch(texts)) == []


@pytest.mark.parametrize("rows", [2, 12, 21, 500])
@pytest.mark.parametrize(("template", "own"), [(400, 400), (1500, 600)])
def test_a_shared_template_makes_no_near_duplicates(rows: int, template: int, own: int) -> None:
    half = [_text(_words(300))[: template // 2] for _ in range(2)]
    texts = [half[0] + _text(_words(300))[:own] + half[1] for _ in range(rows)]
    assert near_duplicates(sketch(texts)) == []


def test_a_template_that_is_nearly_all_of_the_text_makes_no_near_duplicates_either() -> None:
    template = _text(_words(700))
    assert near_duplicates(sketch([template + _text(_words(20)) for _ in range(100)])) == []


def test_near_duplicates_in_the_same_template_are_found_by_what_is_their_own() -> None:
    template = _text(_words(80))
    originals = [_words(160) for _ in range(300)]
    texts = [template + _text(words) for words in originals + [_changed(words) for words in originals[:100]]]
    pairs = _pairs(near_duplicates(sketch(texts)))
    assert pairs <= {(row, 300 + row) for row in range(100)}
    assert len(pairs) >= 95


def test_near_duplicates_are_found_among_texts_put_together_from_the_same_passages() -> None:
    """Every window of such a text stands first in some other text, yet no other text is like it."""
    passages = [_words(30) for _ in range(1000)]
    originals = [list(itertools.chain(*_RANDOM.sample(passages, 5))) for _ in range(2000)]
    texts = [_text(words) for words in originals] + [_text(_changed(words)) for words in originals[:200]]
    pairs = _pairs(near_duplicates(sketch(texts)))
    assert pairs <= {(row, 2000 + row) for row in range(200)}
    assert len(pairs) >= 190


def test_a_cluster_of_fifty_among_many_is_found() -> None:
    original = _words(100)
    texts = [_text(_words(100)) for _ in range(5500)]
    members = sorted(_RANDOM.sample(range(len(texts)), 50))
    for row in members:
        texts[row] = _text(_changed(original))
    found = near_duplicates(sketch(texts))
    assert {row for pair in _pairs(found) for row in pair} <= set(members)
    assert {one.second for one in found} <= set(members[1:])
    assert len(found) >= 0.9 * 49


def test_a_small_data_set_of_texts_all_nearly_the_same_is_found() -> None:
    original = _words(200)
    found = near_duplicates(sketch([_text(_changed(original)) for _ in range(12)]))
    assert [one.second for one in found] == list(range(1, 12))


def test_a_cluster_larger_than_the_limit_counts_as_a_template() -> None:
    original = _words(100)
    assert near_duplicates(sketch([_text(_changed(original)) for _ in range(80)])) == []


def test_every_text_is_paired_with_each_other_part_and_its_own() -> None:
    originals = [_words(100) for _ in range(120)]
    copies = [(number, part) for number in range(len(originals)) for part in (0, 0, 1, 2)]
    copies += [(len(originals) + number, number % 3) for number in range(300)]
    originals += [_words(100) for _ in range(300)]
    _RANDOM.shuffle(copies)
    texts = [_text(_changed(originals[number])) for number, _ in copies]
    found = near_duplicates(sketch(texts), np.array([part for _, part in copies], np.uint8), 0.6)
    assert all(copies[one.first][0] == copies[one.second][0] for one in found)
    met: set[tuple[int, int]] = set()
    for one in found:
        met |= {(one.first, copies[one.second][1]), (one.second, copies[one.first][1])}
    wanted = {
        (row, part)
        for row, (number, home) in enumerate(copies)
        for part in (0, 1, 2)
        if number < 120 and (part == 0 or part != home)
    }
    assert met <= wanted
    assert len(met) >= 0.98 * len(wanted)


def test_without_parts_all_texts_are_in_one() -> None:
    texts = [_text(_words(100)) for _ in range(3)] * 2
    assert near_duplicates(sketch(texts)) == near_duplicates(sketch(texts), np.full(6, 7, np.uint8))
    assert _pairs(near_duplicates(sketch(texts))) == {(0, 3), (1, 4), (2, 5)}


def test_of_equally_similar_partners_the_earliest_is_reported() -> None:
    same = _text(_words(100))
    assert near_duplicates(sketch([same] * 4)) == [Near(0, row, 1.0) for row in (1, 2, 3)]


def test_short_texts_are_compared_down_to_the_lower_limit() -> None:
    texts = [_text(_words(40))[:SHORTEST] for _ in range(50)]
    pairs = _pairs(near_duplicates(sketch(texts + [text + b"!!" for text in texts])))
    assert pairs == {(row, 50 + row) for row in range(50)}
    shorter = [text[:-1] for text in texts]
    assert not sketch(shorter).counts.any()
    assert near_duplicates(sketch(shorter * 2)) == []


def test_text_that_is_not_ascii() -> None:
    letters = "あいうえおかきくけこさしすせそたちつてとなにぬねの漢字仮名交文章例題解答記録質問要約翻訳東京大阪"
    originals = ["".join(_RANDOM.choices(letters, k=300)) for _ in range(200)]
    texts = [text.encode() for text in originals] + [(text[:150] + "é" + text[151:]).encode() for text in originals]
    pairs = _pairs(near_duplicates(sketch(texts)))
    assert pairs <= {(row, 200 + row) for row in range(200)}
    assert len(pairs) >= 190


def test_a_text_that_repeats_itself_is_sampled_more_densely() -> None:
    texts = [b"ab" * 5000, b"ab" * 6000, b"a" * 5000, _text(_words(12)) * 300]
    made = sketch(texts)
    assert made.counts.all()
    assert made.counts.tolist()[:3] == [2, 2, 1]
    assert near_duplicates(made) == [Near(0, 1, 1.0)]


def test_nothing_to_compare() -> None:
    assert near_duplicates(sketch([])) == near_duplicates(join([])) == []
    assert near_duplicates(sketch([b"", _text(_words(100)), b""])) == []


@settings(deadline=None, max_examples=200)
@given(
    st.one_of(
        st.binary(min_size=SHORTEST, max_size=600),
        st.tuples(st.binary(min_size=1, max_size=40), st.integers(60, 300)).map(lambda parts: parts[0] * parts[1]),
    )
)
def test_identical_texts_have_similarity_one(text: bytes) -> None:
    assert near_duplicates(sketch([text, text])) == [Near(0, 1, 1.0)]
    assert near_duplicates(sketch([text, text]), np.array([0, 1], np.uint8)) == [Near(0, 1, 1.0)]


def test_in_another_order_the_same_clusters_and_similarities_are_found() -> None:
    """What holds if the texts of a cluster are all near each other: which of them are paired is left to the order."""
    originals = [_words(150) for _ in range(100)]
    texts = [_text(_changed(words)) for number, words in enumerate(originals) for _ in range(2 + number % 3)]
    texts += [_text(_words(150)) for _ in range(300)]
    names = list(range(len(texts)))
    pairs, clusters = [], []
    for _ in range(3):
        found = near_duplicates(sketch([texts[name] for name in names]), threshold=0.7)
        pairs.append({frozenset((names[one.first], names[one.second])): one.similarity for one in found})
        clusters.append(_clusters(found, names))
        _RANDOM.shuffle(names)
    assert len(clusters[0]) == 100
    assert clusters[0] == clusters[1] == clusters[2]
    assert {sum(sizes.values()) for sizes in [dict.fromkeys(one, 1) for one in pairs]} == {len(pairs[0])}
    for other in pairs[1:]:
        assert all(other[pair] == similarity for pair, similarity in pairs[0].items() if pair in other)
        twos = {cluster for cluster in clusters[0] if len(cluster) == 2}
        assert {pair for pair in pairs[0] if pair in twos} == {pair for pair in other if pair in twos} == twos


def _same(left: Sketch, right: Sketch) -> bool:
    return all(
        a.dtype == b.dtype and np.array_equal(a, b)
        for a, b in ((getattr(left, name), getattr(right, name)) for name in ("rows", "hashes", "counts", "limits"))
    )


@settings(deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=300), st.just(b"ab" * 500)), max_size=12), st.data())
def test_the_sketch_of_a_block_is_the_join_of_the_sketches_of_its_pieces(
    texts: list[bytes], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(texts)))
    assert _same(sketch(texts), join([sketch(texts[:cut]), sketch(texts[cut:])]))


def test_blocks_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [_text(_words(count)) for count in range(5, 400)]
    whole = sketch(texts)
    assert whole.n == len(texts)
    assert whole.rows.dtype == np.uint32
    assert np.array_equal(np.bincount(whole.rows, minlength=whole.n), whole.counts)
    monkeypatch.setattr(near, "_BLOCK", 7)
    assert _same(sketch(texts), whole)
    assert _same(join([sketch([text]) for text in texts]), whole)
