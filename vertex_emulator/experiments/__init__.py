"""Experiments: metadata stores and, in them, contexts, artifacts, executions and how these hang together."""

from vertex_emulator.experiments import lineage, nodes, stores
from vertex_emulator.experiments.nodes import create_context

__all__ = ["create_context", "routes"]

routes = [*lineage.routes, *nodes.routes, *stores.routes]
