"""From one record, whatever its shape, to an example's parts."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from gemini_sft.data.example import Content, text_of, turn
from gemini_sft.data.findings import Fault, shown
from gemini_sft.data.parts import Soft, camel, check_files, check_tools, read_tools
from gemini_sft.data.reading import Reading, Shape
from gemini_sft.data.turns import check_turns, read_contents, read_instruction, read_messages
from gemini_sft.data.unanswered import with_placeholder
from gemini_sft.experiment import Task
from gemini_sft.experiment.template import columns_of, render

NO_VALUE = "(none)"
"""What stands in a slice for a value that is absent, null or the empty text, which is how a CSV file writes null."""

_LONGEST_VALUE = 100
_SHOWN_COLUMNS = 8
_RESOLUTIONS = ("MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH")


@dataclass(frozen=True, slots=True)
class Draft:
    """One record as read.

    Attributes:
        record: As Gemini takes it, with its own system instruction if it brings one.
        contents: Its turns.
        references: Every right answer; empty if there is none but the target.
        group: What the group column says; empty if there is no such column.
        slices: What the columns of `data.slices` say.
    """

    record: dict[str, Any]
    contents: list[Content]
    references: tuple[str, ...] = ()
    group: str = ""
    slices: dict[str, str] = field(default_factory=dict)


def shape_of(record: dict[str, Any]) -> Shape:
    """Returns what a record looks like, by its keys."""
    for shape in (Shape.MESSAGES, Shape.CONTENTS):
        if record.get(shape) is not None:
            return shape
    return Shape.COLUMNS


def read_record(record: dict[str, Any], shape: Shape, reading: Reading, soft: Soft) -> Draft:
    """Reads one record of a file whose records have the given shape.

    Args:
        record: As parsed from JSON, or a row of a table.
        shape: Of the file's first record.
        reading: What the experiment says.
        soft: Takes note of what may be kept.

    Raises:
        Fault: It cannot be an example.
    """
    there = shape_of(record)
    if there is not shape and shape not in record and type(record.get(there)) is not str:
        raise Fault("mixed_formats", f"has {_named(there)}, but the file began with {_named(shape)}")
    if not reading.answered:
        record = with_placeholder(record, shape, reading)
    match shape:
        case Shape.MESSAGES:
            draft = _messages(record, reading, soft)
        case Shape.CONTENTS:
            draft = _contents(record, reading, soft)
        case Shape.COLUMNS:
            draft = _columns(record, reading)
    check_turns(draft.contents)
    if reading.task is Task.EXTRACTION:
        _check_json(text_of(draft.contents[-1]), soft)
    if reading.slices:
        return replace(draft, slices={name: _value(record.get(name), name) for name in reading.slices})
    return draft


def _named(shape: Shape) -> str:
    return "columns" if shape is Shape.COLUMNS else f'"{shape}"'


def _messages(record: dict[str, Any], reading: Reading, soft: Soft) -> Draft:
    if "messages" not in record:
        raise Fault("mixed_formats", 'has no "messages", as the file\'s first record has')
    system, contents = read_messages(record["messages"], soft)
    made: dict[str, Any] = {} if system is None else {"systemInstruction": {"parts": [{"text": system}]}}
    made["contents"] = contents
    if len(record) == 1:
        return Draft(made, contents)
    return Draft(made, contents, _references(record, contents), _beside(record, {"messages"}, reading, soft))


def _contents(record: dict[str, Any], reading: Reading, soft: Soft) -> Draft:
    if "contents" not in record:
        raise Fault("mixed_formats", 'has no "contents", as the file\'s first record has')
    made: dict[str, Any] = {}
    instruction = _either(record, "systemInstruction", "system_instruction")
    if instruction is not None:
        made["systemInstruction"] = {"parts": [{"text": read_instruction(instruction)}]}
    contents = made["contents"] = read_contents(record["contents"], soft)
    tools = read_tools(record.get("tools") or [])
    if tools:
        made["tools"] = tools
    config = _either(record, "generationConfig", "generation_config")
    if config:
        made["generationConfig"] = _config(config)
    if any("text" not in part for content in contents for part in content["parts"]):
        check_files(contents, soft)
        check_tools(contents, tools, soft)
    known = {"contents", "systemInstruction", "system_instruction", "tools", "generationConfig", "generation_config"}
    if record.keys() <= known and reading.group is None:
        return Draft(made, contents)
    return Draft(made, contents, _references(record, contents), _beside(record, known, reading, soft))


def _columns(record: dict[str, Any], reading: Reading) -> Draft:
    columns = reading.columns(set(record))
    if columns is None:
        names = sorted(map(str, record))
        more = f" and {len(names) - _SHOWN_COLUMNS} more" if len(names) > _SHOWN_COLUMNS else ""
        there = f"the columns {', '.join(map(_column, names[:_SHOWN_COLUMNS]))}{more}" if names else "no columns"
        raise Fault("columns", f"has {there}: expected {reading.expected_columns()}")
    template, target = columns
    row = {name: _text(record[name], name) for name in columns_of(template)}
    prompt = render(template, row)
    if prompt.strip() and not any(text.strip() for text in row.values()):
        raise Fault("empty_turn", f"has nothing in {' and '.join(map(shown, row))}, of which the prompt is made")
    answers = _answers(record[target], target, reading.task)
    contents = [turn("user", prompt), turn("model", answers[0])]
    references = answers if len(answers) > 1 else ()
    group = "" if reading.group is None else _group(record, reading.group)
    return Draft({"contents": contents}, contents, references, group)


def _column(name: str) -> str:
    return shown(name)[1:-1]


def _either(record: dict[str, Any], camel_name: str, snake_name: str) -> Any:
    if camel_name in record and snake_name in record:
        raise Fault("duplicate_key", f"has both {camel_name} and {snake_name}")
    return record.get(camel_name, record.get(snake_name))


def _config(config: Any) -> dict[str, Any]:
    """Of the generation config, tuning data have the media resolution alone."""
    config = camel(config)
    if type(config) is not dict or set(config) - {"mediaResolution"}:
        raise Fault("structure", '"generationConfig" of an example can only have "mediaResolution"')
    if config and config["mediaResolution"] not in _RESOLUTIONS:
        raise Fault("structure", f"generationConfig.mediaResolution must be one of {', '.join(_RESOLUTIONS)}")
    return config


def _references(record: dict[str, Any], contents: list[Content]) -> tuple[str, ...]:
    """Returns further right answers that stand beside a conversation, the target first."""
    given = record.get("references")
    if given is None:
        return ()
    if type(given) is not list or not given or any(type(one) is not str for one in given):
        raise Fault("structure", '"references" must be a list of texts')
    return tuple(dict.fromkeys([text_of(contents[-1]), *given])) if contents else ()


def _beside(record: dict[str, Any], known: set[str], reading: Reading, soft: Soft) -> str:
    """Notes keys that are not used, and returns the group."""
    for name in record:
        if name not in known and name not in ("references", reading.group) and name not in reading.slices:
            soft("unknown_key", f"has the key {shown(name)}, which is not used", "")
    return "" if reading.group is None else _group(record, reading.group)


def _group(record: dict[str, Any], name: str) -> str:
    if name not in record:
        raise Fault("columns", f"has no {shown(name)}, the group that data.group names")
    return _text(record[name], name)


def _value(value: Any, name: str) -> str:
    """Returns what a slice is called by, which must fit into a table."""
    text = NO_VALUE if _is_null(value) or value == "" else _text(value, name)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _is_null(value: Any) -> bool:
    return value is None or (type(value) is float and math.isnan(value))


def _text(value: Any, name: str) -> str:
    if type(value) is str:
        return value
    if _is_null(value):
        raise Fault("columns", f"has nothing in the column {shown(name)}")
    if type(value) is int:
        return str(value)
    if type(value) is float and math.isinf(value):
        raise Fault("not_a_number", f"holds a number without bounds in the column {shown(name)}")
    if type(value) in (float, bool):
        return orjson.dumps(value).decode()
    raise Fault("columns", f"has no text in the column {shown(name)}")


def _answers(value: Any, name: str, task: Task) -> tuple[str, ...]:
    """Returns the right answers of a row, the one to learn first."""
    if task is Task.QUESTION_ANSWERING:
        value = _listed(value)
        if type(value) is list:
            answers = tuple(dict.fromkeys(_text(one, name) for one in value))
            if not answers:
                raise Fault("empty_target", f"has no answer in the column {shown(name)}")
            return answers
    if task is Task.EXTRACTION and type(value) in (dict, list):
        return (orjson.dumps(value).decode(),)
    return (_text(value, name),)


def _listed(value: Any) -> Any:
    """Returns a list of answers, be it JSON in a cell or the object that SQuAD has; any other value as it is."""
    parsed = value
    if type(value) is str and value.lstrip().startswith(("[", "{")):
        try:
            parsed = orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    if type(parsed) is dict and type(parsed.get("text")) is list:
        parsed = parsed["text"]
    if type(value) is str and type(parsed) is list and any(type(one) is not str for one in parsed):
        return value  # a text that looks like a list, not a list of texts
    return parsed if type(parsed) is list else value


def _check_json(target: str, soft: Soft) -> None:
    try:
        value = orjson.loads(target)
    except orjson.JSONDecodeError:
        value = None
    if type(value) not in (dict, list):
        soft("target_json", "has a target that is not a JSON object or list", target)
