"""Made-up summaries of data, for the tests of the data report and of its page in a browser."""

from gemini_sft.data.findings import Finding, clip
from gemini_sft.data.summary import DataSummary, Distribution, RuleSummary, SplitSummary
from gemini_sft.experiment.rules import RULES, Policy

INSTRUCTION = "Say which team a ticket belongs to. Answer with the name of the team and nothing else."

_WHATS = {
    "leak": ("the prompt also stands in train at tickets/train.jsonl:118", "The Atlas router restarts every night"),
    "label": ("the label is not in data.labels; nearest: billing", "biling"),
    "duplicate": ("the same as tickets/train.jsonl:40", "My invoice of March shows the wrong address. Please …"),
    "empty_target": ("column `team` is empty", "The screen stays black after the update"),
    "personal_data": ("an e-mail address", ""),
    "near_duplicate": ("almost the same as tickets/train.jsonl:212 (97% alike)", "The Fjord water meter loses its"),
}


def split(examples: int, dropped: int = 0, files: list[str] | None = None, **more: object) -> SplitSummary:
    lengths = Distribution(mean=412.3, minimum=18, median=356, p95=1204, maximum=12880) if examples else None
    targets = Distribution(mean=8.1, minimum=5, median=7, p95=14, maximum=21) if examples else None
    shape = (0, 0, 0, 0, 0, 2, 6, 14, 26, 34, 12, 4, 1, 0, 1)
    return SplitSummary.model_validate(
        {
            "examples": examples,
            "dropped": dropped,
            "files": files or ["tickets/train.jsonl"],
            "prompt_characters": lengths,
            "target_characters": targets,
            "histogram": [examples * n // 100 for n in shape],
            "labels": {},
        }
        | more
    )


def broken(rule: str, policy: Policy, count: int, first: int = 10) -> RuleSummary:
    what, excerpt = _WHATS.get(rule, (RULES[rule].title, "some text of the record"))
    return RuleSummary(
        rule=rule,
        policy=policy,
        count=count,
        first=[
            Finding(
                rule=rule,
                source="tickets/train.jsonl",
                line=31 * n + 7,
                what=what,
                excerpt=clip(excerpt),
                policy=policy,
            )
            for n in range(min(first, count))
        ],
    )


def summary(*rules: RuleSummary, **more: object) -> DataSummary:
    """A classification of three splits; `more` replaces what it says."""
    return DataSummary.model_validate(
        {
            "splits": {
                "train": split(12400, 1019, labels={"hardware": 6212, "billing": 3985, "network": 2198, "biling": 5}),
                "validation": split(1600, 2, ["tickets/validation.jsonl"], labels={"hardware": 820, "billing": 780}),
                "test": split(
                    3100,
                    0,
                    ["gs://a-bucket/tickets/2025/test-*.jsonl", "more/test.csv"],
                    labels={"hardware": 1500, "billing": 900, "network": 700},
                ),
            },
            "rules": rules,
            "fingerprint": "0123456789abcdef",
            "system_instruction": INSTRUCTION,
            "few_shot": ["tickets/train.jsonl:12", "tickets/train.jsonl:840", "tickets/train.jsonl:9077"],
            "near_duplicates_among": 10000,
        }
        | more
    )


def usable() -> DataSummary:
    return summary(broken("personal_data", Policy.WARN, 4), broken("duplicate", Policy.DROP, 33))


def stopped() -> DataSummary:
    return summary(
        broken("leak", Policy.ERROR, 3),
        broken("label", Policy.ERROR, 1),
        broken("duplicate", Policy.DROP, 1021),
        broken("near_duplicate", Policy.WARN, 12),
        broken("personal_data", Policy.WARN, 4),
    )
