import io

import pytest
from rich.console import Console

from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import Notification
from launcher.notifying import told_here

HERE = "http://127.0.0.1:9/services/x"
ELSEWHERE = "https://hooks.slack.com/services/x"


def experiment(notification: Notification) -> Experiment:
    head = {"name": "demo", "task": "chat", "base_model": "gemini-2.5-flash", "data": {"train": "t.csv"}}
    return Experiment.model_validate(head).model_copy(update={"notification": notification})


def run(notification: Notification) -> tuple[Notification, str]:
    """What is left of it, and what the terminal says."""
    said = io.StringIO()
    given = experiment(notification)
    left = told_here(given, Console(file=said, width=200))
    assert left.model_copy(update={"notification": notification}) == given
    return left.notification, said.getvalue()


def test_nobody_was_to_be_told() -> None:
    assert run(Notification()) == (Notification(), "")


def test_a_webhook_on_this_machine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", HERE)
    assert run(Notification(webhook="env:HOOK")) == (Notification(webhook="env:HOOK"), "")


@pytest.mark.parametrize(
    ("asked", "left", "why"),
    [
        (Notification(webhook="env:AWAY"), Notification(), ", which env:AWAY is not."),
        (Notification(webhook="env:NOT_SET"), Notification(), " (the variable NOT_SET is not set where the task runs"),
        (Notification(webhook="projects/p/secrets/hook"), Notification(), " that a variable names."),
        (Notification(email=["a@b.test"]), Notification(), "."),
        (Notification(webhook="env:HOOK", email=["a@b.test"]), Notification(webhook="env:HOOK"), "."),
    ],
)
def test_nobody_elsewhere_is_told_and_the_terminal_says_so(
    monkeypatch: pytest.MonkeyPatch, asked: Notification, left: Notification, why: str
) -> None:
    monkeypatch.setenv("HOOK", HERE)
    monkeypatch.setenv("AWAY", ELSEWHERE)
    monkeypatch.delenv("NOT_SET", raising=False)
    # Secret Manager would be asked with these.
    monkeypatch.setattr("google.auth.default", lambda **_: pytest.fail("the user's credentials were taken"))
    kept, said = run(asked)
    assert kept == left
    told = "A run on this machine tells nobody elsewhere: notification is for --on vertex, and for a webhook on this"
    assert said.startswith(f"{told} machine{why}")
