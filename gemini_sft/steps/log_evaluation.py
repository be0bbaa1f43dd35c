"""A run among others of its experiment, in Vertex AI Experiments, where the console compares them."""

import logging
import math
import re
from collections.abc import Mapping
from typing import Any

from gemini_sft import storage, vertex
from gemini_sft.cost import Quote
from gemini_sft.decision import Comparison
from gemini_sft.errors import GeminiSftError, ServiceError
from gemini_sft.experiment import load_experiment
from gemini_sft.release.writing import insist
from gemini_sft.tuning import Selection, TuningRecord

_PREFIX = "gemini-sft-"
_LONGEST_ID = 128
"""Of a metadata context, as which a run is kept: its id is that of the experiment, a hyphen, and the run's name."""

Values = dict[str, float | str]
"""What a run's parameters and metrics may be."""
_MAKING_SECONDS = 60.0
"""How long a metadata store may not be there after it was made."""

_log = logging.getLogger(__name__)


def log_evaluation(
    *,
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    comparison_uri: str,
    tuning_uri: str,
    selection_uri: str,
    quote_uri: str,
) -> None:
    """Logs what was tuned and what came of it, as a run of the experiment `gemini-sft-NAME`.

    Another attempt writes the same into the same run. A service that does not take it is a warning in the log: what
    there is to compare is also in the run's results.
    """
    name = f"{_PREFIX}{load_experiment(experiment_uri).name}"
    comparison = Comparison.model_validate(storage.read_json(comparison_uri))
    selection = Selection.model_validate(storage.read_json(selection_uri))
    record = TuningRecord.model_validate(storage.read_json(tuning_uri))
    quote = Quote.model_validate(storage.read_json(quote_uri))
    try:
        endpoint = selection.taken.endpoint
        labels = (vertex.find(endpoint, vertex.location_of(endpoint, location)) or {}).get("labels", {})
        run = run_name(run_id, name)
        _write(project, location, name, run, params(comparison, record, selection, labels), metrics(comparison, quote))
    except GeminiSftError as error:
        _log.warning("the run is not in Vertex AI Experiments: %s: %s", type(error).__name__, error)
    else:
        _log.info("run %s is in the Vertex AI experiment %s", run, name)


def run_name(run_id: str, experiment: str) -> str:
    """Returns what a run is called in an experiment: its id, as far as Vertex AI allows for its letters and length.

    Of one that is too long the end stays, which tells it from others.
    """
    return re.sub(r"[^a-z0-9-]", "-", run_id.lower())[-(_LONGEST_ID - len(experiment) - 1) :]


def params(comparison: Comparison, record: TuningRecord, selection: Selection, labels: Mapping[str, str]) -> Values:
    """Returns what was tuned, how, and what was decided, as far as it is known.

    Args:
        comparison: Of base and tuned model.
        record: The tuning job that the model came from.
        selection: Which of its checkpoints was taken.
        labels: Of the tuned model's endpoint: hash of the data, fingerprint of the prompt.
    """
    known = {
        "base_model": record.base_model,
        "started_from": record.started_from,
        "trial": record.trial,
        "epochs": record.epochs,
        "adapter_size": record.adapter_size,
        "learning_rate_multiplier": record.learning_rate_multiplier,
        "checkpoint": selection.taken.checkpoint,
        "tuned_model": selection.taken.model,
        "data": labels.get("data"),
        "prompt": labels.get("prompt"),
        "test_examples": comparison.candidate.n,
        "primary_metric": comparison.primary_metric,
        "verdict": comparison.verdict.value,
    }
    return {name: value for name, value in known.items() if value not in (None, "")}


def metrics(comparison: Comparison, quote: Quote) -> Values:
    """Returns each side's metrics and failures, the difference of the primary metric, and what was quoted in USD."""
    sides = {
        "base": comparison.base,
        "candidate": comparison.candidate,
        "few_shot": comparison.few_shot.base if comparison.few_shot else None,
        "champion": comparison.champion.side if comparison.champion else None,
    }
    difference = comparison.differences[comparison.primary_metric]
    found: dict[str, float | None] = {
        "difference": difference.mean,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "worlds_won": difference.won,
        "confidence": comparison.confidence,
        "tries": comparison.tries,
        "gain_over_what_is_in_use": comparison.decisive.gain[0],
        "quoted_usd": quote.usd,
    }
    for name, side in sides.items():
        if side is not None:
            found |= {f"{name}_{metric}": value for metric, value in {**side.metrics, **side.corpus}.items()}
            found[f"{name}_failures"] = side.failures
    # Vertex AI has JSON's numbers, among which there is no NaN.
    return {name: value for name, value in found.items() if value is not None and math.isfinite(value)}


def _write(project: str, location: str, name: str, run_id: str, params: Values, metrics: Values) -> None:
    """Makes what google-cloud-aiplatform's `ExperimentRun` makes, without that SDK, which takes seconds to import.

    There is no TensorBoard behind the experiment, as the SDK would make one: it costs money.
    """
    store = f"projects/{project}/locations/{location}/metadataStores/default"
    _make(store, location, {})
    # The console leaves out an experiment that does not say that it was not deleted.
    experiment = _context(store, location, name, name, "system.Experiment", {"experiment_deleted": False})
    metadata = {"_params": params, "_metrics": metrics, "_state": "COMPLETE"}
    run = _context(store, location, f"{name}-{run_id}", run_id, "system.ExperimentRun", metadata)
    if run.get("metadata") != metadata:  # an earlier attempt's
        changed = {key: value for key, value in run.items() if key != "etag"} | {"metadata": metadata}
        insist(lambda: vertex.send("PATCH", run["name"], location, changed))
    # Done again, this changes nothing.
    child = {"childContexts": [run["name"]]}
    insist(lambda: vertex.send("POST", f"{experiment['name']}:addContextChildren", location, child))


def _context(
    store: str, location: str, context_id: str, display_name: str, schema: str, metadata: dict[str, Any]
) -> dict[str, Any]:
    """Returns the context of that id, which is made if there is none."""
    body = {"displayName": display_name, "schemaTitle": schema, "schemaVersion": "0.0.1", "metadata": metadata}
    found = _make(f"{store}/contexts/{context_id}", location, body)
    if found.get("schemaTitle") != schema:
        raise ServiceError(f"{found['name']} is a {found.get('schemaTitle')}, and not a {schema}")
    return found


def _make(name: str, location: str, body: dict[str, Any]) -> dict[str, Any]:
    """Returns the resource of a name of our choice, which is made if there is none."""
    collection, _, chosen = name.rpartition("/")
    parameter = {"metadataStores": "metadataStoreId", "contexts": "contextId"}[collection.rpartition("/")[2]]
    insist(
        lambda: vertex.send("POST", collection, location, body, {parameter: chosen}),
        lambda: vertex.find(name, location) is not None,
    )
    return vertex.get(name, location, patience_seconds=_MAKING_SECONDS)
