"""generateContent, streamGenerateContent, countTokens and computeTokens, of base models and tuned endpoints."""

from vertex_emulator.generation.answers import ask, base_version, read_question, tuned_version
from vertex_emulator.generation.routes import routes

__all__ = ["ask", "base_version", "read_question", "routes", "tuned_version"]
