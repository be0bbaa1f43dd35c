"""Every rule that the emulator's page shows can be put in force, and every field is shown."""

import re
from pathlib import Path

import orjson

from vertex_emulator.faults.rules import Rule, read_rules

PAGE = Path(__file__).parents[4] / "docs" / "emulator.md"


def test_documented_rules_are_rules() -> None:
    section = PAGE.read_text("utf-8").split("## Trouble on demand")[1].split("\n## ")[0]
    rules = [orjson.loads(text) for text in re.findall(r"`(\{\".*?\})`", section)]
    read_rules(rules)
    assert {field for rule in rules for field in rule} == set(Rule.__struct_fields__)
