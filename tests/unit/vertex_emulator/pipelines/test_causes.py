import pytest

from vertex_emulator.pipelines.causes import cause_of

CHAINED = """starting
Traceback (most recent call last):
  File "a.py", line 1, in <module>
KeyError: 'x'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
    raise errors.NoQuota("no quota") from error
gemini_sft.errors.NoQuota: no quota
  tried: 3 times

ask for more
"""


@pytest.mark.parametrize(
    ("output", "exit_code", "cause"),
    [
        (CHAINED, 1, "gemini_sft.errors.NoQuota: no quota\n  tried: 3 times\n\nask for more"),
        ("Traceback (most recent call last):\n  File x\n\x1b[31mValueError\x1b[0m: bad\n", 1, "ValueError: bad"),
        ("Traceback (most recent call last):\n  File x\nKeyboardInterrupt\n", 1, "KeyboardInterrupt"),
        ("a\nb\nc\nd\ne\nno such file\n", 2, "exit code 2: b\nc\nd\ne\nno such file"),
        ("", 3, "exit code 3 without a word"),
        (CHAINED, -9, "the process was killed by SIGKILL (exit code -9)"),
        ("", 137, "the process was killed by SIGKILL (exit code 137)"),
    ],
)
def test_the_cause_is_the_last_exception(output: str, exit_code: int, cause: str) -> None:
    assert cause_of(output, exit_code) == cause


def test_a_long_cause_is_cut() -> None:
    cause = cause_of(f"Traceback (most recent call last):\nValueError: {'x' * 5000}", 1)
    assert len(cause) == 1000 and cause.startswith("ValueError: x") and cause.endswith("…")
