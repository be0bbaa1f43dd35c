"""How long the stand-in model takes to tune on 800 examples, and to answer: `python -m benchmarks.standin`.

The examples are made of the samples: the first half of one article and the second half of another.
"""

import json
import statistics
import time
from pathlib import Path

from vertex_emulator.standin import Record, Settings, train

_SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "summarization" / "train.jsonl"
_EXAMPLES = 800
_ANSWERS = 200


def main() -> None:
    """Measures and prints."""
    records = _records(_EXAMPLES)
    words = statistics.fmean(len(record.turns[-1][1].split()) for record in records)
    started = time.perf_counter()
    cpu = time.process_time()
    settings = Settings(epochs=4, learning_rate_multiplier=1.0, adapter_size=4)
    model = train(records, [], settings, on_step=lambda step: None, on_epoch=lambda epoch, model, validation: None)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(
        f"tuning, {_EXAMPLES} examples of {words:.0f} words, 4 epochs: {seconds:.1f} s, of CPU {cpu:.1f} s (bound 10 s)"
    )

    times = []
    for record in records[:_ANSWERS]:
        started = time.perf_counter()
        model.answer(record.system, record.turns)
        times.append((time.perf_counter() - started) * 1000)
    mean, worst = statistics.fmean(times), statistics.quantiles(times, n=20)[-1]
    print(f"one answer: {mean:.1f} ms on average, 95 % within {worst:.1f} ms (bound 5 ms)")


def _records(count: int) -> list[Record]:
    samples = [json.loads(line)["messages"] for line in _SAMPLES.read_text("utf-8").splitlines()]
    records = []
    for number in range(count):
        first, second = samples[number % len(samples)], samples[(number * 7 + 3) % len(samples)]
        article = _half(first[0]["content"], 0) + "\n" + _half(second[0]["content"], 1)
        records.append(Record("", (("user", article),), first[1]["content"]))
    return records


def _half(text: str, which: int) -> str:
    lines = text.splitlines()
    middle = max(1, len(lines) // 2)
    return "\n".join(lines[middle:] if which else lines[:middle])


if __name__ == "__main__":
    main()
