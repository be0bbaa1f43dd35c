"""What the runs of an experiment were quoted at, for the budget of a month."""

from datetime import date, timedelta
from typing import Any

from gemini_sft import storage

DAYS = 30
"""A month, as `budget.max_usd_per_month` has it."""


def spent(folder: str, run_id: str, today: date) -> float:
    """Returns what all other runs of the last 30 days were quoted at together, in USD, as far as prices were known.

    Args:
        folder: With a folder for each day, and in it a file for each run.
        run_id: The run that asks, of which an earlier attempt may have left its own.
        today: The last of the days, in UTC.

    Raises:
        ServiceError: Cloud Storage did not say.
    """
    first = (today - timedelta(days=DAYS)).isoformat()
    uris = [uri for uri in storage.list_files(folder, deep=True) if _day(uri) >= first and _run(uri) != run_id]
    return sum(float(storage.read_json(uri)["usd"]) for uri in uris)


def note(folder: str, run_id: str, usd: float, purpose: str, today: date) -> None:
    """Notes what a run was quoted at; if another attempt of it has done so, in its place.

    Args:
        folder: See `spent`.
        run_id: Of the run.
        usd: What of its quote has a known price.
        purpose: What it is for.
        today: In UTC.

    Raises:
        ServiceError: It could not be kept: what nobody counts must not be spent.
    """
    earlier = [uri for uri in storage.list_files(folder, deep=True) if _run(uri) == run_id]
    entry: dict[str, Any] = {"run": run_id, "purpose": purpose, "usd": usd}
    storage.write_json(min(earlier, default=f"{folder}/{today.isoformat()}/{run_id}.json"), entry)


def _day(uri: str) -> str:
    return uri.split("/")[-2]


def _run(uri: str) -> str:
    return uri.rpartition("/")[2].removesuffix(".json")
