"""What a tuning job is asked to do, and what makes two such wishes the same."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from gemini_sft import storage
from gemini_sft.experiment import Tuning
from gemini_sft.experiment.tuning import JobMetric
from gemini_sft.tuning.base import Base

if TYPE_CHECKING:
    from google.genai.types import CreateTuningJobConfig, EvaluationConfig, Metric, UnifiedMetric

_SIZES = {1: "ONE", 2: "TWO", 4: "FOUR", 8: "EIGHT", 16: "SIXTEEN", 32: "THIRTY_TWO"}
_PART = 1 << 20
_LONGEST_NAME = 128
_LONGEST_LABEL = 63


@dataclass(frozen=True)
class TuningRequest:
    """One tuning job.

    Attributes:
        project: Google Cloud project.
        location: Region of the job.
        base: What is tuned.
        run_id: Whose job it is; a label.
        trial: Which one of a sweep; empty if there is no sweep.
        train_uri: JSONL in Gemini's tuning format.
        validation_uri: Likewise; None for none.
        train_digest: Of the content of the training data, in hexadecimal digits.
        validation_digest: Likewise; empty for none.
        prompt: The fingerprint of what stands around the user's text.
        examples: How many the training data have.
        place: Tells where the user has a training example, by its number from 1.
        settings: Hyperparameters, of which only those that were set are sent, and what the job carries.
        labels: Put on job, model and endpoints, beside `run` and `intent`.
        claims_uri: Folder at `gs://` in which whoever is about to make a job says so; None if nobody else can.
        evaluation_uri: Folder at `gs://` for what the job evaluates itself.
        progress_uri: Of a file in which it is said how far the job is; None for nowhere.
    """

    project: str
    location: str
    base: Base
    run_id: str
    train_uri: str
    validation_uri: str | None
    train_digest: str
    validation_digest: str
    prompt: str
    examples: int
    place: Callable[[int], str]
    settings: Tuning
    labels: dict[str, str]
    claims_uri: str | None
    evaluation_uri: str
    trial: str = ""
    progress_uri: str | None = None

    @property
    def intent(self) -> str:
        """What is wanted, whoever wants it: 40 hexadecimal digits.

        It covers the experiment, whose model it will be; the content of the data and the prompt around it, the base
        model, the hyperparameters and the region: what decides which model comes out, and with which prompt it may be
        asked. Two jobs with the same intent would be paid for twice.
        """
        settings = self.settings
        wish = {
            "experiment": self.labels.get("experiment"),
            "train": self.train_digest,
            "validation": self.validation_digest,
            "prompt": self.prompt,
            "base": self.base.model or self.base.id,
            "checkpoint": self.base.checkpoint,
            "location": self.location,
            "kms_key": settings.kms_key,
            "evaluation": sorted(settings.evaluation),
            "epochs": settings.epochs,
            "adapter_size": settings.adapter_size,
            "learning_rate_multiplier": settings.learning_rate_multiplier,
            "attempt": settings.attempt,
        }
        return hashlib.sha256(orjson.dumps(wish, option=orjson.OPT_SORT_KEYS)).hexdigest()[:40]

    @property
    def title(self) -> str:
        """How messages speak of the job: of which trial of a sweep it is."""
        return f"the tuning job of {self.trial}," if self.trial else "tuning job"

    @property
    def all_labels(self) -> dict[str, str]:
        """The labels of the job: the user's, and those by which the project finds its own."""
        return self.settings.labels | self.labels | {"run": self.run_id[-_LONGEST_LABEL:], "intent": self.intent}

    def config(self) -> "CreateTuningJobConfig":
        """Returns how it is tuned, as google-genai takes it.

        It must be of the SDK's own type: of a dict, google-genai 2.34 passes over `pre_tuned_model_checkpoint_id` and
        `evaluation_config` without a word.
        """
        from google.genai import types

        settings, validation = self.settings, self.validation_uri
        size, key = settings.adapter_size, settings.kms_key
        # google-genai has no parameter for the service account.
        extra = {"serviceAccount": settings.service_account} if settings.service_account else None
        name = f"{self.run_id} {self.trial}".strip()[:_LONGEST_NAME]
        return types.CreateTuningJobConfig(
            tuned_model_display_name=name,
            description=settings.description,
            validation_dataset=types.TuningValidationDataset(gcs_uri=validation) if validation else None,
            epoch_count=settings.epochs,
            adapter_size=types.AdapterSize(f"ADAPTER_SIZE_{_SIZES[size]}") if size else None,
            learning_rate_multiplier=settings.learning_rate_multiplier,
            pre_tuned_model_checkpoint_id=self.base.checkpoint,
            labels=self.all_labels,
            encryption_spec=types.EncryptionSpec(kms_key_name=key) if key else None,
            evaluation_config=self._evaluation() if settings.evaluation else None,
            # An answer that was lost does not mean a job that was not made: nothing is sent twice.
            http_options=types.HttpOptions(retry_options=types.HttpRetryOptions(attempts=1), extra_body=extra),
        )

    def _evaluation(self) -> "EvaluationConfig":
        from google.genai import types

        prefix = types.GcsDestination(output_uri_prefix=self.evaluation_uri)
        return types.EvaluationConfig(
            metrics=[_metric(one) for one in self.settings.evaluation],
            output_config=types.OutputConfig(gcs_destination=prefix),
        )


def _metric(metric: JobMetric) -> "Metric | UnifiedMetric":
    from google.genai import types

    if metric is JobMetric.ROUGE:  # by its name, google-genai 2.34 would ask for a type in lower case, which is none
        return types.UnifiedMetric(rouge_spec=types.RougeSpec(rouge_type="rougeLsum"))
    return types.Metric(name=metric.value)


def digest(uri: str) -> str:
    """Returns the SHA-256 of a file or object, in hexadecimal digits; for errors see `storage.open_reader`."""
    found = hashlib.sha256()
    with storage.open_reader(uri) as file:
        while part := file.read(_PART):
            found.update(part)
    return found.hexdigest()
