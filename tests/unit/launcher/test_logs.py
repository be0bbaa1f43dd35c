"""Which lines of a task's log are kfp's own."""

from launcher.logs import KfpLines

WRITTEN = """[KFP Executor 2026-01-01 00:00:00,000 INFO]: Looking for component `make`
[KFP Executor 2026-01-01 00:00:00,001 INFO]: Got executor_input:
{
    "inputs": {
        "artifacts": {}
    }
}
[KFP Executor 2026-01-01 00:00:02,000 INFO]: 24 examples have an answer
{
    "of": "the task's own"
}
[KFP Executor 2026-01-01 00:00:09,000 INFO]: Wrote executor output file to /gcs/x.
[KFP Executor 2026-01-01 00:00:10,000 WARNING]: nobody was told
and the last line"""


def test_what_the_task_itself_has_written_is_left() -> None:
    kfp = KfpLines()
    assert [shown for line in WRITTEN.splitlines() if (shown := kfp.shown(line)) is not None] == [
        "24 examples have an answer",
        "{",
        '    "of": "the task\'s own"',
        "}",
        "WARNING: nobody was told",
        "and the last line",
    ]
