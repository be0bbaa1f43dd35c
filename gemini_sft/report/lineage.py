"""Where the result comes from: names, settings and times; and how to do it again."""

from dataclasses import dataclass

import yaml

from gemini_sft import __version__
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import Backend, Evaluation, Judge, Task, Tokenizer
from gemini_sft.judging.criteria import criteria_of
from gemini_sft.report import numbers
from gemini_sft.report.facts import Fact, named
from gemini_sft.report.input import ReportInput
from gemini_sft.report.selection import taken_words
from gemini_sft.report.text import Passage, passage
from gemini_sft.report.words import STAND_IN
from gemini_sft.tuning import TuningRecord
from gemini_sft.words import BY_WORDS

_SIZES = {"ONE": "1", "TWO": "2", "FOUR": "4", "EIGHT": "8", "SIXTEEN": "16", "THIRTY_TWO": "32"}
_LEFT = "left to the service"
_NOT_REPORTED = "not reported"
_INSTRUCTION_LIMIT = 6000
_LONGEST_LABEL = 63
"""Of a run id, a job's label keeps so many characters at its end."""
_ADOPTED = "with the same data and settings: it was not paid for again"
_TOKENIZERS = {
    Tokenizer.ASCII: "ascii: words as the reference implementations have them, made for English",
    Tokenizer.UNICODE: "unicode: words of every language",
}
_BACKENDS = {Backend.ONLINE: "online, one request an example", Backend.BATCH: "in a batch job"}


@dataclass(frozen=True)
class Setting:
    """A setting as the experiment asks for it and as the service says it ran it."""

    name: str
    meaning: str
    asked: str
    ran: str


@dataclass(frozen=True)
class Measured:
    """What the tuning job computed of its checkpoints: of each its id, all metrics, and why there are none."""

    metrics: list[str]
    rows: list[tuple[str, list[str], str]]


@dataclass(frozen=True)
class LineageView:
    """Where the result comes from, and how to do it again.

    Attributes:
        command: That the run was started with, or one that does the same.
        started: Whether it was started with it.
        groups: Names and values, by their headings.
        settings: Of the tuning job.
        notes: What it has to say besides, in sentences.
        measured: What it computed of its checkpoints itself.
        system_instruction: What stands before most test examples.
        experiment: The whole experiment as YAML, with what it leaves to defaults.
    """

    command: str
    started: bool
    groups: dict[str, list[Fact]]
    settings: list[Setting]
    notes: list[str]
    measured: Measured
    system_instruction: Passage | None
    experiment: str


def lineage_view(data: ReportInput) -> LineageView:
    """Returns where the result comes from, and how to do it again."""
    instruction = data.system_instruction
    return LineageView(
        command=data.command or command_again(data),
        started=bool(data.command),
        groups={
            "Run": _run(data),
            "Where it came from": [Fact(name, value, code=True) for name, value in data.origins.items()],
            "Tuning job": _job(data),
            "Evaluation": _evaluation(data),
        },
        settings=_settings(data),
        notes=data.tuning.notes,
        measured=_measured(data.tuning),
        system_instruction=passage(instruction, _INSTRUCTION_LIMIT) if instruction else None,
        experiment=as_yaml(data.experiment),
    )


def command_again(data: ReportInput) -> str:
    """Returns a command that runs the experiment once more, for a run that no command has started."""
    where = "" if data.base.result.served_by.startswith(STAND_IN) else " --on vertex"
    return f"gemini-sft run experiment.yaml{where}"


def as_yaml(experiment: Experiment) -> str:
    """Returns the whole experiment as a file could say it, with the defaults that it leaves out."""
    said = experiment.model_dump(mode="json", exclude_none=True)
    return str(yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=100))


def _run(data: ReportInput) -> list[Fact]:
    taken = data.selection.taken if data.selection else data.tuning
    return [
        Fact("Run", data.run_id, code=True),
        Fact("Experiment", data.experiment.name, code=True),
        Fact("Task", data.experiment.task.value.replace("_", " ")),
        _base(data.tuning),
        Fact("Tuned model", taken.model, code=True),
        *([Fact("Taken from it", taken_words(data.selection))] if data.selection else []),
        Fact("Endpoint of the tuned model", taken.endpoint, code=True),
        *([Fact("Champion", champion.name, code=True)] if (champion := data.comparison.champion) else []),
        Fact("Version of this package", __version__),
    ]


def further(record: TuningRecord) -> str:
    """Returns the tuned model that was tuned further, and is the base of all comparisons; empty if there is none."""
    if record.started_from is None:
        return ""
    which = record.started_from_checkpoint
    return f"{record.started_from}, {f'checkpoint {which}, ' if which else ''}tuned from {record.base_model}"


def _base(record: TuningRecord) -> Fact:
    words = further(record)
    return Fact("Base model", words or record.base_model, code=not words)


def _job(data: ReportInput) -> list[Fact]:
    record = data.tuning
    return [
        Fact("Job", record.job or _NOT_REPORTED, code=bool(record.job)),
        *([Fact("Trial of the sweep", record.trial, code=True)] if record.trial else []),
        Fact("Made by", _maker(data)),
        *_adopted_trials(data),
        Fact("Time from start to end", numbers.duration(record.seconds)),
        Fact("Optimizer steps", numbers.count(record.steps)),
        Fact("Checkpoints kept", numbers.count(len(record.checkpoints)) if record.checkpoints else "the last one only"),
    ]


def _maker(data: ReportInput) -> str:
    record = data.tuning
    if not record.adopted:
        return "this run"
    maker = (
        "an earlier attempt of this run"
        if record.made_by == data.run_id[-_LONGEST_LABEL:]
        else f"the run {record.made_by}"
    )
    return f"{maker if record.made_by else 'an earlier attempt or another run'}, {_ADOPTED}"


def _adopted_trials(data: ReportInput) -> list[Fact]:
    """Returns how many jobs of a sweep were there already, if it is one."""
    bills = data.selection.bills if data.selection else []
    adopted = sum(bill.adopted for bill in bills)
    if len(bills) < 2:
        return []
    again = "; " + ("it was" if adopted == 1 else "they were") + " not paid for again" if adopted else ""
    return [Fact("Trials made before", f"{adopted:,} of {numbers.count(len(bills), 'trial')}{again}")]


def _evaluation(data: ReportInput) -> list[Fact]:
    asked, gate = data.experiment.evaluation, data.experiment.gate
    temperature = "the model's own" if asked.temperature is None else f"{asked.temperature:g}"
    longest = "the model's own limit" if asked.max_output_tokens is None else f"{asked.max_output_tokens:,} tokens"
    return [
        Fact(
            "Base answers came from", data.base.result.served_by or _NOT_REPORTED, code=bool(data.base.result.served_by)
        ),
        Fact(
            "Tuned answers came from",
            data.candidate.result.served_by or _NOT_REPORTED,
            code=bool(data.candidate.result.served_by),
        ),
        Fact("Asked", _BACKENDS[asked.backend]),
        Fact("Temperature", temperature),
        Fact("Longest answer", longest),
        Fact("Failures allowed", f"at most {numbers.percent(asked.max_failure_rate)} of the examples"),
        *_scoring(data.experiment.task, asked),
        *_judging(data.experiment.task, asked.judge),
        Fact("Gain asked for", f"more than {gate.min_gain:g} with {numbers.percent(gate.confidence)} confidence"),
    ]


def _scoring(task: Task, asked: Evaluation) -> list[Fact]:
    facts = []
    if task in (*BY_WORDS, Task.QUESTION_ANSWERING):
        facts.append(Fact("Tokenizer", _TOKENIZERS[asked.tokenizer]))
    if asked.metrics:
        own = (spec.rpartition(":") for spec in asked.metrics)
        facts.append(Fact("Own metrics", ", ".join(f"{named(file)}:{name}" for file, _, name in own), code=True))
    if asked.few_shot:
        facts.append(Fact("Base model asked again", f"with {numbers.count(asked.few_shot, 'example')} in its prompt"))
    return facts


def _judging(task: Task, judge: Judge) -> list[Fact]:
    if not judge.model:
        return []
    whose = "" if judge.criteria else f"those for {task.value.replace('_', ' ')}: "
    return [
        Fact("Judge", judge.model, code=True),
        Fact("Judge's criteria", whose + criteria_of(task, judge)),
        Fact("Grades by the judge", "from 1 to 5" if judge.pointwise else "none were asked for"),
    ]


def _settings(data: ReportInput) -> list[Setting]:
    asked, ran = data.experiment.tuning, data.tuning
    if data.experiment.sweep:
        asked = data.experiment.sweep.settings(asked).get(ran.trial, asked)
    return [
        Setting("Epochs", "passes over the training data", _or(asked.epochs, _LEFT), _or(ran.epochs, _NOT_REPORTED)),
        Setting(
            "Adapter size",
            "how much the model can change",
            _or(asked.adapter_size, _LEFT),
            adapter_size(ran) or _NOT_REPORTED,
        ),
        Setting(
            "Learning rate multiplier",
            "how fast it changes",
            _or(asked.learning_rate_multiplier, _LEFT),
            _or(ran.learning_rate_multiplier, _NOT_REPORTED),
        ),
    ]


def adapter_size(record: TuningRecord) -> str:
    """Returns the adapter size that the service ran with as a number; empty if it did not say."""
    size = (record.adapter_size or "").removeprefix("ADAPTER_SIZE_")
    return _SIZES.get(size, size)


def _measured(record: TuningRecord) -> Measured:
    names = sorted({name for one in record.evaluations for name in one.scores})
    return Measured(
        names,
        [
            (
                one.checkpoint,
                [numbers.plain(one.scores[name]) if name in one.scores else numbers.NOTHING for name in names],
                one.error or "",
            )
            for one in record.evaluations
        ],
    )


def _or(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value:g}"
