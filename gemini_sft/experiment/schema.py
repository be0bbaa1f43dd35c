"""What an experiment may say. Each key's description is its documentation."""

import difflib
import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from gemini_sft.experiment.rules import RULES, Policy
from gemini_sft.experiment.section import Section
from gemini_sft.experiment.template import columns_of
from gemini_sft.experiment.tuning import Sweep, Tuning


class Task(StrEnum):
    """What kind of answer is wanted; it fixes the default prompt, the metrics and which of them decides."""

    SUMMARIZATION = "summarization"
    QUESTION_ANSWERING = "question_answering"
    CLASSIFICATION = "classification"
    CHAT = "chat"
    GENERATION = "generation"
    EXTRACTION = "extraction"


_SECRET = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|projects/[^/@\s]+/secrets/[\w-]+(/versions/[\w-]+)?")

SCHEMES = ("gs", "https", "http", "bq")
"""Where data may be, beside local paths."""
SUFFIXES = (".jsonl", ".csv", ".tsv", ".parquet")
"""Of data files; all but Parquet may be followed by `.gz`."""


def _readable(uri: str) -> str:
    scheme, separator, rest = uri.partition("://")
    if separator and scheme not in SCHEMES:
        raise ValueError(f"must be a path or begin with {', '.join(f'{one}://' for one in SCHEMES)}")
    if scheme == "bq" and separator:
        if len(rest.split(".")) != 3 or not all(rest.split(".")):
            raise ValueError("must be bq://PROJECT.DATASET.TABLE")
        return uri
    path = uri.partition("?")[0].lower() if scheme in ("http", "https") else uri.lower()
    if not path.removesuffix(".gz").endswith(SUFFIXES) or path.endswith(".parquet.gz"):
        raise ValueError(f"must end in {', '.join(SUFFIXES)}, or in .gz after one of the first three")
    return uri


_Uri = Annotated[str, Field(min_length=1), AfterValidator(_readable)]
Sources = _Uri | Annotated[list[_Uri], Field(min_length=1)]
"""One file, table or glob, or several of them."""


def _known_policies(policies: dict[str, Policy]) -> dict[str, Policy]:
    for name, policy in policies.items():
        if name not in RULES:
            near = difflib.get_close_matches(name, RULES, n=1)
            raise ValueError(f"{name} is not a rule" + (f": did you mean {near[0]}?" if near else ""))
        if policy not in RULES[name].policies:
            raise ValueError(f"{name} can only be {' or '.join(RULES[name].policies)}")
    return policies


class Split(Section):
    """How one source is divided, if no test file is given."""

    validation: Annotated[float, Field(ge=0, le=0.5, description="Share that becomes the validation split.")] = 0.1
    test: Annotated[float, Field(gt=0, le=0.8, description="Share that becomes the test split.")] = 0.2


class Data(Section):
    """Where the examples are, how they are divided, and what is done about those that break a rule."""

    train: Annotated[
        Sources,
        Field(description="Examples to learn from: path, glob, `gs://`, `https://`, `bq://PROJECT.DATASET.TABLE`."),
    ]
    validation: Annotated[
        Sources | None, Field(description="Examples on which Vertex AI reports the loss while it tunes.")
    ] = None
    test: Annotated[
        Sources | None,
        Field(description="Examples on which base and tuned model are compared; without them, `train` is divided."),
    ] = None
    split: Annotated[Split, Field(description="How `train` is divided if there is no `test`.")] = Split()
    group: Annotated[
        str | None, Field(min_length=1, description="Column, such as a document's id, whose rows stay together.")
    ] = None
    slices: Annotated[
        list[Annotated[str, Field(min_length=1)]],
        Field(max_length=10, description="Columns, such as a language, by whose values test is looked at in parts."),
    ] = Field(default_factory=list)
    labels: Annotated[
        list[str] | None, Field(min_length=2, description="All labels of a classification; else learnt from `train`.")
    ] = None
    seed: Annotated[
        int, Field(ge=0, description="Of everything that is drawn: splits, samples, few-shot examples.")
    ] = 0
    policy: Annotated[
        dict[str, Annotated[Policy, Field(strict=False)]],
        AfterValidator(_known_policies),
        Field(
            description="What is done about findings: `error`, `drop` or `warn` for each rule (see docs/data.md).",
        ),
    ] = Field(default_factory=dict)


def listed(sources: str | list[str] | None) -> list[str]:
    """Returns what a split is read from, be it one thing, several or none."""
    return [sources] if isinstance(sources, str) else sources or []


def _template(text: str) -> str:
    columns_of(text)
    return text


_Template = Annotated[str, Field(min_length=1), AfterValidator(_template)]


class Prompt(Section):
    """How a row becomes a prompt, in training and in serving alike."""

    system_instruction: Annotated[
        str | None, Field(min_length=1, description="Put in front of every example that brings none of its own.")
    ] = None
    system_instruction_file: Annotated[
        str | None, Field(min_length=1, description="A text file that holds it, beside the experiment file.")
    ] = None
    template: Annotated[
        _Template | None,
        Field(description="The user's turn, with `{column}` for each column; a brace is written twice."),
    ] = None
    template_file: Annotated[
        str | None, Field(min_length=1, description="A text file that holds it, beside the experiment file.")
    ] = None
    target: Annotated[str | None, Field(min_length=1, description="The column of the answer that is wanted.")] = None
    few_shot: Annotated[
        int, Field(ge=0, le=50, description="Examples drawn from train and shown in the system instruction.")
    ] = 0


class Backend(StrEnum):
    """How a model is asked."""

    ONLINE = "online"
    BATCH = "batch"


class Tokenizer(StrEnum):
    """What counts as a word where answers are compared by their words."""

    ASCII = "ascii"
    UNICODE = "unicode"


class Judge(Section):
    """A Gemini model that compares the answers of two models. It costs, and is off unless a model is named."""

    model: Annotated[
        str | None, Field(min_length=1, description="The Gemini model that compares answers; none for no judge.")
    ] = None
    criteria: Annotated[
        str | None, Field(min_length=1, description="What makes an answer good; else what the task suggests.")
    ] = None
    pointwise: Annotated[bool, Field(description="Also grade each answer by itself, from 1 to 5.")] = False


def _function(text: str) -> str:
    path, _, name = text.rpartition(":")
    if not path.endswith(".py") or not name.isidentifier():
        raise ValueError("must be PATH.py:FUNCTION")
    return text


class Evaluation(Section):
    """How predictions are made and scored; the same for the base and the tuned model."""

    backend: Annotated[
        Backend,
        Field(
            strict=False,
            description="`online` asks one request an example; `batch` leaves all of them to a batch job, for half the"
            " price and within a day.",
        ),
    ] = Backend.ONLINE
    temperature: Annotated[
        float | None, Field(ge=0, le=2, description="Sent to models that take it; 0 for the most likely answer.")
    ] = 0.0
    max_output_tokens: Annotated[int | None, Field(ge=1, le=65536, description="Where an answer is cut.")] = None
    max_concurrency: Annotated[
        int, Field(ge=1, le=1000, description="Requests under way at once, at most: as many as the quota bears.")
    ] = 100
    max_requests_per_minute: Annotated[
        int | None, Field(ge=1, description="A limit of your own, to leave quota to others.")
    ] = None
    request_timeout_seconds: Annotated[float, Field(gt=0, description="How long one answer may take.")] = 120
    timeout_minutes: Annotated[
        float | None,
        Field(
            gt=0,
            le=10080,
            description="How long all answers of one model may take: 1440 if not set, 4320 in a batch job.",
        ),
    ] = None
    max_failure_rate: Annotated[
        float, Field(ge=0, le=1, description="Share of examples that may end without an answer before the run fails.")
    ] = 0.1
    tokenizer: Annotated[
        Tokenizer,
        Field(
            strict=False,
            description="Words for ROUGE, BLEU and token F1: `ascii` as the reference implementations have it, to which"
            " other scripts are nothing; `unicode` for all languages.",
        ),
    ] = Tokenizer.ASCII
    metrics: Annotated[
        list[Annotated[str, AfterValidator(_function)]],
        Field(description="Metrics of your own, each `PATH.py:FUNCTION` (see docs/evaluation.md)."),
    ] = Field(default_factory=list)
    lower_is_better: Annotated[
        dict[str, float],
        Field(
            description="Those of your own of which less is better, each with what a failure scores: `{edits: 100}`."
        ),
    ] = Field(default_factory=dict)
    few_shot: Annotated[
        int,
        Field(ge=0, le=50, description="Also evaluate the base model with so many examples from train in its prompt."),
    ] = 0
    judge: Annotated[Judge, Field(description="A Gemini model that compares answers.")] = Judge()


FAILURE_RATE = "failure_rate"
"""What a guard calls the share of examples without an answer that could be scored."""


class Guard(Section):
    """Something that must not get worse by more than a little, whatever the deciding metric gains."""

    metric: Annotated[
        str | None, Field(min_length=1, description=f"Which metric, or `{FAILURE_RATE}`; else the one that decides.")
    ] = None
    slice: Annotated[
        str | None,
        Field(
            pattern=r"^[^=]+(=.*)?$", description="On which part of test: `COLUMN=VALUE`, or `COLUMN` for each value."
        ),
    ] = None
    max_drop: Annotated[float, Field(ge=0, description="By how much it may get worse.")] = 0.0


class Gate(Section):
    """When the tuned model is better: the interval of the paired difference must lie above `min_gain`."""

    metric: Annotated[
        str | None,
        Field(min_length=1, description="The metric that decides, one of your own if you like; else the task's."),
    ] = None
    min_gain: Annotated[float, Field(ge=0, description="What the deciding metric must gain at least.")] = 0.0
    confidence: Annotated[float, Field(gt=0.5, lt=1, description="Of the interval of the difference.")] = 0.95
    guards: Annotated[
        list[Guard],
        Field(max_length=20, description="What must not get worse by more than a little, each shown by its interval."),
    ] = Field(default_factory=list)
    min_win_rate: Annotated[
        float | None, Field(ge=0, le=1, description="What the judge's win rate must be at least, by its interval.")
    ] = None


class Budget(Section):
    """What a run may cost."""

    max_usd: Annotated[
        float | None, Field(gt=0, description="The run stops before anything is spent if its quote is higher.")
    ] = None
    max_usd_per_month: Annotated[
        float | None, Field(gt=0, description="The same for what all runs of 30 days are quoted at, together.")
    ] = None
    allow_unknown_price: Annotated[
        bool, Field(description="Run although the catalog does not know what the model costs.")
    ] = False
    exact_count: Annotated[
        int, Field(ge=10, description="Tokens of so many examples are all counted; of more, a sample of that size.")
    ] = 1000


class Retraining(Section):
    """When a scheduled run tunes, and when it raises an alarm."""

    min_new_examples: Annotated[
        int, Field(ge=0, description="It tunes only if train has so many examples that the champion was not tuned on.")
    ] = 10
    max_drop: Annotated[
        float,
        Field(ge=0, description="Alarm if the champion's primary metric is shown to have fallen by more than this."),
    ] = 0.0
    warn_days: Annotated[
        int, Field(ge=0, description="Alarm so many days before the base model or the champion's retires.")
    ] = 90


def _secret(place: str) -> str:
    if not _SECRET.fullmatch(place):
        raise ValueError("must be env:NAME or projects/PROJECT/secrets/NAME: where the address is, not the address")
    return place


class Notification(Section):
    """Who is told how a run ended."""

    webhook: Annotated[
        Annotated[str, AfterValidator(_secret)] | None,
        Field(
            description="Where the address of a Slack-compatible webhook is kept: `env:NAME`, a variable of the machine"
            " that the tasks run on, or `projects/PROJECT/secrets/NAME[/versions/VERSION]` in Secret Manager."
        ),
    ] = None
    email: Annotated[
        list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]],
        Field(max_length=3, description="Addresses that Vertex AI Pipelines sends an e-mail to, at most 3."),
    ] = Field(default_factory=list)


CHAMPION = "champion"
"""The alias of the model that an experiment has promoted; as a base model, that model."""
PREVIOUS = "previous"
"""The alias of the one before it."""
_TUNED = re.compile(r"projects/[^/@]+/locations/[^/@]+/models/[^/@]+(@[^/@]+)?")


def is_tuned(base_model: str) -> bool:
    """Returns whether a base model is itself a tuned one, named as a resource or as the champion."""
    return base_model == CHAMPION or bool(_TUNED.fullmatch(base_model))


def _model_name(name: str) -> str:
    if "/" in name and not is_tuned(name):
        hint = ": an endpoint answers, but what is tuned further is its model" if "/endpoints/" in name else ""
        raise ValueError(f"must be a model's id or projects/PROJECT/locations/REGION/models/ID[@VERSION]{hint}")
    return name


class Experiment(Section):
    """One use case, ready to run."""

    name: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="Names the runs: lower case, digits and hyphens.")
    ]
    task: Annotated[Task, Field(strict=False, description=f"What kind of answer is wanted: {', '.join(Task)}.")]
    base_model: Annotated[
        str,
        AfterValidator(_model_name),
        Field(
            min_length=1,
            description="The Gemini model to tune; or a tuned one to be tuned further, by its resource name or as"
            " `champion`, which is the one that this experiment has promoted.",
        ),
    ]
    data: Annotated[Data, Field(description="The files of examples: train, validation and test.")]
    prompt: Annotated[Prompt, Field(description="What stands around the user's text.")] = Prompt()
    tuning: Annotated[Tuning, Field(description="Hyperparameters of the tuning job.")] = Tuning()
    sweep: Annotated[Sweep | None, Field(description="Several tuning jobs, of which the best goes on.")] = None
    evaluation: Annotated[Evaluation, Field(description="How predictions are made.")] = Evaluation()
    gate: Annotated[Gate, Field(description="When the tuned model is better.")] = Gate()
    budget: Annotated[Budget, Field(description="What the run may cost.")] = Budget()
    retraining: Annotated[Retraining, Field(description="What a scheduled run does.")] = Retraining()
    notification: Annotated[Notification, Field(description="Who is told how a run ended.")] = Notification()
