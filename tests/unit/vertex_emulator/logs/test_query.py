"""The Logging query language, as far as the emulator has it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertex_emulator.errors import ApiError
from vertex_emulator.logs.query import compile_query

ENTRY: dict[str, Any] = {
    "logName": "projects/p/logs/workerpool0-0",
    "resource": {"type": "ml_job", "labels": {"job_id": "17", "project_id": "p"}},
    "timestamp": "2026-11-26T08:00:00.5Z",
    "severity": "WARNING",
    "jsonPayload": {"message": 'The "cost" is 5 Euro'},
}


@pytest.mark.parametrize(
    "query",
    [
        "",
        'resource.type="ml_job"',
        "resource.type = ML_JOB",
        'resource.type="ml_job" AND resource.labels.job_id="17"',
        'resource.type="ml_job"\nresource.labels.job_id=17 -- the tuning',
        'resource.labels.job_id=("16" OR "17" OR 18)',
        'resource.labels.job_id!="16"',
        "severity>=warning severity<ERROR severity!=INFO",
        'timestamp>="2026-11-26T08:00:00Z" timestamp<="2026-11-26T09:00:00.5+01:00" timestamp>"2026-11-26"',
        r'jsonPayload.message:"the \"cost\"" jsonPayload.message:euro',
        'logName="projects/p/logs/workerpool0-0"',
        "jsonPayload.message:* resource.labels.job_id:*",
    ],
)
def test_what_lets_an_entry_through(query: str) -> None:
    assert compile_query(query).holds(ENTRY) and compile_query(query).may_be_in(ENTRY)


@pytest.mark.parametrize(
    ("query", "may_be_in"),
    [
        ('resource.type="ml_jo"', False),
        ('resource.labels.job_id=("16" OR "18")', False),
        ('resource.labels.job_id!="17"', False),
        ('resource.labels.no_such="17"', False),
        ('resource.labels.no_such!="17"', False),
        ('resource.type="ml_job" AND severity>WARNING', True),
        ('timestamp<"2026-11-26T08:00:00.5Z"', True),
        ("jsonPayload.message:dollar", True),
        ('jsonPayload.message:"*"', True),
        ("insertId:*", True),
        ("insertId=5", True),
    ],
)
def test_what_keeps_an_entry_back(query: str, may_be_in: bool) -> None:
    assert not compile_query(query).holds(ENTRY)
    assert compile_query(query).may_be_in(ENTRY) is may_be_in


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("error", "expected FIELD OPERATOR VALUE, found 'error'"),
        ("NOT severity=ERROR", "has no OR, NOT"),
        ("severity=ERROR OR severity=INFO", "has no OR, NOT"),
        ("(severity=ERROR)", "expected FIELD"),
        ("severity=ERROR AND", "nothing follows AND"),
        ("severity=", "expected a value"),
        ('severity=("ERROR"', "expected OR or ')'"),
        ("severity=LOUD", "'severity' has no such value: 'LOUD' is none of DEFAULT, DEBUG,"),
        ("timestamp>yesterday", "'timestamp' has no such value"),
        ("severity:ERROR", "does not compare 'severity' by ':'"),
        ('resource.type=~"ml.*"', "does not compare 'resource.type' by '=~'"),
        ('resource.labels.job_id!=("1" OR "2")', "no list of values after '!='"),
        ("textPayload=x", "field 'textPayload' is none of"),
        ('resource.type="ml_job', "unexpected '\"' at position 14"),
        (f'resource.type="{"x" * 20_000}"', "longer than 20,000"),
    ],
)
def test_what_is_refused(query: str, message: str) -> None:
    with pytest.raises(ApiError, match="Unparseable filter") as caught:
        compile_query(query)
    assert message in caught.value.message and caught.value.code == 400


@given(st.text(max_size=30))
def test_any_text_can_be_looked_for_and_none_breaks_the_reader(text: str) -> None:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    entry = {**ENTRY, "resource": {"type": text, "labels": {}}}
    assert compile_query(f"resource.type={quoted}").holds(entry)
    try:
        compile_query(text)
    except ApiError as error:
        assert error.status == "INVALID_ARGUMENT"
