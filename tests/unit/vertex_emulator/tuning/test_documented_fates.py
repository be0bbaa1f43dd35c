"""Every fate that the emulator's page shows can be put in force, and everything that a fate can say is shown."""

import re
from pathlib import Path
from typing import get_args

import orjson

from vertex_emulator.tuning.fates.rules import Absent, Dropped, End, Fate, Stage, State, Stay, read_control

PAGE = Path(__file__).parents[4] / "docs" / "emulator.md"


def test_documented_fates_are_fates() -> None:
    section = PAGE.read_text("utf-8").split("## Fates of tuning jobs")[1]
    fates = [orjson.loads(text) for text in re.findall(r"`(\{\".*?\})`", section)]
    read_control({"fates": fates})
    (whole,) = re.findall(r"```json\n(.*)\n```", section)
    read_control(orjson.loads(whole))
    assert {field for fate in fates for field in fate} == set(Fate.__struct_fields__)
    assert {field for fate in fates for field in fate.get("end", {})} == set(End.__struct_fields__)
    assert {field for fate in fates for field in fate.get("dropped", {})} == set(Dropped.__struct_fields__)
    stays = {name for member in get_args(Stay) for name in get_args(member) or [member]}
    assert {name for fate in fates for name in fate.get("seconds", {})} == stays
    for word in (*get_args(Stage), *get_args(State), *get_args(Absent)):
        assert word in section
