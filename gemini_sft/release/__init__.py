"""Which model is in use: putting a better one in its place, and taking that back."""

from gemini_sft.release.moving import Champions
from gemini_sft.release.promotion import Promotion, promote
from gemini_sft.release.rollback import Rollback, rollback

__all__ = ["Champions", "Promotion", "Rollback", "promote", "rollback"]
