"""What a run will cost, before anything is spent, and what the service counted after it."""

from gemini_sft.cost.asking import Champion, Extras, FrameCount
from gemini_sft.cost.budget import require_within
from gemini_sft.cost.cache import TokenCache
from gemini_sft.cost.line import Line
from gemini_sft.cost.quote import Quote, asks_validation, quote, quote_recheck
from gemini_sft.cost.reconcile import Bill, Reconciliation, reconcile
from gemini_sft.cost.split import SplitCount, TokenCount, count_split

__all__ = [
    "Bill",
    "Champion",
    "Extras",
    "FrameCount",
    "Line",
    "Quote",
    "Reconciliation",
    "SplitCount",
    "TokenCache",
    "TokenCount",
    "asks_validation",
    "count_split",
    "quote",
    "quote_recheck",
    "reconcile",
    "require_within",
]
