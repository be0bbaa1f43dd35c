import io
from pathlib import Path

import pytest
from rich.console import Console

from gemini_sft.errors import UserError
from launcher.leaving import leave, require_lasting
from launcher.place import Request, Where
from launcher.results import nothing
from launcher.target import Target


def test_a_run_is_left_only_where_it_goes_on(tmp_path: Path) -> None:
    require_lasting(Request(Path("x.yaml"), on=Where.VERTEX, wait=False))
    with pytest.raises(UserError, match=r"ends with the command.*`gemini-sft emulator --data-dir .*/nobody`, or give"):
        require_lasting(Request(Path("x.yaml"), data_dir=tmp_path / "nobody", wait=False))


def test_what_is_said_of_a_run_that_is_left() -> None:
    said = io.StringIO()
    request = Request(Path("x.yaml"), on=Where.VERTEX)
    found = leave(request, Target("p", "europe-west4", "b"), "demo-1", "https://x", 1.23, Console(file=said, width=40))
    assert said.getvalue().splitlines() == [
        "It goes on without this command. Next:",
        "  gemini-sft status demo-1 --on vertex --project p --location europe-west4",
        "  gemini-sft logs demo-1 --on vertex --project p --location europe-west4",
        "  gemini-sft cancel demo-1 --on vertex --project p --location europe-west4",
    ]

    assert found == nothing("demo-1", "SUBMITTED", [], 1.23) | {"link": "https://x"}
