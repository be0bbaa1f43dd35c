"""What ran: names, data, settings, time and cost."""

import re
from dataclasses import dataclass

from gemini_sft.cost.words import usd
from gemini_sft.experiment.schema import Backend, Evaluation, Judge, Sources, Task, Tokenizer, listed
from gemini_sft.judging.criteria import criteria_of
from gemini_sft.report import numbers
from gemini_sft.report.input import ReportInput
from gemini_sft.report.selection import taken_words
from gemini_sft.report.text import Passage, passage
from gemini_sft.tuning import TuningRecord
from gemini_sft.words import BY_WORDS

_SIZES = {"ONE": "1", "TWO": "2", "FOUR": "4", "EIGHT": "8", "SIXTEEN": "16", "THIRTY_TWO": "32"}
_LEFT = "left to the service"
_STAGED = re.compile(r"gs://[^/]+/staging/[^/]+/[0-9a-f]{16}/[^/]+$")
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
class Fact:
    """A name and a value; `code` if the value is an identifier rather than words."""

    name: str
    value: str
    code: bool = False


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
class RanView:
    """What ran, in groups.

    Attributes:
        groups: By their headings.
        settings: Of the tuning job.
        notes: What it has to say besides, in sentences.
        measured: What it computed of its checkpoints itself.
        system_instruction: What stands before most test examples.
    """

    groups: dict[str, list[Fact]]
    settings: list[Setting]
    notes: list[str]
    measured: Measured
    system_instruction: Passage | None


def ran_view(data: ReportInput) -> RanView:
    """Returns what ran."""
    instruction = data.system_instruction
    return RanView(
        groups={
            "Run": _run(data),
            "Data": _examples(data),
            "Tuning job": _job(data),
            "Evaluation": _evaluation(data),
            "Cost": _cost(data),
        },
        settings=_settings(data),
        notes=data.tuning.notes,
        measured=_measured(data.tuning),
        system_instruction=passage(instruction, _INSTRUCTION_LIMIT) if instruction else None,
    )


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


def _examples(data: ReportInput) -> list[Fact]:
    files = data.experiment.data
    train = _named(files.train)
    held_back = f"held back from {train}"
    test = f"from {_named(files.test)}" if files.test else held_back
    return [
        Fact("Training examples", f"{numbers.count(data.train_examples)} from {train}"),
        Fact("Validation examples", _validation(data, held_back)),
        Fact("Test examples", f"{numbers.count(len(data.test))} {test}"),
        Fact("Counted by the service", numbers.count(data.tuning.examples, "example")),
        Fact("Findings of the checks", "in the data report, data.html, of the task that prepared the data"),
        Fact("Left out by the service", numbers.count(data.tuning.dropped.count, "training example")),
    ]


def _validation(data: ReportInput, held_back: str) -> str:
    """Returns how many there are, or were asked when a checkpoint was chosen, and where they came from."""
    files = data.experiment.data
    if not files.validation and (files.test is not None or not files.split.validation):
        return "none were given"
    where = f"from {_named(files.validation)}" if files.validation else held_back
    asked = max((one.n for one in data.selection.candidates), default=0) if data.selection else 0
    number = data.validation_examples if data.validation_examples is not None else asked or None
    return f"{where}; their number is not recorded" if number is None else f"{numbers.count(number)} {where}"


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


def _cost(data: ReportInput) -> list[Fact]:
    quote = data.quote
    total = f"{usd(quote.known_usd)}" + ("" if quote.usd is not None else ", without what has no known price")
    error = f" (±{usd(quote.error_usd)})" if quote.error_usd else ""
    lines = [Fact(line.what.capitalize(), "unknown" if line.usd is None else usd(line.usd)) for line in quote.brief]
    return [Fact("Quoted for the run", total + error), *lines, Fact("Tokens quoted and billed", data.cost.words)]


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
        facts.append(Fact("Own metrics", ", ".join(f"{_named(file)}:{name}" for file, _, name in own), code=True))
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
    size = (ran.adapter_size or "").removeprefix("ADAPTER_SIZE_")
    return [
        Setting("Epochs", "passes over the training data", _or(asked.epochs, _LEFT), _or(ran.epochs, _NOT_REPORTED)),
        Setting(
            "Adapter size",
            "how much the model can change",
            _or(asked.adapter_size, _LEFT),
            _SIZES.get(size, size) or _NOT_REPORTED,
        ),
        Setting(
            "Learning rate multiplier",
            "how fast it changes",
            _or(asked.learning_rate_multiplier, _LEFT),
            _or(ran.learning_rate_multiplier, _NOT_REPORTED),
        ),
    ]


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


def _named(sources: Sources) -> str:
    """Returns the files as the user knows them: where copies are staged says nothing to anybody."""
    return ", ".join(uri.rpartition("/")[2] if _STAGED.match(uri) else uri for uri in listed(sources))


def _or(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value:g}"
