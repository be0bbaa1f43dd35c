"""Made-up runs that have everything, for whoever looks at the report as a whole."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from gemini_sft.cost import Line, Quote
from gemini_sft.data import Example
from gemini_sft.decision import Evidence, Judged, few_shot_arm
from gemini_sft.experiment import Gate, Task
from gemini_sft.experiment.rules import Policy
from gemini_sft.experiment.schema import Budget, Guard
from gemini_sft.inference import Prediction, Traffic
from gemini_sft.judging import Tally
from gemini_sft.report import ReportInput
from gemini_sft.report.input import Arm
from tests.unit.gemini_sft.report.data_sample import broken, split, summary
from tests.unit.gemini_sft.report.sample import (
    answered,
    answers,
    example,
    made_of,
    sample_examples,
    sample_quote,
)
from tests.unit.gemini_sft.report.selection_sample import one_job

LANGUAGES = ("English", "German", "Japanese")
LABELS = ("billing", "hardware", "network", "access", "returns", "shipping", "warranty", "other")
JUDGE = "gemini-2.5-pro"
COMMAND = "gemini-sft run experiments/ticket-summaries.yaml --on vertex --set tuning.epochs=3 --location us-central1"


def counted(predictions: Sequence[Prediction], prompt: int) -> list[Prediction]:
    """Returns predictions with tokens, as a service counts them."""
    return [
        one.model_copy(update={"prompt_tokens": prompt, "output_tokens": 2 * len(one.text.split())})
        for one in predictions
    ]


def timed(arm: Arm, median: float) -> Arm:
    """Returns an arm with a traffic in which half of the answers came within so many seconds."""
    n = len(arm.predictions)
    return replace(
        arm,
        traffic=Traffic(
            examples=n, kept=0, requests=n + 3, refusals=3, seconds=30.0, per_second=n / 30, latency_median=median,
            latency_p95=3 * median, prompt_tokens=sum(one.prompt_tokens for one in arm.predictions),
            output_tokens=sum(one.output_tokens for one in arm.predictions),
        ),
    )  # fmt: skip


def judged() -> Judged:
    tally = Tally(
        examples=240, wins=130, ties=70, losses=36, unreadable=4, win_rate=0.699, identical=12, missing=15, judged=209,
        first_place=9, second_place=14,
    )  # fmt: skip
    return Judged(
        model=JUDGE, served_by=JUDGE, tally=tally, low=0.66, high=0.74, confidence=0.95, base_grades=None,
        candidate_grades=None, failures={"none of the choices": 4},
    )  # fmt: skip


def sliced(test: Sequence[Example], columns: dict[str, Sequence[str]], seed: int = 5) -> dict[str, dict[str, str]]:
    """Returns values in some columns for every example; the last of a column is rare."""
    chance = random.Random(seed)
    weights = {name: [*([10] * (len(values) - 1)), 1] for name, values in columns.items()}
    return {
        one.id: {name: chance.choices(values, weights[name])[0] for name, values in columns.items()} for one in test
    }


def quote_lines() -> Quote:
    base, model = sample_quote(), "gemini-2.5-flash-lite"
    whats = ("the base model", "the base model with 4 examples", "the champion", "the tuned model")
    lines = [
        Line(
            what=f"evaluation of {what}", model=model, tokens=62_000, output_tokens=4_100, usd=0.0078, error_usd=0.0001,
            how="62,000 tokens sent at 0.10 USD per 1M, 4,100 tokens answered at 0.40 USD per 1M",
        )
        for what in whats
    ]  # fmt: skip
    notes = ["Vertex AI chooses the epochs: 4 are a guess."]
    return base.model_copy(
        update={"lines": [*base.lines, *lines], "usd": 0.9312, "notes": notes, "price_date": date(2026, 9, 24)}
    )


def finished(data: ReportInput, **changes: Any) -> ReportInput:
    """Returns a run with all that is known of where it came from."""
    quote = quote_lines()
    rules = (broken("personal_data", Policy.WARN, 4), broken("duplicate", Policy.DROP, 33))
    known = summary(*rules, splits={"train": split(240, 33), "validation": split(30), "test": split(len(data.test))})
    budget = Budget(max_usd=5.0)
    return replace(
        data,
        experiment=data.experiment.model_copy(update={"budget": budget}),
        selection=one_job(),
        quote=quote,
        data=known,
        command=COMMAND,
        origins={
            "Experiment file": "gs://tickets-gemini-sft/runs/ticket-summaries/experiment.yaml",
            "Training examples": "gs://tickets-gemini-sft/runs/ticket-summaries-20261122-141503/train",
            "Test examples": "gs://tickets-gemini-sft/runs/ticket-summaries-20261122-141503/test",
            "Hash of the test examples": "6f1ed002ab559585",
            "Fingerprint of the prompt": "0123456789abcdef",
        },
        **changes,
    )


def promoted(n: int = 240) -> ReportInput:
    """Champion, guards, parts, control arm and judge; one part has lost, one has too few examples."""
    test = sample_examples(n)
    parts = sliced(test, {"language": LANGUAGES, "channel": ("mail", "phone", "chat", "fax")})
    base, few, champion = (
        counted(answers(test, q, k), t) for q, k, t in ((0.4, 1, 210), (0.55, 2, 890), (0.5, 3, 212))
    )
    tuned = counted(answers(test, 0.98, 4), 212)
    phone = {key for key, row in parts.items() if row["channel"] == "phone"}
    worse = {one.example_id: one for one in counted(answers(test, 0.1, 6), 212)}
    tuned = [worse[one.example_id] if one.example_id in phone and n > 100 else one for one in tuned]
    guards = [
        Guard(metric="failure_rate", max_drop=0.05),
        Guard(metric="rouge1_recall", max_drop=0.02),
        Guard(slice="language=German", max_drop=0.05),
    ]
    gate = Gate(min_gain=0.02, guards=guards, min_win_rate=0.5)
    extra = {"slices": parts, "judge": judged(), "tries": 2}
    data = made_of(test, base, tuned, gate=gate, champion=champion, evidence=extra)
    result = data.base.result
    shots = made_of(test, base, few).candidate
    evidence = Evidence("rougeL_f", result, data.candidate.result)
    arm = few_shot_arm(4, shots.result, evidence, 0.95, {"few_shot": few, "candidate": tuned})
    data = replace(data, comparison=data.comparison.model_copy(update={"few_shot": arm}))
    assert data.champion
    return finished(
        data,
        base=timed(data.base, 0.41),
        few_shot=timed(shots, 0.62),
        champion=timed(data.champion, 0.44),
        candidate=timed(data.candidate, 0.43),
    )


def rejected_classification(n: int = 200, labels: Sequence[str] = LABELS) -> ReportInput:
    """Eight labels, of which the tuned model takes some for others more often than the base model."""
    chance = random.Random(11)
    right = [chance.choice(labels) for _ in range(n)]
    test = [example(k, f"My {label} problem number {k} is not solved.", label) for k, label in enumerate(right)]

    def made(share: float) -> list[Prediction]:
        texts = [one.target if chance.random() < share else chance.choice([*labels, "I do not know"]) for one in test]
        return counted([answered(one, text) for one, text in zip(test, texts, strict=True)], 120)

    base, tuned = made(0.85), made(0.55)
    return finished(made_of(test, base, tuned, task=Task.CLASSIFICATION, labels=labels))


def inconclusive(n: int = 24) -> ReportInput:
    """Too few examples for what little is gained."""
    test = sample_examples(n)
    return finished(made_of(test, counted(answers(test, 0.7, 1), 210), counted(answers(test, 0.72, 2), 212)))
