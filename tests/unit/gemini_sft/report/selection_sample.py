"""Made-up selections, realistic enough to be looked at."""

import random
from collections.abc import Sequence

from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.tuning import Candidate, Selection

PLACE = "projects/482915530187/locations/us-central1"


def candidate(epoch: int | None, score: float | None, loss: float | None = None, **changes: object) -> Candidate:
    """Returns a checkpoint that was asked 30 validation examples, if it has a score."""
    made = Candidate(
        job=f"{PLACE}/tuningJobs/5290183746652831744",
        model=f"{PLACE}/models/2718281828459045235@1",
        checkpoint=f"{epoch or ''}",
        epoch=epoch,
        step=None if epoch is None else 60 * epoch,
        endpoint=f"{PLACE}/endpoints/314159265358979323{epoch or 0}",
        n=0 if score is None else 30,
        score=score,
        validation_loss=loss,
    )
    return made.model_copy(update=changes)


def chosen(candidates: Sequence[Candidate], by: CheckpointChoice = CheckpointChoice.METRIC) -> Selection:
    """Returns the selection of the best of them."""
    values = {
        CheckpointChoice.METRIC: [one.score if one.score is not None else -1.0 for one in candidates],
        CheckpointChoice.LOSS: [
            -(one.validation_loss if one.validation_loss is not None else 99) for one in candidates
        ],
        CheckpointChoice.LAST: [float(n) for n in range(len(candidates))],
    }[by]
    reasons = {
        CheckpointChoice.METRIC: "its rougeL_f on validation is the highest",
        CheckpointChoice.LOSS: "its validation loss is the lowest",
        CheckpointChoice.LAST: "the experiment asks for the last",
    }
    place = values.index(max(values))
    return Selection(by=by, metric="rougeL_f", candidates=list(candidates), chosen=place, reason=reasons[by])


def one_job(by: CheckpointChoice = CheckpointChoice.METRIC) -> Selection:
    """Returns three checkpoints of a job that over-fits: the second is the best."""
    scores = (0.3871, 0.4123, 0.3998) if by is CheckpointChoice.METRIC else (None, None, None)
    losses = (0.5312, 0.4217, 0.6144)
    return chosen(
        [candidate(n, score, loss) for n, (score, loss) in enumerate(zip(scores, losses, strict=True), 1)], by
    )


def sweep(trials: int = 4, checkpoints: int = 3, by: CheckpointChoice = CheckpointChoice.METRIC) -> Selection:
    """Returns trials named as a grid names them; the second checkpoint of the second could not be scored."""
    chance = random.Random(5)
    made = []
    for trial in range(trials):
        name = f"epochs=3 adapter_size={2**trial if trials < 6 else trial} learning_rate_multiplier={0.5 + trial / 4:g}"
        level = chance.uniform(0.33, 0.42)
        for epoch in range(1, checkpoints + 1):
            job, model = f"{PLACE}/tuningJobs/{trial}", f"{PLACE}/models/{trial}@1"
            place: dict[str, object] = {"trial": name, "job": job, "model": model}
            score = level + 0.03 * (epoch > 1) - 0.01 * (epoch > 2) + chance.uniform(-0.01, 0.01)
            loss = 0.9 - level + 0.1 / epoch
            if (trial, epoch) == (1, 2):
                error = "9 of 30 answers failed: at most 5% may"
                made.append(candidate(epoch, None, loss, **place, n=30, failures=9, error=error))
            else:
                failures = chance.choice((0, 0, 0, 1))
                scored = score if by is CheckpointChoice.METRIC else None
                made.append(candidate(epoch, scored, loss, **place, failures=failures))
    return chosen(made, by)
