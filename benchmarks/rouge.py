"""ROUGE against the package rouge-score: `python -m benchmarks.rouge [PAIRS]` (5,000).

Both score the same pairs of 150 words, ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum with the stemmer, in one process and
by turns, so that what else the machine does falls on both. Ours scores all pairs; rouge-score every 50th, and its time
for all is fifty times that. Where both score, every number is the same. Words are drawn as in English, few often and
most seldom, and every fourth pair has lines. The import of either is not counted, and is printed apart.
"""

import subprocess
import sys
import time
from random import Random

_PAIRS = 5_000
_WORDS = 150
_EVERY = 50
_ENDINGS = ("", "", "s", "ed", "ing", "ly", "ness", "ational")
_TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
_IMPORTS = {
    "ours": "from gemini_sft.metrics.rouge import score; score('boiling', ('boiled',))",
    "rouge-score": "from rouge_score.rouge_scorer import RougeScorer; RougeScorer(['rouge1'], use_stemmer=True)",
}


def texts(pairs: int, seed: int = 1) -> list[tuple[str, str]]:
    """Returns answers and references, which share about a third of their words."""
    choice = Random(seed)
    stems = ["".join(choice.choices("abcdefghijklmnopqrstuvwxyz", k=choice.randint(2, 8))) for _ in range(5_000)]
    weights = [1 / rank for rank in range(1, len(stems) + 1)]

    def text(number: int) -> str:
        words = [word + choice.choice(_ENDINGS) for word in choices()]
        breaks = 20 if number % 4 == 0 else _WORDS
        return "\n".join(" ".join(words[begin : begin + breaks]) for begin in range(0, _WORDS, breaks))

    def choices() -> list[str]:
        return choice.choices(stems, weights, k=_WORDS)

    return [(text(number), text(number)) for number in range(pairs)]


def main(pairs: int) -> None:
    """Prints seconds for all pairs, and how many times as fast ours is."""
    from rouge_score.rouge_scorer import RougeScorer

    from gemini_sft.metrics.rouge import score

    for name, code in _IMPORTS.items():
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        print(f"  {name:11} {time.perf_counter() - started:6.2f} s to import and score a first word", flush=True)
    scorer = RougeScorer(list(_TYPES), use_stemmer=True)
    ours = theirs = 0.0
    compared = 0
    for number, (answer, reference) in enumerate(texts(pairs)):
        started = time.perf_counter()
        found = score(answer, (reference,))
        ours += time.perf_counter() - started
        if number % _EVERY == 0:
            started = time.perf_counter()
            wanted = scorer.score(reference, answer)
            theirs += time.perf_counter() - started
            compared += 1
            assert list(found.values()) == [value for kind in _TYPES for value in wanted[kind]], (answer, reference)
    theirs *= pairs / compared
    print(f"{pairs:,} pairs of {_WORDS} words, {', '.join(_TYPES)}, stemmed")
    print(f"  ours        {ours:6.1f} s, {ours / pairs * 1e3:.2f} ms a pair, all of them scored")
    print(f"  rouge-score {theirs:6.1f} s, {theirs / pairs * 1e3:.2f} ms a pair, by {compared} of them")
    print(f"  {theirs / ours:.0f} times as fast as rouge-score (bound 20), and the same numbers")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else _PAIRS)
