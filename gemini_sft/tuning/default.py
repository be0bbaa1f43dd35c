"""Which checkpoint a tuned model answers with where nobody names one."""

import contextlib
import logging
import time

from gemini_sft.errors import ServiceError
from gemini_sft.experiment.schema import CHAMPION, PREVIOUS
from gemini_sft.inference.retry import Retry, decide
from gemini_sft.registry import find_version
from gemini_sft.vertex import genai_client, get, location_of

_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)

_log = logging.getLogger(__name__)


def set_default_checkpoint(project: str, location: str, model: str, checkpoint: str) -> None:
    """Makes a checkpoint the default one of a model's version; doing it again changes nothing.

    Raises:
        ServiceError: Vertex AI refused it or did not answer.
    """
    from google.genai.types import UpdateModelConfig

    config = UpdateModelConfig(default_checkpoint_id=checkpoint)
    for pause in (*_PAUSES, None):
        try:
            with contextlib.closing(genai_client(project, location_of(model, location), attempts=1)) as client:
                client.models.update(model=model, config=config)
        except Exception as error:
            if pause is None or decide(error).retry is Retry.NO:
                what = f"checkpoint {checkpoint} could not be made the default one of {model}"
                raise ServiceError(f"{what}: {error}") from error
            time.sleep(pause)
        else:
            _log.info("checkpoint %s is the default one of %s", checkpoint, model)
            return


def chosen_before(model: str, last: str) -> str | None:
    """Returns the default checkpoint of a model if somebody has chosen it: by itself it is the last.

    Raises:
        ServiceError: Vertex AI did not say.
    """
    default = get(model, location_of(model, "")).get("defaultCheckpointId")
    return str(default) if default and default != last else None


def in_use(model: str) -> str | None:
    """Returns the default checkpoint of a model that is the champion, or was before; None if it is neither.

    Raises:
        ServiceError: Vertex AI did not say.
    """
    version = find_version(model)
    return version.default_checkpoint if version and version.aliases & {CHAMPION, PREVIOUS} else None
