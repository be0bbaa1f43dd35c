"""A page of thousands of long examples stays small."""

from dataclasses import replace

from gemini_sft.inference import Outcome, Prediction
from gemini_sft.report import report_page
from tests.unit.gemini_sft.report.sample import answered, example, made_of


def test_ten_thousand_long_examples_and_an_answer_of_a_megabyte_stay_a_small_page() -> None:
    examples = [example(n, "& prompt <b> \u202e" * 500, "one two three") for n in range(10_000)]
    base = (
        [answered(one, '"one" <i> \u4e2d' * 2000) for one in examples[:1999]]
        + [answered(examples[1999], "x" * 1_000_000)]
        + [Prediction(example_id=one.id, outcome=Outcome.ERROR, error="<oops> " * 1000) for one in examples[2000:]]
    )
    tuned = [answered(one, "one two three" if n % 2 else "four") for n, one in enumerate(examples)]
    small = [example(n, "short", "one two three") for n in range(10_000)]
    quick = made_of(small, [answered(one, "one") for one in small], tuned)
    data = replace(quick, test=examples, base=replace(quick.base, predictions=base))
    assert len(report_page(data).encode()) < 13_000_000
