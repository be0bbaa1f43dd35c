"""What data are checked for: every rule, what is done about a finding, and how to mend it.

A policy says what becomes of a record that breaks a rule: `error` stops the run, `drop` leaves the record out, `warn`
keeps it and says so. Some rules leave no choice: a line that is not JSON cannot be kept.
"""

from dataclasses import dataclass
from enum import StrEnum


class Policy(StrEnum):
    """What is done about a finding."""

    ERROR = "error"
    DROP = "drop"
    WARN = "warn"


_E, _D, _W = Policy.ERROR, Policy.DROP, Policy.WARN


@dataclass(frozen=True)
class Rule:
    """One thing that data are checked for.

    Attributes:
        name: As the experiment file and the findings call it.
        title: What a finding means, in a few words.
        remedy: What to do about it.
        policies: What may be done about it; the first is the default.
    """

    name: str
    title: str
    remedy: str
    policies: tuple[Policy, ...]


_TABLE = (
    # The file as bytes and text.
    Rule("encoding", "not UTF-8", "save the file as UTF-8", (_E, _D)),
    Rule("byte_order_mark", "begins with a byte order mark", "none is needed: it is skipped", (_W, _E)),
    Rule("line_ending", "lines end in CR LF", "none is needed: the CR is skipped", (_W, _E)),
    Rule("changed_while_read", "changed while it was read", "run again when nobody writes to it", (_E,)),
    # One record as JSON or a row.
    Rule("json", "not JSON", "write one JSON object a line", (_E, _D)),
    Rule("truncated", "breaks off in the middle", "fetch the file again: its end is missing", (_E, _D)),
    Rule("not_a_number", "NaN or Infinity, which JSON does not have", "write null, a number or a text", (_E, _D)),
    Rule("lone_surrogate", "half of a surrogate pair", "repair the text where it was cut apart", (_E, _D)),
    Rule("duplicate_key", "a key stands twice in one object", "keep one of the two", (_E, _D)),
    Rule("csv", "not a row of the table", "quote fields that hold the delimiter, quotes or line breaks", (_E, _D)),
    Rule("mixed_formats", "another format than the file's first record", "put each format in a file of its own", (_E,)),
    Rule(
        "columns",
        "a column is missing or holds no text",
        "fill or rename it, or set prompt.template",
        (_E, _D),
    ),
    Rule("unknown_key", "a key that is not used", "remove it, or name it in data.group or data.slices", (_W, _E, _D)),
    # One example as a conversation.
    Rule("structure", "not shaped as Gemini demands", "see docs/data.md for the shape", (_E, _D)),
    Rule(
        "role",
        "a role that does not exist or stands in the wrong place",
        "use user, and model or assistant, by turns",
        (_E, _D),
    ),
    Rule(
        "turn_order",
        "turns do not alternate",
        "begin with the user's turn, and join those that follow each other",
        (_E, _D),
    ),
    Rule("last_turn", "the last turn is not the model's", "end with the answer that is wanted", (_E, _D)),
    Rule("empty_turn", "a turn is empty", "fill or remove it", (_E, _D)),
    Rule("empty_target", "the answer that is wanted is empty", "fill it, or leave the record out", (_E, _D)),
    Rule(
        "unreadable_target",
        "a right answer in test that the metrics cannot read",
        "set evaluation.tokenizer to unicode, which reads all scripts, or write the answer in words",
        (_E, _D),
    ),
    Rule("too_long", "more tokens than an example may have", "shorten it: Vertex AI leaves it out", (_D, _E, _W)),
    Rule("media_type", "a file of a kind that cannot be tuned on", "use an image, audio, video or PDF file", (_E, _D)),
    Rule("media_limit", "more files than an example may have", "split the example", (_E, _D, _W)),
    Rule("media_resolution", "mediaResolution differs between lines", "use one value in all files", (_E, _W)),
    Rule("tools", "a function call without its declaration", "declare it in tools", (_W, _E, _D)),
    Rule("target_json", "the answer that is wanted is not JSON", "write a JSON object as target", (_E, _D, _W)),
    Rule("label", "a label outside the label set", "correct it, or declare it in data.labels", (_E, _D, _W)),
    Rule(
        "label_spelling",
        "a label that differs by case or space",
        "spell it like the others, or set the policy to drop",
        (_E, _D, _W),
    ),
    Rule("secret", "a key or password in the text", "remove it, and revoke it where it was issued", (_E, _D, _W)),
    Rule("personal_data", "personal data in the text", "replace it, or make sure that it may be used", (_W, _E, _D)),
    # A split, or all of them together.
    Rule("slice", "a column of data.slices that a split does not have", "name one that every split has", (_E,)),
    Rule("empty_split", "no example", "give it at least one", (_E,)),
    Rule("too_few_examples", "few examples", "collect more: Google advises 100 to 500 to start", (_W, _E)),
    Rule("too_many_examples", "more examples than Vertex AI takes", "leave some out", (_E,)),
    Rule("file_size", "a larger file than Vertex AI takes", "leave some examples out", (_E,)),
    Rule("validation_cap", "more validation examples than Vertex AI takes", "nothing: a sample is taken", (_W, _E)),
    Rule("single_class", "only one label", "give examples of every label", (_E, _W)),
    Rule("missing_class", "a label that this split does not have", "give it examples of every label", (_W, _E)),
    Rule("identical_targets", "most targets are the same", "check the column that the targets come from", (_W, _E)),
    Rule("system_instruction", "different system instructions", "use the same one everywhere", (_W, _E)),
    Rule("duplicate", "the same example again", "nothing: the first is kept", (_D, _W, _E)),
    Rule("near_duplicate", "almost the same prompt again", "keep one of them", (_W, _D, _E)),
    Rule("conflict", "the same prompt with another target", "decide which target is right", (_W, _D, _E)),
    Rule("leak", "the same prompt in two splits", "keep it in one, or set the policy to drop", (_E, _D, _W)),
    Rule(
        "near_leak", "almost the same prompt in two splits", "keep it in one, or set the policy to drop", (_W, _D, _E)
    ),
    Rule("group_leak", "a group stands in two splits", "keep each group in one split", (_E, _D, _W)),
    Rule("few_shot_leak", "a test prompt in the system instruction", "draw few-shot examples from train", (_E, _W)),
)

RULES = {rule.name: rule for rule in _TABLE}
"""Every rule by its name."""
