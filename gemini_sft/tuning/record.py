"""What a tuning job has brought."""

from pydantic import BaseModel, ConfigDict


class Checkpoint(BaseModel):
    """The model as it was after some epoch, with an endpoint of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    epoch: int
    step: int
    endpoint: str


class DroppedExamples(BaseModel):
    """Training examples that Vertex AI refused: it names some of them, counted from 1, with its reasons."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int
    indices: list[int]
    reasons: list[str]


class JobEvaluation(BaseModel):
    """What the job itself computed of a checkpoint.

    Attributes:
        checkpoint: Its id.
        scores: Mean of each metric on the validation split, by the service's name of it.
        error: Why there is none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    checkpoint: str
    scores: dict[str, float]
    error: str | None = None


class TuningRecord(BaseModel):
    """A tuning job that brought a model.

    Attributes:
        job: Resource name of the job.
        intent: What it was made for, as its label says.
        adopted: Whether it was there already: another attempt or another run had made it.
        made_by: The run that has made it; empty if its label does not say.
        trial: Which one of a sweep it is; empty if there is no sweep.
        base_model: The Gemini model at its root.
        started_from: The tuned model that was tuned further, with its version; None for the base model itself.
        started_from_checkpoint: Of that model; None if it has none.
        model: Resource name of the tuned model, with its version.
        endpoint: Resource name of the endpoint that answers for it.
        checkpoints: In the order of their epochs; empty if only the last was exported.
        experiment: The Vertex AI experiment that holds the job's curves; empty if there is none.
        epochs: As the service ran them.
        adapter_size: Likewise; as its enum word.
        learning_rate_multiplier: Likewise.
        examples: How many the service trained on and counted.
        steps: Optimizer steps.
        billable_tokens: In the training data.
        dropped: What it left out.
        evaluations: What the job computed of its checkpoints, if it was asked to.
        notes: What went wrong without ending it, in sentences.
        seconds: From the job's making to its end.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    job: str
    intent: str = ""
    adopted: bool = False
    made_by: str = ""
    trial: str = ""
    base_model: str
    started_from: str | None = None
    started_from_checkpoint: str | None = None
    model: str
    endpoint: str
    checkpoints: list[Checkpoint]
    experiment: str
    epochs: int | None
    adapter_size: str | None
    learning_rate_multiplier: float | None
    examples: int
    steps: int
    billable_tokens: int
    dropped: DroppedExamples
    evaluations: list[JobEvaluation] = []
    notes: list[str] = []
    seconds: float

    def lineage(self) -> dict[str, str]:
        """Returns what the artifact says of itself in the lineage: where the model came from."""
        known = {
            "job": self.job,
            "intent": self.intent,
            "adopted": "yes" if self.adopted else "no",
            "made_by": self.made_by,
            "base_model": self.base_model,
            "started_from": self.started_from,
            "started_from_checkpoint": self.started_from_checkpoint,
            "model": self.model,
            "endpoint": self.endpoint,
        }
        return {name: value for name, value in known.items() if value}
