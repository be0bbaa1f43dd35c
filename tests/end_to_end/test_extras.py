"""A run with a control arm and a judge."""

import json
from pathlib import Path

from tests.end_to_end.conftest import gemini_sft, write_experiment


def test_control_arm_and_judge_run_in_the_same_pipeline(tmp_path: Path) -> None:
    judge = {"model": "gemini-2.5-flash-lite", "pointwise": True}
    file = write_experiment(tmp_path, evaluation={"few_shot": 2, "judge": judge})
    ended = gemini_sft("run", file, "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    summary = json.loads(ended.out)
    arm, said = summary["few_shot"], summary["judge"]
    assert (arm["examples"], arm["n"]) == (2, 6) and arm["metrics"].keys() == summary["base"]["metrics"].keys()
    assert arm["tokens_per_request"]["few_shot"]["prompt"] > 2 * arm["tokens_per_request"]["base"]["prompt"]
    assert said["n"] == said["wins"] + said["ties"] + said["losses"] == 6 and said["unreadable"] == 0
    left = tmp_path / summary["artifacts"]
    judgement = json.loads((left / "judgement.json").read_text("utf-8"))
    shots = [json.loads(line) for line in (left / "few-shot-predictions.jsonl").read_text("utf-8").splitlines()]
    assert [one["example_id"] for one in judgement["pairs"]] == [one["example_id"] for one in shots]
    lines = [line["what"] for line in json.loads((left / "quote.json").read_text("utf-8"))["lines"]]
    assert {"comparisons by the judge", "grades by the judge"} < {*lines}
    assert "evaluation of the base model with 2 examples" in lines
    report = (left / "report.html").read_text("utf-8")
    assert "Was it worth it?" in report and 'id="judge"' in report
