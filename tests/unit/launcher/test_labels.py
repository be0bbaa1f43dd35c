import getpass
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launcher.labels import label_value, run_labels


@given(st.text(max_size=200))
def test_any_text_becomes_a_legal_value(text: str) -> None:
    value = label_value(text)
    assert re.fullmatch(r"[a-z0-9_-]{0,63}", value)
    assert label_value(value) == value


@given(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]", fullmatch=True))
def test_a_legal_value_stays_as_it_is(text: str) -> None:
    assert label_value(text) == text


def test_what_a_run_is_labelled_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "Ann.Lee@example.com")
    labels = run_labels("support-replies", "finetune")
    assert labels.pop("version").startswith("0-")
    assert labels == {"experiment": "support-replies", "pipeline": "finetune", "user": "ann-lee"}


@pytest.mark.parametrize("error", [OSError, KeyError])
def test_an_account_without_a_name_has_no_label(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def nobody() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert "user" not in run_labels("demo", "sweep")
    monkeypatch.setattr(getpass, "getuser", lambda: "李")
    assert "user" not in run_labels("demo", "sweep")
