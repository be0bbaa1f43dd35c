"""Which folder of a run is meant."""

import os
from pathlib import Path

from launcher.runs import find_run


def test_the_latest_that_fits_is_the_latest(tmp_path: Path) -> None:
    for number, name in enumerate(("tuned", "rechecked")):
        page = tmp_path / "runs" / name / "report.html"
        page.parent.mkdir(parents=True)
        page.touch()
        os.utime(page, (number, number))
    (tmp_path / "runs" / "tuned" / "selection.json").touch()
    assert find_run(tmp_path, "latest").name == "rechecked"
    assert find_run(tmp_path, "latest", lambda folder: (folder / "selection.json").exists()).name == "tuned"
