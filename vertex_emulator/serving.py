"""Which model answers for a name: a base model, or the one behind a tuned endpoint."""

import json
import shutil
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError, not_found
from vertex_emulator.standin import StandIn

_CACHED_MODELS = 16


class Serving:
    """Loads stand-in models and keeps the last ones used in memory.

    Tuned weights live in `adapters_dir`, one file a checkpoint of a model version.
    """

    def __init__(self, database: Database, adapters_dir: Path) -> None:
        self._database = database
        self._adapters_dir = adapters_dir
        self._loaded: dict[Path, StandIn] = {}

    @cached_property
    def _base(self) -> StandIn:
        return StandIn.base()

    @cached_property
    def base_models(self) -> dict[str, dict[str, Any]]:
        """What is known of each base model, by its id."""
        text = Path(__file__).with_name("base_models.json").read_text("utf-8")
        models: dict[str, dict[str, Any]] = json.loads(text)["models"]
        return models

    def is_served(self, model_id: str, on: date | None = None) -> bool:
        """Tells whether a base model exists and is not retired."""
        model = self.base_models.get(model_id)
        if model is None:
            return False
        today = on or datetime.now(UTC).date()
        return "retired" not in model or today < date.fromisoformat(model["retired"])

    def base(self, model_id: str, location: str) -> StandIn:
        """Returns the base model; 404 in Vertex's words if it does not exist or is retired."""
        if not self.is_served(model_id):
            name = f"{location}/publishers/google/models/{model_id}"
            raise ApiError(
                "NOT_FOUND",
                f"Publisher Model `{name}` was not found or your project does not have access to it. Please ensure you"
                " are using a valid model version.",
            )
        return self._base

    def endpoint(self, name: str) -> tuple[StandIn, str]:
        """Returns the model behind a tuned endpoint and that model's resource name.

        Args:
            name: Canonical resource name of the endpoint.

        Raises:
            ApiError: 404 if there is no such endpoint in that location; 400 if nothing is deployed to it.
        """
        document = self._database.get(name)
        if document is None:
            raise not_found(f"Endpoint `{name}`")
        deployed = document.get("deployedModels", [])
        if not deployed:
            raise ApiError("FAILED_PRECONDITION", f"Endpoint `{name}` has no deployed model.")
        model, checkpoint = deployed[0]["model"], deployed[0].get("checkpointId", "")
        return self.tuned(model, checkpoint), model

    def tuned(self, model: str, checkpoint: str = "") -> StandIn:
        """Returns a tuned model.

        Args:
            model: Canonical resource name with its version, `projects/../models/ID@VERSION`.
            checkpoint: A checkpoint's id; the model version's default checkpoint if empty.

        Raises:
            ApiError: 404 if there are no such weights.
        """
        if not checkpoint:
            checkpoint = (self._database.get(model) or {}).get("defaultCheckpointId", "")
        path = self.adapter_path(model, checkpoint)
        if path not in self._loaded:
            if not path.exists():
                raise not_found(f"Model `{model}`")
            while len(self._loaded) >= _CACHED_MODELS:
                del self._loaded[next(iter(self._loaded))]
            self._loaded[path] = StandIn.load(path)
        return self._loaded[path]

    def forget(self, model: str) -> None:
        """Deletes the weights of a model version, of all its checkpoints."""
        folder = self.adapter_path(model, "").parent
        for path in [path for path in self._loaded if path.parent == folder]:
            del self._loaded[path]
        shutil.rmtree(folder, ignore_errors=True)

    def adapter_path(self, model: str, checkpoint: str) -> Path:
        """Returns where the weights of a model version's checkpoint are kept."""
        return self._adapters_dir / model.rpartition("/")[2] / f"checkpoint-{checkpoint}.npz"
