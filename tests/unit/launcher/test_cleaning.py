"""What a cleanup looks like on the terminal, and what `--json` says."""

from datetime import UTC, datetime

import pytest
from rich.console import Console

from gemini_sft.release.cleanup_delete import Done
from gemini_sft.release.cleanup_estate import Object, Scope
from gemini_sft.release.cleanup_items import Item, Kept, Kind, Plan
from launcher import cleaning

PLACE = "projects/p/locations/us-central1"
BUCKET = "gs://p-gemini-sft"
RUN = "tickets-20261126-120000-ab12"
SCOPE = Scope("p", "us-central1", "tickets", f"{BUCKET}/pipelines", f"{BUCKET}/staging/tickets", "", "", "", (), ())


def files(folder: str, count: int, size: int) -> tuple[Object, ...]:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    return tuple(Object(f"{folder}/{number}", size, now, 1) for number in range(count))


ITEMS = (
    *(
        Item(Kind.ENDPOINT, f"projects/p/locations/us/endpoints/{number}000000000000000000", RUN, "rejected")
        for number in range(1, 5)
    ),
    Item(Kind.MODEL, f"{PLACE}/models/7000000000000000000", RUN, "rejected"),
    Item(Kind.VERSION, f"{PLACE}/models/8@2", "tickets-old", "40 days old"),
    Item(Kind.EXPERIMENT, f"{PLACE}/metadataStores/default/contexts/tuning-experiment-1", RUN, "rejected"),
    Item(
        Kind.ARTIFACTS,
        f"{BUCKET}/pipelines/123456/{RUN}",
        RUN,
        "rejected",
        objects=files(f"{BUCKET}/pipelines/123456/{RUN}", 40, 2**30),
    ),
    Item(
        Kind.STAGING,
        f"{BUCKET}/staging/tickets/0123456789abcdef",
        "",
        "no run that is kept and no schedule refers to it",
        objects=files(f"{BUCKET}/staging/tickets/0123456789abcdef", 1, 2048),
    ),
)


def shown(plan: Plan, width: int) -> list[str]:
    console = Console(width=width, record=True, highlight=False)
    cleaning._show(plan, SCOPE, console)
    return [line.rstrip() for line in console.export_text().splitlines()]


@pytest.mark.parametrize("width", [80, 120])
def test_everything_is_named_and_nothing_is_cut(width: int) -> None:
    lines = shown(Plan(ITEMS, ()), width)
    text = "".join(line.replace(" ", "") for line in lines)
    for item in ITEMS:
        assert item.name.rpartition("/")[2] in text
    assert "…" not in text and max(map(len, lines)) <= width


def test_files_have_their_price_and_resources_their_number() -> None:
    lines = shown(Plan(ITEMS, ()), 120)
    rows = [line.split() for line in lines]
    assert ["40", "files", f"pipelines/123456/{RUN}/", "40", "GB", "0.8000"] in rows
    assert ["1", "model", "7000000000000000000", "(us-central1)", "0"] in rows
    total = " ".join(line for line in lines if line)
    assert "Together: 4 endpoints, 1 model version, 1 model, 1 experiment, 41 files of 40 GB." in total
    assert "0.8001 USD a month" in total and "count against the quotas" in total


def test_what_is_kept_is_told_but_not_without_end() -> None:
    kept = tuple(Kept(f"{PLACE}/models/{number}@1", "it is the champion") for number in range(25))
    lines = shown(Plan((), kept), 80)
    assert "Kept: model 0@1 (us-central1): it is the champion." in lines
    assert lines[-1] == "Kept: 5 more (--json names them)."


def test_the_object_says_what_became_of_each() -> None:
    done = [Done(ITEMS[0]), Done(ITEMS[1], error="403"), Done(ITEMS[2], refused="it is now the champion")]
    document = cleaning._document(Plan(ITEMS[:3], ()), done, "tickets", True)
    assert document["state"] == "INCOMPLETE"
    assert [(one["fate"], one["reason"]) for one in document["items"]] == [
        ("deleted", None),
        ("failed", "403"),
        ("left", "it is now the champion"),
    ]
    assert cleaning._document(Plan(ITEMS, ()), [], "tickets", False)["state"] == "PLANNED"


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1,023 B"), (1024, "1.0 KB"), (20 << 20, "20 MB"), (5 << 40, "5,120 GB")]
)
def test_sizes(size: int, text: str) -> None:
    assert cleaning._size(size) == text
