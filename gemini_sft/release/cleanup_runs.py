"""Which runs of an experiment there were, and what they came to."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import yaml

from gemini_sft import storage
from gemini_sft.decision.outcome import Outcome, outcome_uri
from gemini_sft.errors import UserError
from gemini_sft.release.cleanup_estate import Run, Scope, run_label
from gemini_sft.release.cleanup_reading import Document, experiment_uri, has_ended, is_over, named


def find_runs(
    scope: Scope,
    pipelines: list[Document],
    jobs: list[Document],
    versions: list[Document],
    outcomes: dict[str, Outcome],
    written: Mapping[str, datetime],
    inputs: "Inputs",
) -> Iterator[Run]:
    """Yields all runs that something tells of.

    Args:
        scope: Whose.
        pipelines: The pipeline jobs of the experiment.
        jobs: Its tuning jobs.
        versions: Of its models.
        outcomes: Of its runs, by their ids.
        written: When each object in its staging folder was written, by URI.
        inputs: Tells what an experiment file refers to.
    """
    known = {one["name"].rpartition("/")[2]: one for one in pipelines}
    # A run in another region has its files in the same bucket, and nothing here that tells of it before its outcome.
    folder = f"{scope.commands}/"
    started = {_name(uri): at for uri, at in written.items() if uri.startswith(folder)}
    ids = {*known, *outcomes, *started}
    labels = {run_label(one) for one in ids}
    labelled = [one.get("labels", {}).get("run", "") for one in (*jobs, *(v for v in versions if _is_own(scope, v)))]
    ids |= {one for one in labelled if one and one not in labels}
    for run_id in sorted(ids):
        label, pipeline, outcome = run_label(run_id), known.get(run_id), outcomes.get(run_id)
        own = [one for one in jobs if one.get("labels", {}).get("run") == label]
        ends = [one.get("endTime") for one in own]
        ends += [one.get("versionCreateTime") for one in versions if one.get("labels", {}).get("run") == label]
        adopts = pipeline is not None and not is_over(pipeline)
        ends.append(pipeline.get("endTime") if pipeline else None)
        moments = [_time(one) for one in ends if one]
        moments += [at for at in (written.get(outcome_uri(scope.outcomes, run_id)), started.get(run_id)) if at]
        yield Run(
            id=run_id,
            under_way=adopts or not all(map(has_ended, own)),
            adopts=adopts,
            began=_time(pipeline["createTime"]) if pipeline else None,
            ended=max(moments, default=None),
            verdict=outcome.verdict if outcome else "",
            model=named(scope, outcome.model) if outcome else "",
            inputs=inputs.of(experiment_uri(pipeline)) if pipeline else None,
        )


def _name(uri: str) -> str:
    return uri.rpartition("/")[2].removesuffix(".txt")


def _is_own(scope: Scope, version: Document) -> bool:
    return scope.owns(version.get("labels", {}))


class Inputs:
    """What staged experiment files refer to: many runs have the same."""

    def __init__(self, scope: Scope) -> None:
        """Reads nothing yet."""
        self._scope = scope
        self._known: dict[str, frozenset[str] | None] = {}

    def of(self, uri: str) -> frozenset[str] | None:
        """Returns the staged files that an experiment file refers to, and itself; None if it is gone."""
        if uri not in self._known:
            self._known[uri] = self._read(uri)
        return self._known[uri]

    def _read(self, uri: str) -> frozenset[str] | None:
        root = f"{self._scope.staging}/"
        if not uri.startswith(root):
            return frozenset()  # of a run with another bucket, to which it has staged its own
        try:
            document = yaml.safe_load(storage.read_text(uri))
        except (UserError, yaml.YAMLError):
            return None
        # A metric is FILE:FUNCTION.
        texts = [text for text in _texts(document) if text.startswith(root)]
        return frozenset({uri, *texts, *(text.rpartition(":")[0] for text in texts)})


def _texts(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict | list):
        for one in document.values() if isinstance(document, dict) else document:
            yield from _texts(one)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
