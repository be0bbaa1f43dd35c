from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.routing import BaseRoute

from gemini_sft import storage
from gemini_sft.retraining.plan import Path as Chosen
from gemini_sft.steps.notify import notify
from tests.unit.gemini_sft.notification.secret_manager import SecretManager
from tests.unit.gemini_sft.notification.test_message import ERROR, LINK, OUTCOME, RECHECKED, SKIPPED

Webhook = Any  # of conftest.py
Notify = Callable[..., list[str]]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Notify:
    """Runs the step on an experiment with the notification given, and returns its warnings."""

    def run(notification: dict[str, Any] | None, state: str = "SUCCEEDED", error: str = "") -> list[str]:
        document = {"name": "demo", "task": "chat", "base_model": "gemini-2.5-flash", "data": {"train": "t.csv"}}
        uri = tmp_path / "staging" / "abc" / "experiment.yaml"
        uri.parent.mkdir(parents=True, exist_ok=True)
        uri.write_text(yaml.safe_dump(document | ({"notification": notification} if notification else {})))
        notify(project="p", location="us-central1", experiment_uri=str(uri), run_id="demo-1", state=state, error=error)
        return [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")]

    return run


@pytest.fixture(autouse=True)
def hook(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", webhook.url)


def test_the_outcome_beside_the_experiment_is_told(told: Notify, webhook: Webhook, tmp_path: Path) -> None:
    storage.write_json(str(tmp_path / "staging" / "outcomes" / "demo-1.json"), OUTCOME.model_dump(mode="json"))
    storage.write_json(str(tmp_path / "staging" / "outcomes" / "demo-2.json"), {"another": "run"})
    assert told({"webhook": "env:HOOK"}) == []
    (document,) = webhook.told
    assert document["text"].startswith("demo: promote\n") and f"Run: demo-1 {LINK}\n" in document["text"]


def keep(tmp_path: Path) -> None:
    plan = SKIPPED.model_copy(update={"path": Chosen.RECHECK, "reasons": ["the data are the same"]})
    for place, kept in (("plans", plan), ("rechecks", RECHECKED.model_copy(update={"alarms": ["beware"]}))):
        storage.write_json(str(tmp_path / "staging" / place / "demo-1.json"), kept.model_dump(mode="json"))


def test_plan_and_recheck_beside_the_experiment_are_told(told: Notify, webhook: Webhook, tmp_path: Path) -> None:
    keep(tmp_path)
    assert told({"webhook": "env:HOOK"}) == ["beware"]
    (document,) = webhook.told
    lines = document["text"].splitlines()
    assert lines[:2] == ["ALARM demo: champion held", "• Alarm: beware"]
    assert lines[-3:-1] == ["• the data are the same", "• no drop is shown"]


def test_without_a_webhook_the_log_says_it(told: Notify, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep(tmp_path)
    with caplog.at_level("INFO", "gemini_sft.steps.notify"):
        told(None)
    assert [(one.levelname, one.getMessage()) for one in caplog.records if one.name == "gemini_sft.steps.notify"] == [
        ("INFO", "ALARM demo: champion held"),
        ("WARNING", "beware"),
        ("INFO", "the data are the same"),
        ("INFO", "no drop is shown"),
    ]


def test_a_failed_run_is_told_with_its_task(told: Notify, webhook: Webhook) -> None:
    assert told({"webhook": "env:HOOK"}, "FAILED", ERROR.format("tune-model", "tune-model: ValueError: a prompt")) == []
    (document,) = webhook.told
    assert document["text"].splitlines()[:2] == ["demo: the run failed", "Failed: tune-model (ValueError)"]
    assert "prompt" not in str(document)


@pytest.mark.parametrize("content", ["{}", "no json"])
def test_an_outcome_that_cannot_be_read_keeps_nobody_from_being_told(
    told: Notify, webhook: Webhook, tmp_path: Path, content: str
) -> None:
    storage.write_text(str(tmp_path / "staging" / "outcomes" / "demo-1.json"), content)
    assert told({"webhook": "env:HOOK"}, "FAILED") == []
    assert webhook.told[0]["text"].startswith("demo: the run failed\n")


@pytest.mark.parametrize("notification", [None, {}, {"email": ["a@b.test"]}])
def test_nothing_set_nothing_is_sent(told: Notify, webhook: Webhook, notification: dict[str, Any] | None) -> None:
    assert told(notification) == []
    assert webhook.told == []


def test_the_address_may_be_in_secret_manager(
    told: Notify, webhook: Webhook, serve: Callable[[list[BaseRoute]], str]
) -> None:
    """Secret Manager and webhook are one server here."""
    from starlette.routing import Route

    path = "/" + webhook.url.split("/", 3)[3]
    manager = SecretManager({"projects/p/secrets/slack": [webhook.url]})
    serve([Route(path, webhook.answer, methods=["POST"]), *manager.routes])
    assert told({"webhook": "projects/p/secrets/slack"}) == []
    assert len(webhook.told) == 1 and len(manager.asked) == 1


def test_a_webhook_that_fails_is_one_warning(told: Notify, webhook: Webhook, pauses: list[float]) -> None:
    webhook.answers = [(500, {})] * 3
    assert told({"webhook": "env:HOOK"}) == ["nobody was told how the run ended: the webhook answered 500"]
    assert len(webhook.told) == 3


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        ("env:OTHER", "", "the variable OTHER is not set where the task runs"),
        ("env:HOOK", "http://example.test/SECRET", "the webhook's address must begin with https://"),
        ("projects/p/secrets/none", "", "projects/p/secrets/none/versions/latest: there is no such secret"),
    ],
)
def test_whatever_is_wrong_the_step_ends_well(
    told: Notify, monkeypatch: pytest.MonkeyPatch, place: str, value: str, why: str
) -> None:
    monkeypatch.setenv("HOOK", value)
    (warning,) = told({"webhook": place})
    assert warning.startswith(f"nobody was told how the run ended: {why}")


def test_an_experiment_that_is_gone_is_one_warning(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    uri = str(tmp_path / "none.yaml")
    notify(project="p", location="l", experiment_uri=uri, run_id="r", state="FAILED", error="")
    (record,) = caplog.records
    assert record.getMessage() == f"nobody was told how the run ended: {uri}: there is no such file"


def test_of_an_error_that_is_not_ours_only_the_class_is_logged(
    told: Notify, monkeypatch: pytest.MonkeyPatch, webhook: Webhook
) -> None:
    def broken(url: str, document: object) -> None:
        raise RuntimeError(f"no luck with {url}")

    monkeypatch.setattr("gemini_sft.steps.notify.post", broken)
    assert told({"webhook": "env:HOOK"}) == ["nobody was told how the run ended: RuntimeError"]
