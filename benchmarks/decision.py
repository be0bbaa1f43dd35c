"""How long a decision takes over 5,000 test examples and 10,000 resamples: `python -m benchmarks.decision`.

The numbers are made up: scores, and counts as those that BLEU and chrF, or F1 of 77 labels, are computed from. The best
of three is printed, seconds of the clock.
"""

import time
from collections.abc import Callable

import numpy as np

from gemini_sft.decision import Evidence, Whole, compare
from gemini_sft.decision.bootstrap import RESAMPLES
from gemini_sft.decision.paired import Paired
from gemini_sft.decision.whole import corpus_intervals
from gemini_sft.experiment import Gate
from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.inference import Outcome
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.metrics import classification, generation, rouge
from gemini_sft.metrics.whole import WholeStatistics

_EXAMPLES = 5_000
_GROUP = 5
_LABELS = [f"label {number}" for number in range(77)]
_CONFIDENCE = 0.95


def evaluation(seed: int) -> EvaluationResult:
    """Returns made-up scores of all twelve ROUGE metrics."""
    scores = np.random.default_rng(seed).beta(2, 3, (_EXAMPLES, len(rouge.NAMES)))
    return EvaluationResult(
        model=f"model {seed}",
        served_by="",
        n=_EXAMPLES,
        outcomes={Outcome.ANSWERED: _EXAMPLES},
        failed=[],
        metrics=dict(zip(rouge.NAMES, scores.mean(axis=0).tolist(), strict=True)),
        scores={
            f"{row:016x}": dict(zip(rouge.NAMES, values, strict=True)) for row, values in enumerate(scores.tolist())
        },
    )


def texts(seed: int) -> list[str]:
    """Returns made-up answers."""
    choice = np.random.default_rng(seed)
    return [" ".join(choice.choice(["a", "kettle", "boils", "it", "rains"], 12)) for _ in range(_EXAMPLES)]


def labels(seed: int) -> list[str]:
    """Returns made-up labels."""
    return [_LABELS[number] for number in np.random.default_rng(seed).integers(0, len(_LABELS), _EXAMPLES)]


def seconds(work: Callable[[], object]) -> float:
    """Returns the least of three times."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Prints how long each part takes."""
    base, candidate = evaluation(1), evaluation(2)
    ids = list(base.scores)
    groups = {one: str(row // _GROUP) for row, one in enumerate(ids)}
    slices = {one: {"language": str(row % 7), "length": str(row % 3)} for row, one in enumerate(ids)}

    def differences(clusters: dict[str, str]) -> Callable[[], object]:
        paired = Paired(base, candidate, clusters=clusters)
        return lambda: paired.differences(rouge.NAMES, _CONFIDENCE)

    def whole(of: Callable[[int], list[str]], sums: WholeStatistics) -> Callable[[], object]:
        references = [(one,) for one in of(3)]
        both = Whole(ids, sums(of(1), references), sums(of(2), references))
        return lambda: corpus_intervals(both, {}, _CONFIDENCE)

    print(f"{_EXAMPLES:,} examples, {RESAMPLES:,} resamples")
    print(f"  12 metrics, each example for itself      {seconds(differences({})):5.2f} s (bound 1 s)")
    print(f"  12 metrics, groups of {_GROUP}                  {seconds(differences(groups)):5.2f} s (bound 1 s)")
    of_texts, of_labels = whole(texts, generation.sums(Tokenizer.ASCII)), whole(labels, classification.sums(_LABELS))
    print(f"  BLEU and chrF                            {seconds(of_texts):5.2f} s (bound 2 s)")
    print(f"  micro and macro F1 of {len(_LABELS)} labels          {seconds(of_labels):5.2f} s (bound 2 s)")
    evidence = Evidence(rouge.PRIMARY, base, candidate, slices=slices)
    print(f"  a whole comparison, with 10 slices       {seconds(lambda: compare(Gate(), evidence)):5.2f} s (bound 3 s)")


if __name__ == "__main__":
    main()
