"""Whoever is told how a run ended: the message, the secret that leads to them, and the posting."""

from gemini_sft.notification.message import Told, message, title
from gemini_sft.notification.secret import read_secret
from gemini_sft.notification.webhook import on_this_machine, post

__all__ = ["Told", "message", "on_this_machine", "post", "read_secret", "title"]
