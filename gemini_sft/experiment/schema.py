"""What an experiment may say. Each key's description is its documentation."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Task(StrEnum):
    """What kind of answer is wanted; it fixes the metrics and which of them decides."""

    SUMMARIZATION = "summarization"


class _Section(BaseModel):
    # Strict, or `epochs: true` would be one epoch; infinite, nothing may be.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _readable(uri: str) -> str:
    scheme, separator, _ = uri.rpartition("://")
    if separator and scheme != "gs":
        raise ValueError(f"must be a path or a gs:// URI, not {scheme}://")
    if not uri.lower().endswith((".jsonl", ".csv")):
        raise ValueError("must end in .jsonl or .csv")
    return uri


_DataFile = Annotated[str, Field(min_length=1), AfterValidator(_readable)]


class Data(_Section):
    """Where the examples are: JSONL (`messages` or Gemini `contents`) or CSV (`input_text,output_text`)."""

    train: Annotated[_DataFile, Field(description="Examples to learn from: a path or gs:// URI.")]
    validation: Annotated[
        _DataFile | None, Field(description="Examples on which Vertex AI reports the loss while it tunes.")
    ] = None
    test: Annotated[_DataFile, Field(description="Examples on which base and tuned model are compared.")]


class Prompt(_Section):
    """What stands around the user's text, in training and in serving alike."""

    system_instruction: Annotated[
        str | None, Field(min_length=1, description="Put in front of every example that brings none of its own.")
    ] = None


class Tuning(_Section):
    """Hyperparameters; what is left out, Vertex AI chooses, which is the advice for a first run."""

    epochs: Annotated[int | None, Field(ge=1, le=100, description="Passes over the training data.")] = None
    adapter_size: Annotated[int | None, Field(description="Rank of the adapter; the catalog knows which exist.")] = None
    learning_rate_multiplier: Annotated[
        float | None, Field(gt=0, le=10, description="Scales the learning rate that Vertex AI would use.")
    ] = None
    timeout_minutes: Annotated[
        int, Field(ge=1, le=10080, description="How long the job may take before the run gives it up.")
    ] = 1440


class Evaluation(_Section):
    """How predictions are made; the same for the base and the tuned model."""

    temperature: Annotated[
        float | None, Field(ge=0, le=2, description="Sent to models that take it; 0 for the most likely answer.")
    ] = 0.0
    max_output_tokens: Annotated[int | None, Field(ge=1, le=65536, description="Where an answer is cut.")] = None
    max_concurrency: Annotated[int, Field(ge=1, le=500, description="Requests under way at once.")] = 16
    request_timeout_seconds: Annotated[float, Field(gt=0, description="How long one answer may take.")] = 120
    max_failure_rate: Annotated[
        float, Field(ge=0, le=1, description="Share of examples that may end without an answer before the run fails.")
    ] = 0.1


class Gate(_Section):
    """When the tuned model is better: the interval of the paired difference must lie above `min_gain`."""

    min_gain: Annotated[float, Field(ge=0, le=1, description="What the primary metric must gain at least.")] = 0.0
    confidence: Annotated[float, Field(gt=0.5, lt=1, description="Of the interval of the difference.")] = 0.95


class Experiment(_Section):
    """One use case, ready to run."""

    name: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="Names the runs: lower case, digits and hyphens.")
    ]
    task: Annotated[Task, Field(strict=False, description=f"What kind of answer is wanted: {', '.join(Task)}.")]
    base_model: Annotated[str, Field(min_length=1, description="The Gemini model to tune.")]
    data: Annotated[Data, Field(description="The files of examples: train, validation and test.")]
    prompt: Annotated[Prompt, Field(description="What stands around the user's text.")] = Prompt()
    tuning: Annotated[Tuning, Field(description="Hyperparameters of the tuning job.")] = Tuning()
    evaluation: Annotated[Evaluation, Field(description="How predictions are made.")] = Evaluation()
    gate: Annotated[Gate, Field(description="When the tuned model is better.")] = Gate()
