"""Which checkpoint was taken, as the terminal says it."""

import io

import pytest
from rich.console import Console

from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.tuning import Selection
from launcher.choice import show_choice, trials_table, words
from tests.unit.gemini_sft.report.selection_sample import candidate, chosen, one_job, sweep


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (one_job(), "Checkpoint 2 of 3 (epoch 2): rougeL_f on validation 0.412, best of 3."),
        (one_job().model_copy(update={"chosen": 0}), "Checkpoint 1 of 3 (epoch 1): rougeL_f on validation 0.387."),
        (
            one_job().model_copy(update={"metric": "edits", "lower_is_better": True, "chosen": 0}),
            "Checkpoint 1 of 3 (epoch 1): edits on validation 0.387, lowest of 3.",
        ),
        (one_job(CheckpointChoice.LOSS), "Checkpoint 2 of 3 (epoch 2): validation loss 0.422, lowest of 3."),
        (one_job(CheckpointChoice.LAST), "Checkpoint 3 of 3 (epoch 3): the experiment asks for the last."),
        (chosen([candidate(None, 0.4)]), "The only checkpoint: rougeL_f on validation 0.400."),
        (
            chosen([candidate(1, 0.4, trial="epochs=1", job="1"), candidate(2, 0.5, trial="epochs=2", job="2")]),
            "Trial epochs=2, the only checkpoint (epoch 2): rougeL_f on validation 0.500, best of 2.",
        ),
    ],
)
def test_one_line_says_which(selection: Selection, said: str) -> None:
    assert words(selection) == said


def printed(selection: Selection, width: int = 120) -> str:
    file = io.StringIO()
    show_choice(selection, Console(file=file, width=width))
    return file.getvalue()


def test_trials_stand_in_a_table_the_best_first() -> None:
    made = [
        candidate(epoch, score, loss, trial=name, job=name, error=error)
        for name, epoch, score, loss, error in (
            ("epochs=1", 1, 0.31, 0.9, None),
            ("epochs=2", 2, 0.42, 0.7, None),
            ("[red]x", 3, None, None, "quota"),
        )
    ]
    rows = [line for line in printed(chosen(made)).splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in rows]
    assert cells == [
        ["epochs=2", "2", "0.420", "0.700", "taken"],
        ["epochs=1", "1", "0.310", "0.900", ""],
        ["[red]x", "3", "–", "–", "not scored"],
    ]


def test_a_table_fits_a_narrow_terminal_with_whole_names() -> None:
    lines = printed(sweep(), 80).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert "learning_rate_multiplier=1.25" in "".join(lines)


def test_of_one_job_there_is_no_table() -> None:
    assert printed(one_job()) == "Checkpoint 2 of 3 (epoch 2): rougeL_f on validation 0.412, best of 3.\n"
    assert [str(one.header) for one in trials_table(sweep()).columns] == ["trial", "epoch", "rougeL_f", "loss", ""]
