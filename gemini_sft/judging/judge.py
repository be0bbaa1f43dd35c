"""Asking the judge: about every pair in both orders, and about every answer by itself if that is wanted."""

import logging
from collections import Counter
from collections.abc import Sequence

from gemini_sft.data import Example
from gemini_sft.errors import EvaluationError
from gemini_sft.experiment import Experiment
from gemini_sft.inference import Call, Journal, Prediction, Service, predict
from gemini_sft.judging.criteria import criteria_of
from gemini_sft.judging.frame import Frame, comparing, grading
from gemini_sft.judging.judgement import MOST_UNREADABLE, Grades, Judgement, grades, tally
from gemini_sft.judging.pair import Choice, Pair, judged, read, unasked

_log = logging.getLogger(__name__)


def judge(
    service: Service,
    experiment: Experiment,
    examples: Sequence[Example],
    base: Sequence[Prediction],
    candidate: Sequence[Prediction],
    journal: Journal | None = None,
    progress_uri: str | None = None,
) -> Judgement:
    """Compares the answers of two models.

    A judge that does not answer, or not with one of the choices, is not understood and no more: that is no failure of
    the models, nor of the run.

    Args:
        service: Whom to ask; its model is a base model that the catalog knows.
        experiment: Task, criteria, limits and deadlines.
        examples: What was asked.
        base: The base model's predictions, in the examples' order.
        candidate: The candidate's, likewise.
        journal: Where verdicts and grades are kept as they come; None for nowhere.
        progress_uri: Where it is said how far it is; None for nowhere.

    Raises:
        EvaluationError: The predictions are not those of the examples.
        UserError: There are no credentials.
        ServiceError: The journal could not be read or written.
    """
    names = [one.id for one in examples]
    if not names == [one.example_id for one in base] == [one.example_id for one in candidate]:
        raise EvaluationError("the judge was to compare answers to different examples")
    asking = _Asking(service, experiment, journal, progress_uri)
    settings = experiment.evaluation.judge
    triples = list(zip(examples, base, candidate, strict=True))
    pairs = asking.pairs(triples)
    sides: list[Grades | None] = [None, None]
    if settings.pointwise:
        pairs, sides = asking.grades(triples, pairs)
    result = Judgement(
        model=service.model,
        served_by=asking.served_by,
        criteria=criteria_of(experiment.task, settings),
        tally=tally(pairs),
        base_grades=sides[0],
        candidate_grades=sides[1],
        failures=dict(asking.failures.most_common()),
        pairs=pairs,
    )
    _tell(result)
    return result


_Triple = tuple[Example, Prediction, Prediction]


class _Asking:
    """Sends requests to the judge and reads what it says."""

    def __init__(
        self, service: Service, experiment: Experiment, journal: Journal | None, progress_uri: str | None
    ) -> None:
        self._service, self._experiment, self._journal = service, experiment, journal
        self._progress_uri = progress_uri
        self.served_by = ""
        self.failures: Counter[str] = Counter()

    def pairs(self, triples: Sequence[_Triple]) -> list[Pair]:
        """Returns what becomes of each example."""
        frame = comparing(self._experiment.task, self._experiment.evaluation.judge, self._service.model)
        known = {one.id: pair for one, base, candidate in triples if (pair := unasked(base, candidate))}
        calls = [
            frame.call(f"{one.id}:{order}", one, texts)
            for one, base, candidate in triples
            if one.id not in known
            for order, texts in (("ab", (base.text, candidate.text)), ("ba", (candidate.text, base.text)))
        ]
        said = {name: Choice(word) for name, word in self._ask(frame, calls, per_item=2).items()}
        return [
            known.get(one.id) or judged(one.id, said.get(f"{one.id}:ab"), said.get(f"{one.id}:ba"))
            for one, _, _ in triples
        ]

    def grades(self, triples: Sequence[_Triple], pairs: Sequence[Pair]) -> tuple[list[Pair], list[Grades | None]]:
        """Returns the pairs with the grades of both answers, and the means of base and candidate.

        Two identical answers are graded once.
        """
        frame = grading(self._experiment.task, self._experiment.evaluation.judge, self._service.model)
        texts = {
            (one.id, side): prediction.text
            for one, *both in triples
            for side, prediction in zip(("base", "candidate"), both, strict=True)
            if prediction.outcome.has_answer
        }
        examples = {one.id: one for one, _, _ in triples}
        calls = [
            frame.call(f"{name}:{side}", examples[name], [text])
            for (name, side), text in texts.items()
            if side == "base" or texts.get((name, "base")) != text
        ]
        said = {name: int(word) for name, word in self._ask(frame, calls, per_item=1).items()}

        def grade(name: str, side: str) -> int | None:
            same = texts.get((name, "base")) == texts.get((name, side))
            return said.get(f"{name}:{'base' if same else side}")

        graded = [
            one.model_copy(update={f"{side}_grade": grade(one.example_id, side) for side in ("base", "candidate")})
            for one in pairs
        ]
        means: list[Grades | None] = []
        for side in ("base", "candidate"):
            given = [grade(name, side) for name, whose in texts if whose == side]
            means.append(grades(given, len(triples) - len(given)))
        return graded, means

    def _ask(self, frame: Frame, calls: Sequence[Call], *, per_item: int) -> dict[str, str]:
        """Returns the choice of every call in which one was made, by the call's id.

        When so many requests have ended in errors that no rate will be stated, the rest is not asked. An answer that is
        none of the choices is no error: the service holds the judge to them, so there are few.
        """
        most = per_item * int(MOST_UNREADABLE * len(calls) / per_item)
        answers = predict(
            self._service,
            calls,
            self._experiment.evaluation,
            self._journal,
            max_errors=most,
            progress_uri=self._progress_uri,
        )
        said: dict[str, str] = {}
        for one in answers.predictions:
            self.served_by = self.served_by or one.model_version
            choice = read(one, frame.choices)
            if choice is None:
                self.failures[_why(one)] += 1
            else:
                said[one.example_id] = choice
        return said


def _why(verdict: Prediction) -> str:
    return "none of the choices" if verdict.outcome.has_answer else verdict.reason


def _tell(result: Judgement) -> None:
    counts = result.tally
    _log.info(
        "%s: the candidate wins %d, ties %d and loses %d of %d pairs",
        result.model, counts.wins, counts.ties, counts.losses, counts.n,
    )  # fmt: skip
    missing = counts.unreadable + sum(one.unreadable for one in (result.base_grades, result.candidate_grades) if one)
    if missing:
        why = "; ".join(f"{count} x {reason}" for reason, count in list(result.failures.items())[:3])
        rate = "" if counts.win_rate is not None else ", too many for a win rate"
        _log.warning(
            "%s gave no verdict on %d of %d pairs%s: %s", result.model, counts.unreadable, counts.examples, rate, why
        )
