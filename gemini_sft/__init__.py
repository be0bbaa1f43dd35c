"""Everything that the pipeline's tasks think: data, predictions, metrics, tuning, decision and report.

No module here knows kfp, the command line or the emulator, so every step is an ordinary function.
"""

__version__ = "0.1.0"
"""That of pyproject.toml, also where nothing is installed but copied, as in the image."""
