"""Where steps keep what later runs of the same experiment may need."""

from pathlib import PurePosixPath

ANSWERS = "answers"
"""A folder for each model's journal."""
CLAIMS = "tuning-claims"
"""A file for each tuning job that is about to be made."""
COMMANDS = "commands"
"""A file for each run that somebody started by hand: with which command."""
EVALUATIONS = "tuning-evaluation"
"""A folder for each run, for what its tuning jobs evaluate themselves."""
OUTCOMES = "outcomes"
"""A file for each run that came to a verdict."""
TRIES = "tries"
"""A file for each tuned model that was compared on some test examples with what was in use."""
TOKEN_COUNTS = "token-counts"
"""A file for each model, with what is known of how many tokens something has."""
PROGRESS = "progress"
"""A folder for each run, in which a file for each model says how far its answers are."""


def beside(experiment_uri: str, place: str) -> str:
    """Returns a place with all runs of an experiment: beside its file's folder, that is two folders above the file."""
    if not experiment_uri.startswith("gs://"):
        return str(PurePosixPath(experiment_uri).parent.parent / place)
    bucket, _, name = experiment_uri.removeprefix("gs://").partition("/")
    return f"gs://{bucket}/{PurePosixPath(name).parent.parent / place}"


def in_bucket(experiment_uri: str, place: str) -> str | None:
    """Returns a place with all experiments of a bucket; None for an experiment that is a local file."""
    if not experiment_uri.startswith("gs://"):
        return None
    return f"gs://{experiment_uri.removeprefix('gs://').partition('/')[0]}/{place}"
