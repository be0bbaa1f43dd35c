"""How many requests are under way, in virtual time, against services that bear so and so many."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.inference.limiter import Limiter
from tests.unit.gemini_sft.inference.virtual_time import run


@dataclass
class Service:
    """Answers after `latency`; of more than `quota` requests a second it refuses the rest at once."""

    latency: float
    quota: float = float("inf")
    jitter: float = 0.0
    under_way: int = 0
    most: int = 0
    sent: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tokens, self._filled = self.quota, 0.0
        self._random = random.Random(1)

    async def ask(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._tokens = min(self.quota, self._tokens + (now - self._filled) * self.quota)
        self._filled = now
        self.sent.append(now)
        if self._tokens < 1:
            await asyncio.sleep(0.005)
            self.refused.append(asyncio.get_running_loop().time())
            return False
        self._tokens -= 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(self.latency * self._random.uniform(1 - self.jitter, 1 + self.jitter))
        self.under_way -= 1
        self.answered.append(asyncio.get_running_loop().time())
        return True


async def load(limiter: Limiter, service: Service, requests: int, workers: int) -> None:
    """Sends so many requests, each until it is answered."""
    pending = iter(range(requests))

    async def work() -> None:
        for number in pending:
            async with limiter.place():
                pause = 1.0
                while True:
                    sent = await limiter.start()
                    if await service.ask():
                        limiter.answered(sent)
                        break
                    limiter.refused(sent, None)
                    await asyncio.sleep(pause * random.Random(number).uniform(0.5, 1))
                    pause = min(2 * pause, 30)

    await asyncio.gather(*(work() for _ in range(workers)))


@given(most=st.integers(1, 300), latency=st.floats(0.01, 5), requests=st.integers(1, 600))
def test_never_more_than_allowed_and_everything_is_answered(most: int, latency: float, requests: int) -> None:
    service = Service(latency)
    run(load(Limiter(most), service, requests, most))
    assert service.most <= most and len(service.answered) == requests


def test_it_starts_low_and_doubles_with_every_round_of_answers() -> None:
    service = Service(latency=1.0)
    run(load(Limiter(150), service, 1000, 150))
    rounds = Counter(round(at) for at in service.sent)
    assert [rounds[at] for at in range(6)] == [20, 40, 80, 150, 150, 150]


@pytest.mark.parametrize("quota", [5, 10, 30, 100, 200])
@pytest.mark.parametrize(("latency", "jitter"), [(0.2, 0.5), (0.5, 0.0), (0.5, 0.5), (1.0, 0.5)])
def test_a_quota_is_used_up_and_seldom_overstepped(quota: int, latency: float, jitter: float) -> None:
    service = Service(latency, quota, jitter)
    run(load(Limiter(1000), service, quota * 100, 1000))
    last = max(service.answered) - 5
    assert last > 60
    answered = sum(20 <= at < last for at in service.answered)
    refused = sum(20 <= at < last for at in service.refused)
    assert answered / (last - 20) >= 0.85 * quota
    assert refused / (answered + refused) < 0.05


def test_a_quota_that_grows_is_found_out() -> None:
    service = Service(latency=0.5, quota=10)

    async def growing() -> None:
        task = asyncio.create_task(load(Limiter(500), service, 6000, 500))
        await asyncio.sleep(60)
        service.quota = 100
        await task

    run(growing())
    assert sum(100 <= at < 110 for at in service.answered) >= 0.85 * 100 * 10


def test_requests_that_were_refused_together_shrink_the_limit_once() -> None:
    async def burst() -> list[float]:
        limiter, limits = Limiter(100), []
        for _ in range(20):
            limiter.refused(0.0, None)
            limits.append(limiter.limit)
        await asyncio.sleep(1)
        limiter.refused(1.0, None)
        return [*limits, limiter.limit]

    limits = run(burst())
    assert limits[:20] == [10.0] * 20 and limits[20] == pytest.approx(8.5)


def test_nothing_is_sent_before_the_service_wants_to_hear_again() -> None:
    async def sent() -> list[float]:
        limiter = Limiter(10)
        at = [await limiter.start()]
        limiter.refused(at[0], retry_after=7.0)
        return at + await asyncio.gather(*(limiter.start() for _ in range(5)))

    assert run(sent()) == [0.0] + [7.0] * 5


def test_a_pause_makes_no_burst() -> None:
    async def sent() -> list[float]:
        limiter = Limiter(100, per_minute=60)
        first = await limiter.start()
        waiting = [asyncio.create_task(limiter.start()) for _ in range(30)]
        await asyncio.sleep(0.5)
        limiter.refused(first, retry_after=60.0)
        return sorted(await asyncio.gather(*waiting))

    at = run(sent())
    assert at[0] >= 60.5 and min(later - earlier for earlier, later in pairwise(at)) >= 1 - 1e-6


@given(per_minute=st.integers(1, 2000), requests=st.integers(2, 50))
def test_never_faster_than_the_user_allows_and_evenly(per_minute: int, requests: int) -> None:
    service = Service(latency=0.1)
    run(load(Limiter(50, per_minute), service, requests, 50))
    gaps = [later - earlier for earlier, later in pairwise(sorted(service.sent))]
    assert min(gaps) >= 60 / per_minute - 1e-6
