"""TensorBoard: tensorboards, their experiments, runs and time series, and the points of these."""

from vertex_emulator.tensorboard import points, tree
from vertex_emulator.tensorboard.points import write_scalars
from vertex_emulator.tensorboard.tree import create_run, create_tensorboard

__all__ = ["create_run", "create_tensorboard", "routes", "write_scalars"]

routes = [*points.routes, *tree.routes]
