"""Which requests a rule takes, and rules that are none."""

import time
from typing import Any

import pytest

from tests.contract.conftest import Server
from tests.contract.faults.conftest import Ask, Faults, path


def test_a_rule_takes_its_path_and_method_until_its_times_are_over(server: Server, faults: Faults, ask: Ask) -> None:
    assert faults({"path": "generateContent", "method": "POST", "status": 429, "times": 1}).status_code == 200
    assert server.http.get(path()).status_code == 404
    assert ask(verb="countTokens").status_code == 200
    assert [ask().status_code for _ in range(3)] == [429, 200, 200]


def test_a_rule_takes_the_body_that_holds_its_text(faults: Faults, ask: Ask) -> None:
    faults({"body_matches": 'Grüße, "Köln"\n', "status": 400})
    assert ask("Boil it.").status_code == 200
    assert ask('Bring Grüße, "Köln"\n home.').status_code == 400
    faults({"body_matches": "tea", "latency": 0})
    answer = ask("Add the tea. What do you add?")  # was read for the rule, and again for the answer
    assert answer.json()["candidates"][0]["content"]["parts"]


def test_every_nth_request_by_count(faults: Faults, ask: Ask) -> None:
    faults({"path": "generateContent", "every": 3, "status": 503})
    assert [ask().status_code for _ in range(7)] == [200, 200, 503, 200, 200, 503, 200]


def test_a_share_is_the_same_for_the_same_seed(faults: Faults, ask: Ask) -> None:
    def statuses(seed: int) -> list[int]:
        faults({"path": "generateContent", "share": 0.3, "seed": seed, "status": 500})
        return [ask().status_code for _ in range(60)]

    first = statuses(1)
    assert first == statuses(1) != statuses(2)
    assert 8 <= first.count(500) <= 30


def test_rules_are_asked_in_order_and_the_first_that_refuses_is_the_last(faults: Faults, ask: Ask) -> None:
    rule = {"path": "generateContent"}
    faults({**rule, "latency": 0.2}, {**rule, "status": 503, "times": 1}, {**rule, "status": 429, "times": 1})
    before = time.monotonic()
    assert [ask().status_code for _ in range(3)] == [503, 429, 200]
    assert time.monotonic() - before >= 0.6


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ({"path": "x"}, "array"),
        ([3], "$[0]"),
        ([{"status": 429}, {"pth": "x", "status": 429}], "pth"),
        ([{"path": "(", "status": 429}], "path"),
        ([{"path": "x"}], "needs latency"),
        ([{"status": "429"}], "$[0].status"),
        ([{"status": 99}], "status"),
        ([{"status": 200}], "status"),
        ([{"status": 503, "status_name": "BUSY"}], "status_name"),
        ([{"latency": -1}], "$[0].latency"),
        ([{"latency": 1, "retry_after": "2"}], "retry_after"),
        ([{"status": 429, "retry_after": "2", "retry_after_date": 2}], "retry_after_date"),
        ([{"status": 429, "every": 0}], "$[0].every"),
        ([{"status": 429, "share": 1.5}], "$[0].share"),
        ([{"status": 429, "times": -1}], "$[0].times"),
        ([{"quota": 0}], "$[0].quota"),
        ([{"body": "pdf"}], "$[0].body"),
        ([{"hang": True, "status": 500}], "hang"),
        ([{"answer": "wrong"}], "$[0].answer"),
        ([{"answer": "empty", "status": 500}], "answer"),
        ([{"answer": "empty", "block_reason": "SAFETY"}], "block_reason"),
        ([{"status": 500, "method": "post"}], "$[0].method"),
    ],
)
def test_rules_that_are_none_are_refused_and_change_nothing(
    server: Server, faults: Faults, ask: Ask, rules: Any, named: str
) -> None:
    faults({"path": "generateContent", "status": 418})
    refusal = server.http.put("/emulator/faults", json=rules)
    assert refusal.status_code == 400
    assert named in refusal.json()["error"]["message"]
    assert ask().status_code == 418


def test_no_json_is_refused(server: Server, faults: Faults) -> None:
    assert server.http.put("/emulator/faults", content="{").status_code == 400
