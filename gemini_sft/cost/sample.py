"""Drawing examples from a split of any size, and what a sample tells of the whole."""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist, stdev
from typing import Any, BinaryIO

import orjson

from gemini_sft import storage
from gemini_sft.data.dataset import examples_uri, sources_uri

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Sample:
    """Some examples of a split.

    Attributes:
        size: How many examples the split has.
        drawn: Id and record of those drawn; all of them if there are no more than were wanted.
    """

    size: int
    drawn: list[tuple[str, dict[str, Any]]]


def draw(split_uri: str, limit: int, seed: int, suitable: Callable[[dict[str, Any]], bool] | None = None) -> Sample:
    """Draws up to `limit` examples of a split, each with the same chance (Vitter's algorithm R).

    The files are read once and from front to back; never more than `limit` lines are held.

    Args:
        split_uri: Folder of the split.
        limit: How many.
        seed: Another seed, other examples.
        suitable: Which records may be drawn, the others do not count; None for all.
    """
    generator = random.Random(seed)
    kept: list[tuple[bytes, bytes]] = []
    size = 0
    with storage.open_reader(examples_uri(split_uri)) as examples, storage.open_reader(sources_uri(split_uri)) as names:
        for pair in zip(_lines(examples), _lines(names), strict=True):
            if suitable and not suitable(orjson.loads(pair[0])):
                continue
            size += 1
            if len(kept) < limit:
                kept.append(pair)
            elif (place := generator.randrange(size)) < limit:
                kept[place] = pair
    return Sample(size, [(orjson.loads(name)["id"], orjson.loads(example)) for example, name in kept])


def _lines(file: BinaryIO) -> Iterator[bytes]:
    return (line for line in file if line.strip())


def estimate(values: Sequence[int], population: int) -> tuple[int, int]:
    """Scales the values of a sample up to the sum over the population it was drawn from.

    Returns:
        The sum, and the half-width of its 95 % interval: Student's t times the standard error, with the correction
        for a finite population (Cochran, "Sampling Techniques", 3rd edition, section 2.8). The latter is 0 if the
        sample is the population.

    Raises:
        ValueError: Less than two values cannot stand for more.
    """
    count = len(values)
    if count == population:
        return sum(values), 0
    if count < 2:
        raise ValueError(f"{count} values cannot stand for {population}")
    error = population * stdev(values) / math.sqrt(count) * math.sqrt(1 - count / population)
    return round(sum(values) / count * population), math.ceil(student_t(count - 1) * error)


def student_t(freedom: int) -> float:
    """Returns Student's t of the two-sided 95 % interval.

    From the normal quantile by Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.5: right to 1 in
    1,000 from 4 degrees of freedom on, too small below that.
    """
    x = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2)
    first = (x**3 + x) / 4
    second = (5 * x**5 + 16 * x**3 + 3 * x) / 96
    third = (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384
    fourth = (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160
    return x + first / freedom + second / freedom**2 + third / freedom**3 + fourth / freedom**4
