"""A made-up run, realistic enough to be looked at, for the tests of the report and of its page in a browser."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from gemini_sft.cost import Bill, Line, Quote, TokenCount, reconcile
from gemini_sft.data import Example
from gemini_sft.data.example import Content, turn
from gemini_sft.decision import Evidence, compare
from gemini_sft.experiment import Data, Experiment, Gate, Prompt, Task
from gemini_sft.inference import Outcome, Prediction
from gemini_sft.inference.evaluation import evaluate
from gemini_sft.metrics import metrics_of
from gemini_sft.report import ReportInput
from gemini_sft.report.input import Arm
from gemini_sft.tuning import Curves, TuningRecord
from gemini_sft.tuning.curves import Curve
from gemini_sft.tuning.record import Checkpoint, DroppedExamples

HOSTILE = (
    "<script>window.__hacked = true</script></script><img src=x onerror=\"window.__hacked = 'img'\">"
    "\"quotes\" 'single' {{ 7 * 7 }} {% raw %} &amp; \u202eright to left\u202c \x00\x1b[31m\u2028\u2029 </style> <!--"
)

PLACE = "projects/482915530187/locations/us-central1"
CHAMPION = f"{PLACE}/models/1618033988749894848@2"

INSTRUCTION = "Summarize the ticket in one sentence for the engineer on duty. Name the product and what is wrong."

_PRODUCTS = ("Atlas router", "Borea thermostat", "Cirrus backup", "Delta scanner", "Eos lamp", "Fjord water meter")
_FAULTS = (
    ("restarts every night", "since the firmware of last week", "restarts nightly since the latest firmware"),
    ("shows the wrong temperature", "as soon as the heating starts", "reports wrong temperatures while heating"),
    ("loses its connection", "when two phones are paired", "disconnects with two phones paired"),
    ("does not finish its first backup", "on drives above four terabytes", "never completes backups above 4 TB"),
    ("prints blank pages", "after the lid was opened", "scans blank pages after the lid opens"),
)


def example(number: int, prompt: str, *references: str, system: str = INSTRUCTION) -> Example:
    return conversation(number, [turn("user", prompt), turn("model", references[0])], *references, system=system)


def conversation(number: int, contents: list[Content], *references: str, system: str = INSTRUCTION) -> Example:
    record = {"systemInstruction": {"parts": [{"text": system}]}, "contents": contents}
    return Example(f"{number:016x}", record, "test.jsonl", number + 1, references)


def sample_examples(n: int) -> list[Example]:
    chance = random.Random(7)
    examples = []
    for number in range(n):
        product, (fault, when, short) = chance.choice(_PRODUCTS), chance.choice(_FAULTS)
        story = (
            f"Hello, I bought the {product} {chance.randint(2, 9)} months ago and was happy with it until now. "
            f"Now it {fault} {when}. I have tried turning it off, another cable and another room, and your colleague "
            f"on the phone asked me to write. Nothing has helped so far. "
        )
        filler = "Please tell me what to do, because the whole family depends on it. " * chance.choice((0, 0, 1, 4))
        examples.append(example(number, story + filler, f"{product} {short}."))
    return examples


def answers(examples: Sequence[Example], quality: float, seed: int) -> list[Prediction]:
    """Returns answers that keep about `quality` of the reference's words, some requests failing."""
    chance = random.Random(seed)
    made = []
    for one in examples:
        if chance.random() < 0.04:
            blocked = chance.random() < 0.5
            made.append(
                Prediction(example_id=one.id, outcome=Outcome.BLOCKED, finish_reason="SAFETY")
                if blocked
                else Prediction(
                    example_id=one.id,
                    outcome=Outcome.ERROR,
                    error="503 UNAVAILABLE: The service is currently unavailable.",
                )
            )
            continue
        words = [word for word in one.target.split() if chance.random() < quality]
        padding = "The customer writes that the device they bought some months ago has a problem:"
        text = " ".join(words) if chance.random() < quality else f"{padding} {' '.join(words)}"
        made.append(
            Prediction(
                example_id=one.id,
                outcome=Outcome.TRUNCATED if chance.random() < 0.03 else Outcome.ANSWERED,
                text=text or "Unknown.",
                finish_reason="STOP",
                model_version="gemini-2.5-flash-lite",
            )
        )
    return made


def sample_curves(steps: int = 180, *, validation: bool = True) -> Curves:
    chance = random.Random(3)
    at = list(range(1, steps + 1))
    loss = [0.62 + 1.7 * math.exp(-step / 45) + chance.uniform(-0.06, 0.06) for step in at]
    accuracy = [0.87 - 0.36 * math.exp(-step / 50) + chance.uniform(-0.012, 0.012) for step in at]
    on = list(range(15, steps + 1, 15))
    return Curves(
        train_loss=Curve(steps=at, values=loss),
        train_accuracy=Curve(steps=at, values=accuracy),
        validation_loss=Curve(steps=on, values=[0.85 + 1.4 * math.exp(-step / 40) + (step / 900) ** 2 for step in on])
        if validation
        else None,
        validation_accuracy=Curve(steps=on, values=[0.82 - 0.32 * math.exp(-step / 45) for step in on])
        if validation
        else None,
    )


def sample_record(train: int = 240, **changes: object) -> TuningRecord:
    record = TuningRecord(
        job=f"{PLACE}/tuningJobs/5290183746652831744",
        base_model="gemini-2.5-flash-lite",
        model=f"{PLACE}/models/2718281828459045235@1",
        endpoint=f"{PLACE}/endpoints/3141592653589793238",
        checkpoints=[
            Checkpoint(id=f"{n}", epoch=n, step=60 * n, endpoint=f"{PLACE}/endpoints/314159265358979323{n}")
            for n in (1, 2, 3)
        ],
        experiment=f"{PLACE}/metadataStores/default/contexts/tuning-experiment-20261122",
        epochs=3,
        adapter_size="ADAPTER_SIZE_FOUR",
        learning_rate_multiplier=1.0,
        examples=train - 2,
        steps=180,
        billable_tokens=48_213,
        dropped=DroppedExamples(count=2, indices=[17, 203], reasons=["too many tokens", "too many tokens"]),
        seconds=1457.0,
    )
    return record.model_copy(update=changes)


def sample_input(
    n: int = 60, *, quality: tuple[float, float] = (0.55, 0.85), served_by: str = "gemini-2.5-flash-lite"
) -> ReportInput:
    test = sample_examples(n)
    base, tuned = (answers(test, one, seed) for seed, one in enumerate(quality, 1))
    return made_of(test, base, tuned, served_by=served_by)


def made_of(
    test: Sequence[Example],
    base: Sequence[Prediction],
    tuned: Sequence[Prediction],
    *,
    task: Task = Task.SUMMARIZATION,
    served_by: str = "gemini-2.5-flash-lite",
    gate: Gate | None = None,
    labels: Sequence[str] = (),
    champion: Sequence[Prediction] | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> ReportInput:
    """Returns the input for given examples and predictions; of 240 training examples the 17th and 203rd are dropped.

    Args:
        test: The test split.
        base: The base model's answers to it.
        tuned: The tuned model's.
        task: Has the metrics.
        served_by: What answered.
        gate: Decides.
        labels: Of a classification.
        champion: The champion's answers, if there is one.
        evidence: What else the decision rests on.
    """
    experiment = Experiment(
        name="ticket-summaries",
        task=task,
        base_model="gemini-2.5-flash-lite",
        data=Data(
            train="samples/tickets/train.jsonl", validation="samples/tickets/validation.jsonl", test="test.jsonl"
        ),
        prompt=Prompt(system_instruction=INSTRUCTION),
        gate=gate or Gate(min_gain=0.02),
    )
    metrics = metrics_of(task, labels=labels)

    def arm(model: str, predictions: Sequence[Prediction]) -> Arm:
        result = evaluate(metrics, model, test, predictions, max_failure_rate=1.0)
        return Arm(result.model_copy(update={"served_by": served_by}), predictions)

    before, after = arm("gemini-2.5-flash-lite", base), arm(f"{PLACE}/endpoints/3141592653589793238", tuned)
    in_use = None if champion is None else arm(f"{PLACE}/endpoints/1414213562373095048", champion)
    known: dict[str, Any] = {"primary": metrics.primary, "base": before.result, "candidate": after.result}
    if in_use:
        known |= {"champion": in_use.result, "champion_name": CHAMPION}
    return ReportInput(
        run_id="ticket-summaries-20261122-141503",
        experiment=experiment,
        comparison=compare(experiment.gate, Evidence(**known | dict(evidence or {}))),
        base=before,
        candidate=after,
        champion=in_use,
        train_examples=240,
        dropped_sources={17: ("train.jsonl", 18), 203: ("more.csv", 9)},
        test=test,
        tuning=sample_record(),
        curves=sample_curves(),
        quote=sample_quote(),
        cost=reconcile(sample_quote(), [Bill(trial="", tokens=151_240, epochs=4)]),
    )


def sample_quote() -> Quote:
    count = TokenCount(examples=240, counted=240, tokens=150_000, error=0)
    return Quote(
        model="gemini-2.5-flash-lite",
        lines=[
            Line(
                what="tuning",
                model="gemini-2.5-flash-lite",
                tokens=600_000,
                output_tokens=0,
                usd=0.9,
                error_usd=0.0,
                how="words",
            )
        ],
        usd=0.9,
        error_usd=0.0,
        price_date=date(2026, 9, 24),
        train=count,
        epochs=4,
        epochs_assumed=False,
        notes=[],
    )


def without_curves(data: ReportInput) -> ReportInput:
    return replace(data, curves=Curves())


def answered(one: Example, text: str) -> Prediction:
    return Prediction(example_id=one.id, outcome=Outcome.ANSWERED, text=text)
