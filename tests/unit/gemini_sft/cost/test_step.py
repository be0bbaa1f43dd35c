"""The step, and the component around it."""

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gemini_sft.cost import Quote
from gemini_sft.errors import BudgetError, DataError
from gemini_sft.steps.places import SPENDING, beside
from gemini_sft.steps.quote_cost import quote_cost
from tests.unit.gemini_sft.cost.conftest import Counter, record, words, write_split


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    write_split(tmp_path / "train", [record(f"one two three{number}", "yes") for number in range(40)])
    write_split(tmp_path / "validation", [record(f"six seven eight{number}", "no") for number in range(5)])
    write_split(tmp_path / "test", [record(f"four five{number}", "no no") for number in range(10)])
    (tmp_path / "models.json").write_text(json.dumps({"base": {"id": "gemini-2.5-flash"}}))
    names = {"experiment": "staging/demo/0f/x.yaml", "quote": "out/quote.json", "models": "models.json"}
    names |= {split: split for split in ("train", "validation", "test")}
    return {f"{port}_uri": str(tmp_path / name) for port, name in names.items()}


def say(files: dict[str, str], **sections: dict[str, Any]) -> None:
    """Writes the experiment."""
    data = {"train": "t.jsonl", "test": "t.jsonl"}
    experiment = {"name": "demo", "task": "summarization", "base_model": "gemini-2.5-flash", "data": data} | sections
    file = Path(files["experiment_uri"])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(experiment))


def run(files: dict[str, str], run_id: str = "", purpose: str = "run") -> Quote:
    return quote_cost(project="p", location="us-central1", run_id=run_id, purpose=purpose, **files)


def test_the_quote_is_written_and_told(
    counter: Counter, files: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    say(files, tuning={"epochs": 2}, evaluation={"max_output_tokens": 1})
    with caplog.at_level(logging.INFO):
        made = run(files)
    assert made.train.tokens == 40 * 4 and made.lines[0].tokens == 320
    assert made.lines[1].what == "evaluation of 2 checkpoints on validation"
    assert (made.lines[1].tokens, made.lines[1].output_tokens) == (2 * 15, 2 * 5)
    assert (made.lines[2].tokens, made.lines[2].output_tokens) == (20, 10)
    assert Quote.model_validate_json(Path(files["quote_uri"]).read_text()) == made
    assert made.usd == pytest.approx((320 * 5 + 2 * (20 * 0.3 + 10 * 2.5) + 2 * (15 * 0.3 + 5 * 2.5)) / 1e6)
    told = [entry.getMessage() for entry in caplog.records if entry.name == "gemini_sft.steps.quote_cost"]
    assert told == ["the run is quoted at 0.0017 USD"]
    assert "three" not in caplog.text


def test_a_quote_over_the_budget_is_written_too(counter: Counter, files: dict[str, str]) -> None:
    say(files, budget={"max_usd": 0.0001})
    with pytest.raises(BudgetError, match=r"more than the 0\.0001 USD of budget\.max_usd"):
        run(files)
    assert Quote.model_validate_json(Path(files["quote_uri"]).read_text()).epochs == 20


def test_the_budget_says_how_many_are_counted_and_the_seed_which(counter: Counter, files: dict[str, str]) -> None:
    def counted(seed: int) -> list[str]:
        say(
            files,
            tuning={"checkpoint": "last"},
            budget={"exact_count": 10},
            data={"train": "t.jsonl", "test": "t.jsonl", "seed": seed},
        )
        (Path(files["experiment_uri"]).parents[1] / "token-counts" / "gemini-2.5-flash.json").unlink(missing_ok=True)
        del counter.calls[:]
        made = run(files)
        base = made.line("evaluation of the base model")
        assert (made.train.counted, made.train.examples, base.tokens) == (10, 40, 20)
        return counter.texts

    first = counted(0)
    assert len(first) == 10 + 1 + 10 + 1 and first == counted(0) != counted(1)


@pytest.mark.parametrize(
    ("sections", "counted"),
    [
        ({}, True),
        ({"tuning": {"epochs": 1}}, False),
        ({"tuning": {"checkpoint": "loss"}}, False),
        ({"tuning": {"checkpoint": "last"}}, False),
        ({"tuning": {"checkpoint": "last", "evaluation": ["bleu"]}}, True),
        ({"tuning": {"checkpoint": "last"}, "sweep": {"grid": {"epochs": [1]}}}, True),
        ({"tuning": {"checkpoint": "loss"}, "sweep": {"grid": {"epochs": [1, 2]}}}, False),
    ],
)
def test_the_validation_split_is_counted_if_it_will_be_asked(
    counter: Counter, files: dict[str, str], sections: dict[str, Any], counted: bool
) -> None:
    say(files, **sections)
    made = run(files)
    assert any("six" in text for text in counter.texts) == counted
    assert any("checkpoint" in line.what for line in made.lines) == counted


def test_an_empty_validation_split_costs_nothing(counter: Counter, files: dict[str, str], tmp_path: Path) -> None:
    write_split(tmp_path / "validation", [])
    say(files, tuning={"epochs": 2, "evaluation": ["bleu"]}, sweep={"grid": {"adapter_size": [1, 2]}})
    made = run(files)
    assert [line.what for line in made.brief] == [
        "tuning in 2 jobs",
        "evaluation of the base model",
        "evaluation of the tuned model",
    ]


def test_what_would_help_is_reckoned_with_all_counts(counter: Counter, files: dict[str, str]) -> None:
    say(files, tuning={"epochs": 2}, budget={"max_usd": 0.00172})
    with pytest.raises(BudgetError, match=r"take tuning\.checkpoint: last \(.*, fewer epochs \(.*; 1 would fit\)"):
        run(files)
    say(files, tuning={"epochs": 2, "checkpoint": "last"}, budget={"max_usd": 0.00172})
    run(files)


def test_what_one_run_counted_the_next_one_knows(counter: Counter, files: dict[str, str]) -> None:
    say(files)
    first = run(files)
    assert counter.calls
    assert (Path(files["experiment_uri"]).parents[1] / "token-counts" / "gemini-2.5-flash.json").exists()
    del counter.calls[:]
    files["experiment_uri"] = files["experiment_uri"].replace("/0f/", "/1e/")
    say(files)
    assert run(files) == first and counter.calls == []


def test_what_stands_beside_the_examples_is_counted_once(counter: Counter, files: dict[str, str]) -> None:
    plain = run_with(files, counter)
    asked = run_with(files, counter, few_shot=2, judge={"model": "gemini-2.5-pro", "pointwise": True, "criteria": "x"})
    shown, comparisons, grades = asked.lines[2], *asked.lines[4:]
    head = 4  # Here are some examples:
    assert shown.tokens - plain.lines[1].tokens == 10 * (head + 2 * (3 + 2)), "two shots: prompt, `Answer:`, target"
    judged = {body["contents"][0]["parts"][0]["text"]: body for path, body in counter.calls if "gemini-2.5-pro" in path}
    assert len(judged) == 4 and {"TIE", "1"} < judged.keys()
    compare, grade = (words(body) for text, body in judged.items() if "<request" in text)
    assert (comparisons.tokens, comparisons.output_tokens) == (2 * (20 + 3 * 20 + 10 * compare), 20 * 129)
    assert (grades.tokens, grades.output_tokens) == (2 * (20 + 2 * 20 + 10 * grade), 20 * 129)
    assert (Path(files["experiment_uri"]).parents[1] / "token-counts" / "gemini-2.5-pro.json").exists()


def run_with(files: dict[str, str], counter: Counter, **evaluation: Any) -> Quote:
    say(files, tuning={"epochs": 2, "checkpoint": "last"}, evaluation=evaluation)
    del counter.calls[:]
    return run(files)


def test_all_references_of_an_example_are_quoted(counter: Counter, files: dict[str, str]) -> None:
    judge = {"model": "gemini-2.5-flash"}
    last = run_with(files, counter, judge=judge).lines[-1]
    one = last.tokens
    assert last.what == "comparisons by the judge", "grades are not wanted"
    sources = Path(files["test_uri"]) / "sources.jsonl"
    lines = [json.loads(line) | {"references": ["no no", "never"]} for line in sources.read_text().splitlines()]
    sources.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run_with(files, counter, judge=judge).lines[-1].tokens == one + 2 * 20


def test_too_few_examples_to_show_stop_the_run_here(counter: Counter, files: dict[str, str]) -> None:
    say(files, evaluation={"few_shot": 41})
    with pytest.raises(DataError, match=r"evaluation\.few_shot: asks for 41 examples, and train has 40 that"):
        run(files)


CHAMPION = {
    "id": "gemini-3.5-flash",
    "model": "projects/7/locations/us/models/3@2",
    "endpoint": "projects/7/locations/us/endpoints/42",
}


@pytest.mark.parametrize(
    ("champion", "base", "quoted"),
    [
        (None, {}, False),
        (CHAMPION, {}, True),
        (CHAMPION, CHAMPION, False),
        (CHAMPION, CHAMPION | {"checkpoint": "2"}, True),
        (CHAMPION | {"endpoint": None}, {}, False),
        (CHAMPION | {"id": "gemini-1.0-pro"}, {}, False),
    ],
)
def test_a_champion_is_quoted_if_it_will_be_asked(
    counter: Counter,
    files: dict[str, str],
    champion: dict[str, str] | None,
    base: dict[str, str],
    quoted: bool,
) -> None:
    say(files, tuning={"epochs": 1})
    models = {"base": {"id": "gemini-2.5-flash"} | base, "champion": champion}
    Path(files["models_uri"]).write_text(json.dumps(models))
    made = run(files)
    found = [line for line in made.lines if line.what == "evaluation of the champion"]
    assert [(line.model, line.tokens, line.output_tokens) for line in found] == [
        ("gemini-3.5-flash", 20, 20),
    ] * quoted
    assert [line.usd for line in found] == [pytest.approx(20 * (1.65 + 9.90) / 1e6)] * quoted, "dearer than globally"
    assert {path for path, _ in counter.calls if "endpoints" in path} == set(), "its root's tokens are the base's"


class TestPurpose:
    @pytest.fixture(autouse=True)
    def champion(self, counter: Counter, files: dict[str, str]) -> None:
        base = {"id": "gemini-2.5-flash"}
        Path(files["models_uri"]).write_text(json.dumps({"base": base, "champion": CHAMPION, "refused": ""}))
        say(files, tuning={"epochs": 1})

    def noted(self, files: dict[str, str]) -> dict[str, float]:
        found = Path(beside(files["experiment_uri"], SPENDING)).rglob("*.json")
        return {one.stem: json.loads(one.read_text())["usd"] for one in found}

    def test_a_recheck_is_the_line_of_the_champion(self, counter: Counter, files: dict[str, str]) -> None:
        whole = run(files, "run-1")
        alone = run(files, "run-2", "recheck")
        line = whole.line("evaluation of the champion")
        assert (alone.lines, alone.usd, alone.model) == ([line], line.usd, "gemini-3.5-flash")
        assert self.noted(files) == {"run-1": whole.usd, "run-2": line.usd}
        assert all("gemini-3.5-flash" in path or "gemini-2.5-flash" in path for path, _ in counter.calls)

    def test_a_recheck_quotes_a_champion_that_is_the_base_model_too(self, files: dict[str, str]) -> None:
        Path(files["models_uri"]).write_text(json.dumps({"base": CHAMPION, "champion": CHAMPION}))
        assert [line.what for line in run(files, "run-1", "recheck").lines] == ["evaluation of the champion"]

    def test_without_anybody_to_ask_it_costs_nothing(self, counter: Counter, files: dict[str, str]) -> None:
        for champion in (None, CHAMPION | {"endpoint": None}):
            Path(files["models_uri"]).write_text(json.dumps({"base": {"id": "gone"}, "champion": champion}))
            assert run(files, "run-1", "recheck").usd == 0
        assert counter.calls == []

    def test_a_retraining_is_not_stopped_but_told(self, files: dict[str, str]) -> None:
        say(files, tuning={"epochs": 1}, budget={"max_usd": 0.0005})
        made = run(files, "run-1", "retrain")
        assert made.refused.startswith("the run would cost 0.00") and "budget.max_usd: take" in made.refused
        assert made.recheck and made.recheck.refused == "" and made.recheck.known_usd < 0.0005 < made.known_usd
        assert self.noted(files) == {}, "it is not known yet which it will be"
        assert Quote.model_validate_json(Path(files["quote_uri"]).read_text()) == made
        say(files, tuning={"epochs": 1}, budget={"max_usd": 0.0001})
        made = run(files, "run-1", "retrain")
        assert made.recheck and "fewer examples (in data.test)" in made.recheck.refused
        with pytest.raises(BudgetError, match=r"data\.test"):
            run(files, "run-1", "recheck")
        assert self.noted(files) == {}

    def test_what_cannot_be_tuned_any_more_is_not_quoted(self, counter: Counter, files: dict[str, str]) -> None:
        models = {"base": {"id": "gemini-1.0-pro"}, "champion": CHAMPION, "refused": "it was retired"}
        Path(files["models_uri"]).write_text(json.dumps(models))
        made = run(files, "run-1", "retrain")
        assert made.recheck and made.recheck.lines == made.lines != []
        assert {path.split("/models/")[1].partition(":")[0] for path, _ in counter.calls} == {"gemini-3.5-flash"}

    def test_the_month_is_over_when_it_is_spent(self, files: dict[str, str]) -> None:
        once = run(files).known_usd
        say(files, tuning={"epochs": 1}, budget={"max_usd_per_month": 2.5 * once})
        run(files, "run-1")
        run(files, "run-1")
        run(files)
        run(files, "run-2")
        with pytest.raises(BudgetError, match=r"the last 30 days were quoted at .*budget\.max_usd_per_month: wait"):
            run(files, "run-3")
        with pytest.raises(BudgetError, match="max_usd_per_month"):
            run(files)
        assert self.noted(files).keys() == {"run-1", "run-2"}
        assert "max_usd_per_month" in run(files, "run-3", "retrain").refused
        run(files, "run-3", "recheck")


@pytest.mark.parametrize(
    ("experiment", "cache"),
    [
        ("gs://b/staging/demo/0f/experiment.yaml", "gs://b/staging/demo/token-counts/m.json"),
        ("gs://b/demo/experiment.yaml", "gs://b/token-counts/m.json"),
        ("gs://b/experiment.yaml", "gs://b/token-counts/m.json"),
        ("/tmp/staging/demo/0f/experiment.yaml", "/tmp/staging/demo/token-counts/m.json"),
        ("demo/0f/experiment.yaml", "demo/token-counts/m.json"),
        ("experiment.yaml", "token-counts/m.json"),
    ],
)
def test_counts_are_kept_with_the_experiments_runs(experiment: str, cache: str) -> None:
    assert beside(experiment, "token-counts/m.json") == cache


def test_the_component_shows_the_numbers(counter: Counter, files: dict[str, str]) -> None:
    from components.quote_cost import quote_cost as component

    say(files)
    metrics = SimpleNamespace(metadata={})
    ports = {name.removesuffix("_uri"): SimpleNamespace(uri=uri) for name, uri in files.items()}
    del ports["experiment"]
    component.python_func(
        project="p",
        location="us-central1",
        experiment_uri=files["experiment_uri"],
        run_id="run",
        purpose="run",
        metrics=metrics,
        **ports,
    )
    assert metrics.metadata == Quote.model_validate_json(Path(files["quote_uri"]).read_text()).summary()
    assert metrics.metadata["train_examples"] == 40
