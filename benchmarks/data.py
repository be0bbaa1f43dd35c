"""Reading, checking and writing training data: `python -m benchmarks.data [ROWS ...]` (100,000 and 1,000,000).

For each number of rows, one run each of

* ours: `prepare` on a `messages` file, all checks included; near-duplicates are looked for in as many rows as it does;
* tutorial: what Google's notebook on summarization does (the package jsonlines, everything in a list of dicts);
* orjson: `loads` and `dumps` of every line in one process, which nothing written in Python can do without.

Ratios hold between runs that stand beside each other in time. Memory is the proportional set size of all processes.
"""

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson

_ROWS = (100_000, 1_000_000)
_TESTS = 500
_NEAR_ROWS = 200_000
_SYSTEM = "Summarize the article for somebody who has one minute."
_WAYS = ("ours", "orjson", "tutorial")


def write_messages(path: Path, rows: int, seed: int) -> None:
    """Writes rows of about a kilobyte: of every ten, some hold line breaks, quotes, accents, numbers or an address."""
    choice = random.Random(seed)
    words = ["".join(choice.choices("abcdefghijklmnopqrstuvwxyz", k=choice.randint(2, 9))) for _ in range(20_000)]
    spices = ["\n\n", ' "so it is" ', " café, naïve, 東京 ", " on 2024-01-31 at 10:45 ", " 1,234.50 ", " a@b.example "]
    with path.open("wb") as file:
        for _ in range(rows):
            text, answer = (" ".join(choice.choices(words, k=number)) for number in (120, 25))
            if choice.random() < 0.6:
                half = len(text) // 2
                text = text[:half] + choice.choice(spices) + text[half:]
            turns = [("system", _SYSTEM), ("user", text), ("assistant", answer)]
            record = {"messages": [{"role": role, "content": content} for role, content in turns]}
            file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def ours(folder: Path, near_rows: int | None = None) -> None:
    """Prepares train.jsonl and test.jsonl."""
    from gemini_sft.data import preparing
    from gemini_sft.experiment import Data, Experiment, Task

    if near_rows is not None:
        preparing.NEAR_EXAMPLES = near_rows
    data = Data(train=str(folder / "train.jsonl"), test=str(folder / "test.jsonl"))
    experiment = Experiment(name="rows", task=Task.SUMMARIZATION, base_model="gemini-3.1-flash-lite", data=data)
    splits = [str(folder / "out" / name) for name in ("train", "validation", "test")]
    _, problems = preparing.prepare(experiment, splits, str(folder / "out" / "findings.jsonl"))
    # More than a gigabyte is more than Vertex AI takes: the only thing that may be wrong with these data.
    assert all("GB" in problem.what for problem in problems), problems


def tutorial(folder: Path) -> None:
    """Reads all, converts all, writes all."""
    import jsonlines

    instances = []
    with jsonlines.open(folder / "train.jsonl") as reader:
        for line in reader:
            turns = [{"role": one["role"], "parts": [{"text": one["content"]}]} for one in line["messages"]]
            instances.append({"contents": turns})
    with jsonlines.open(folder / "tutorial.jsonl", mode="w") as writer:
        writer.write_all(instances)


def orjson_alone(folder: Path) -> None:
    """Parses and writes every line, in one process."""
    with (folder / "train.jsonl").open("rb") as source, (folder / "orjson.jsonl").open("wb") as target:
        for line in source:
            target.write(orjson.dumps(orjson.loads(line), option=orjson.OPT_APPEND_NEWLINE))


def measured(*arguments: str) -> tuple[float, float]:
    """Runs this module in a process of its own.

    Returns:
        Seconds that the work took, and the most memory that it and its children had at a time, in MB.
    """
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.data", *arguments], stdout=subprocess.PIPE, text=True)
    most = 0.0
    while process.poll() is None:
        most = max(most, sum(map(_memory, [process.pid, *_children(process.pid)])))
        time.sleep(0.05)
    assert process.stdout is not None
    with process.stdout:
        return float(process.stdout.read()), most


def _memory(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def _children(pid: int) -> list[int]:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(one) for one in found] + [deeper for one in found for deeper in _children(int(one))]


def main(rows: list[int]) -> None:
    """Prints seconds, memory and ratios for each number of rows, and what near-duplicates cost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_messages(folder / "test.jsonl", _TESTS, seed=1)
        for number in rows:
            write_messages(folder / "train.jsonl", number, seed=2)
            size = (folder / "train.jsonl").stat().st_size / 1e6
            print(f"{number:,} rows, {size:,.0f} MB", flush=True)
            seconds = {}
            for way in _WAYS:
                seconds[way], memory = measured(way, name)
                pace = f"{seconds[way] / number * 1e6:.1f} µs a row"
                print(f"  {way:9} {seconds[way]:6.1f} s, {pace}, {memory:,.0f} MB of memory", flush=True)
            print(f"  {seconds['tutorial'] / seconds['ours']:.1f} times as fast as the tutorial (bound 10)")
            print(f"  {seconds['ours'] / seconds['orjson']:.1f} times as long as orjson alone (bound 4)")
        write_messages(folder / "train.jsonl", _NEAR_ROWS, seed=3)
        without, _ = measured("ours", name, "0")
        within, _ = measured("ours", name)
        share = (within - without) / without
        print(f"{_NEAR_ROWS:,} rows: {without:.1f} s, with near-duplicates {within:.1f} s")
        print(f"  {share:.1f} times more (bound 2)")


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] in _WAYS:
        started = time.perf_counter()
        if sys.argv[1] == "ours":
            ours(Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
        else:
            {"tutorial": tutorial, "orjson": orjson_alone}[sys.argv[1]](Path(sys.argv[2]))
        print(time.perf_counter() - started)
    else:
        main([int(one) for one in sys.argv[1:]] or list(_ROWS))
