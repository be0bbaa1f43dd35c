"""Texts that are almost the same, found without comparing every text with every other.

A text is the set of its 16-byte windows (about three words), two texts resemble each other as much as the Jaccard
similarity of their sets: A. Broder, "On the resemblance and containment of documents", 1997. Windows are sampled by
what they hold, not by where they stand, so the same passage gives the same samples in every text (U. Manber, "Finding
similar files in a large file system", 1994; S. Schleimer et al., "Winnowing", 2003): a text keeps the windows whose
hash is below its own limit, about 36 of them however long it is. Of two texts the lower limit holds for both.

A window that occurs in more than `max(50, 1 %)` of the texts is boilerplate, a prompt's template, and is left out. A
text with too little besides is not compared. So a cluster of near-duplicates is found up to that size; a larger one
counts as a template with a slot, because nothing in the windows tells the two apart.

Which pairs to look at follows from 10 bands of 2 min-hashes each over what is left (banding as in J. Leskovec et al.,
"Mining of Massive Datasets", chapter 3): texts that agree in a band stand in one list. In each list a text is linked
only to the first text of each part and to the nearest one before it, so the pairs grow with the texts and not with the
square of a list. Passages shared by many texts seldom fill a band, near-duplicates fill most. For each text and part
the pairs that most lists propose are then measured on all samples of both texts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHORTEST = 60
"""Bytes of a normalised text below which it is never compared: one changed word would change most of its windows."""
THRESHOLD = 0.8
"""A text has this similarity to itself with one word in thirty changed, one word in a hundred gives 0.93."""

_WINDOW = 16
_SAMPLES = 36
_FEWEST = 8
_COMMON_ROWS, _COMMON_SHARE = 50, 0.01
_BANDS, _BAND_ROWS = 10, 2
_MEASURED = 3
_ALL = 2**32 - 1
_BLOCK = 2**16
_BUCKETS = 2**20
_CHUNK_BYTES, _CHUNK_ROWS = 2**16, 2**10
_ODD = np.random.default_rng(20261122).integers(2**63, 2**64, size=(_BANDS + 1, _BAND_ROWS), dtype=np.uint64) | 1

_Integers = NDArray[np.int64]
_Words = NDArray[np.uint64]
_List = tuple[NDArray[np.uint32], NDArray[np.uint32]]


@dataclass(frozen=True, eq=False)
class Sketch:
    """The sampled windows of n texts.

    Attributes:
        hashes: 48-bit hashes of the windows, each once per text, ascending within it, text after text; shape (N,).
        counts: How many of them each text has, 0 for one that is too short; shape (n,).
        limits: What the upper 32 bits of a text's hashes do not exceed; shape (n,).
    """

    hashes: _Words
    counts: NDArray[np.uint32]
    limits: NDArray[np.uint32]

    @property
    def n(self) -> int:
        """Number of texts."""
        return len(self.counts)

    @property
    def rows(self) -> NDArray[np.uint32]:
        """The text of each hash; shape (N,)."""
        return np.repeat(np.arange(self.n, dtype=np.uint32), self.counts)


@dataclass(frozen=True, slots=True)
class Near:
    """Two texts that are almost the same.

    Attributes:
        first: Row of the one, counted from 0.
        second: Row of the other, above `first`.
        similarity: Estimated Jaccard similarity of their windows; its standard error is 0.06 at 0.8. Equal texts have
            1, but not only they.
    """

    first: int
    second: int
    similarity: float


def sketch(texts: Sequence[bytes]) -> Sketch:
    """Samples the windows of texts; costs about 10 µs per KB and leaves some 300 bytes per text.

    Args:
        texts: Normalised texts: equal bytes for what shall count as equal. Any number, some thousands at once are best.
    """
    if len(texts) > _BLOCK:
        return join([sketch(texts[start : start + _BLOCK]) for start in range(0, len(texts), _BLOCK)])
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    limits = np.minimum(_ALL, (_SAMPLES << 32) // np.maximum(sizes - _WINDOW + 1, 1)).astype(np.uint64)
    rows, found = np.flatnonzero(sizes >= SHORTEST), [np.empty(0, np.uint64)]
    while len(rows):
        keys = _sample(texts, sizes, limits, rows)
        owners = (keys >> 48).astype(np.int64)
        # A text that repeats itself has few different windows: it is sampled again, more densely.
        poor = (np.bincount(owners, minlength=len(texts)) < _FEWEST) & (limits < _ALL)
        found.append(keys[~poor[owners]])
        rows = rows[poor[rows]]
        limits[rows] = np.minimum(_ALL, limits[rows] * 8)
    keys = np.sort(np.concatenate(found)) if len(found) > 2 else found[-1]
    counts = np.bincount((keys >> 48).astype(np.int64), minlength=len(texts))
    return Sketch(keys & np.uint64(2**48 - 1), counts.astype(np.uint32), limits.astype(np.uint32))


def join(sketches: Sequence[Sketch]) -> Sketch:
    """Returns the sketch of all texts, in the order given: the same as if they had been sketched at once."""
    whole = [*sketches] or [sketch([])]
    return Sketch(
        np.concatenate([one.hashes for one in whole]),
        np.concatenate([one.counts for one in whole]),
        np.concatenate([one.limits for one in whole]),
    )


def near_duplicates(sketch: Sketch, part: NDArray[np.uint8] | None = None, threshold: float = THRESHOLD) -> list[Near]:
    """Finds the pairs of texts that are almost the same.

    Each text is reported with its most similar partner of those proposed, the earliest of equals: one among the texts
    before it in its own part, one among all texts of each other part. So a cluster of m texts in one part gives m - 1
    pairs, and every text that leaked into another part stands in a pair with that part, whichever comes first.

    Args:
        sketch: Of all texts.
        part: Number of the split of each text, shape (n,); without it all are in one.
        threshold: Least similarity; below 0.7 more and more pairs are missed.

    Returns:
        Each pair once, ordered by `second`, then `first`.
    """
    parts = np.zeros(sketch.n, np.uint8) if part is None else part
    own = _Own(sketch)
    found: list[_Words] = [np.empty(0, np.uint64)]
    similarities = [np.empty(0)]
    for number in np.unique(parts) if own.lists else ():
        for row, partner in _proposed(own.lists, parts[own.rows] == number):
            similarity = own.similarity(row, partner)
            order = np.lexsort((partner, -similarity, row))
            best = order[_fresh(row[order])]
            best = best[similarity[best] >= threshold]
            both = np.sort(own.rows[np.stack((row[best], partner[best]))], axis=0).astype(np.uint64)
            found.append(both[1] << np.uint64(32) | both[0])
            similarities.append(similarity[best])
    pairs, index = np.unique(np.concatenate(found), return_index=True)
    columns = (pairs & _ALL, pairs >> 32, np.concatenate(similarities)[index])
    return list(map(Near, *(column.tolist() for column in columns)))


def _sample(texts: Sequence[bytes], sizes: _Integers, limits: _Words, rows: _Integers) -> _Words:
    """Returns the windows sampled of some texts, sorted and each once, as row << 48 | hash."""
    rows = rows[np.argsort(limits[rows], kind="stable")]  # neighbours share one limit in the first, coarse pass
    cuts = np.flatnonzero(np.diff(np.cumsum(sizes[rows]) // _CHUNK_BYTES)) + 1
    found = []
    for chunk in np.split(rows, cuts):
        ends, bounds = np.cumsum(sizes[chunk]), limits[chunk] << 32 | _ALL
        joined = b"".join([texts[row] for row in chunk.tolist()])
        words = np.ndarray((len(joined) - 7,), np.uint64, joined, strides=(1,)) * _ODD[-1, 0]
        hashes = words[8:] * _ODD[-1, 1]
        hashes += words[:-8]
        at = np.flatnonzero(hashes <= bounds[-1])
        owner, hashes = np.searchsorted(ends, at, side="right"), hashes[at]
        good = (at + _WINDOW <= ends[owner]) & (hashes <= bounds[owner])
        found.append(chunk[owner[good]].astype(np.uint64) << 48 | hashes[good] >> 16)
    keys = np.sort(np.concatenate(found))
    return keys[_fresh(keys >> 16)]


class _Own:
    """What each text has besides boilerplate.

    Attributes:
        rows: The texts that have enough of it; all else here counts these only. Shape (r,).
        lists: Of each band, the texts that have their key in common with others; see `_lists`.
    """

    def __init__(self, sketch: Sketch) -> None:
        """Leaves out what is common and computes the min-hashes, some thousand texts at a time to save memory."""
        common = _common(sketch)
        offsets = np.concatenate(([0], np.cumsum(sketch.counts, dtype=np.int64)))
        values, bands = np.empty(offsets[-1], np.uint32), np.empty((_BANDS, sketch.n), np.uint64)
        rows, counts = np.empty(sketch.n, np.int64), np.empty(sketch.n, np.int64)
        used = done = 0
        for start in range(0, sketch.n, _CHUNK_ROWS):
            had = sketch.counts[start : start + _CHUNK_ROWS]
            hashes = sketch.hashes[offsets[start] : offsets[start + len(had)]]
            row = np.repeat(np.arange(len(had)), had)
            keep = common[np.searchsorted(common, hashes)] != hashes
            has = np.bincount(row[keep], minlength=len(had))
            enough = (has >= np.minimum(_FEWEST, had)) & (had > 0)
            own, has = (hashes[keep & enough[row]] >> 16).astype(np.uint32), has[enough]
            ends = used + len(own), done + len(has)
            values[used : ends[0]], counts[done : ends[1]] = own, has
            rows[done : ends[1]] = start + np.flatnonzero(enough)
            bands[:, done : ends[1]] = _band_keys(own, np.cumsum(has) - has)
            used, done = ends
        self.rows, self._values, self._counts = rows[:done], values[:used], counts[:done]
        self._starts, self._limits = np.cumsum(self._counts) - self._counts, sketch.limits[self.rows]
        self.lists = [one for keys in bands if len((one := _lists(keys[:done]))[0])]

    def similarity(self, left: _Integers, right: _Integers) -> NDArray[np.float64]:
        """Returns the estimated Jaccard similarity of each pair."""
        rows = np.concatenate((left, right))
        counts = self._counts[rows]
        pair = np.repeat(np.tile(np.arange(len(left)), 2), counts)
        values = self._values[np.arange(len(pair)) + np.repeat(self._starts[rows] - np.cumsum(counts) + counts, counts)]
        good = values <= np.minimum(self._limits[left], self._limits[right])[pair]
        keys = pair[good].astype(np.uint64) << 32 | values[good]
        keys.sort(kind="stable")  # which merges what is sorted already
        pair = (keys >> 32).astype(np.int64)
        both = np.bincount(pair[~_fresh(keys)], minlength=len(left))
        either = np.bincount(pair, minlength=len(left)) - both
        similarity: NDArray[np.float64] = both / np.maximum(either, 1)
        return similarity


def _common(sketch: Sketch) -> _Words:
    """Returns the windows that too many texts share, ascending, with one above all hashes at the end."""
    most = max(_COMMON_ROWS, int(_COMMON_SHARE * sketch.n))
    buckets = min(1 << len(sketch.hashes).bit_length(), _BUCKETS)
    slices = [sketch.hashes[start : start + buckets] for start in range(0, len(sketch.hashes), buckets)]
    filled = np.zeros(buckets, np.int64)
    for part in slices:
        filled += np.bincount((part & (buckets - 1)).view(np.int64), minlength=buckets)
    crowded = filled > most  # only what lies in such a bucket needs to be sorted
    hashes = np.concatenate([np.empty(0, np.uint64), *(part[crowded[part & (buckets - 1)]] for part in slices)])
    hashes.sort()
    common = hashes[most:][hashes[most:] == hashes[:-most]]
    return np.append(common[_fresh(common)], np.uint64(2**64 - 1))


def _band_keys(values: NDArray[np.uint32], starts: _Integers) -> _Words:
    """Returns one key per band and text: of the smallest values under two permutations."""
    keys = np.zeros((_BANDS, len(starts)), np.uint64)
    for band in range(_BANDS if len(starts) else 0):
        for odd in _ODD[band]:
            smallest = np.minimum.reduceat(values * odd.astype(np.uint32), starts)
            keys[band] = (keys[band] ^ smallest) * odd
    return keys


def _lists(keys: _Words) -> _List:
    """Returns the rows whose key others have too, list after list and ascending in each, and the list of each."""
    bits = len(keys).bit_length()
    packed = np.sort(keys << bits | np.arange(len(keys), dtype=np.uint64))
    new = _fresh(packed >> bits)
    shared = ~(new & np.append(new[1:], True))
    return (packed[shared] & (2**bits - 1)).astype(np.uint32), np.cumsum(new, dtype=np.uint32)[shared]


def _proposed(lists: list[_List], member: NDArray[np.bool_]) -> Iterator[tuple[_Integers, _Integers]]:
    """Yields, for some thousand rows at a time, the pairs of a row and a member that most lists propose."""
    partners = np.full((2 * len(lists), len(member)), _ALL, np.uint32)
    for index, (rows, group) in enumerate(lists):
        _link(rows, group, member[rows], partners[2 * index : 2 * index + 2])
    some = np.flatnonzero((partners != _ALL).any(axis=0))
    for start in range(0, len(some), _CHUNK_ROWS):
        columns = some[start : start + _CHUNK_ROWS]
        links = partners[:, columns] | columns.astype(np.uint64) << 32
        pairs, votes = np.unique(links[partners[:, columns] != _ALL], return_counts=True)
        row = (pairs >> 32).astype(np.int64)
        order = np.lexsort((pairs, -votes, row))
        place = np.arange(len(order))
        rank = place - np.maximum.accumulate(np.where(_fresh(row), place, 0))
        order = order[rank < _MEASURED]
        yield row[order], (pairs[order] & _ALL).astype(np.int64)


def _link(
    rows: NDArray[np.uint32], group: NDArray[np.uint32], member: NDArray[np.bool_], into: NDArray[np.uint32]
) -> None:
    """Writes the partners of each row of the lists: the first member of its list and the nearest member before it."""
    place = np.arange(len(rows))
    before = np.append(-1, np.maximum.accumulate(np.where(member, place, -1))[:-1])
    after = np.minimum.accumulate(np.where(member, place, len(rows))[::-1])[::-1]
    first = after[np.maximum.accumulate(np.where(_fresh(group), place, 0))]
    for partner, exists, column in ((first, first < len(rows), into[0]), (before, before >= 0, into[1])):
        good = exists & (partner != place)
        good[good] = group[partner[good]] == group[good]
        column[rows[good]] = rows[partner[good]]


def _fresh(ordered: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Marks the values that differ from the one before."""
    return np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
