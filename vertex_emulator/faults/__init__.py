"""Trouble on demand: latency, quota, errors and wrong answers, so that tests and benchmarks meet what the service does.

`PUT /emulator/faults` with a list of rules replaces the rules in force; each request consults them in order. What a
rule may say stands in `rules.Rule` and, with examples, in docs/emulator.md.
"""

from vertex_emulator.faults.answers import spoiled
from vertex_emulator.faults.force import Faults
from vertex_emulator.faults.middleware import FaultsMiddleware, routes
from vertex_emulator.faults.rules import Rule, error_of

__all__ = ["Faults", "FaultsMiddleware", "Rule", "error_of", "routes", "spoiled"]
