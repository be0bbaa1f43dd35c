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
CHAMPIONS = "champions"
"""A file for each model that was promoted: how it scored then."""
CLEANED = "cleaned.txt"
"""A file that is another after each cleanup that has deleted something."""
LOOKS = "looks"
"""A folder for each evaluation of a champion, in which a file says of each recheck on other examples who made it."""
OUTCOMES = "outcomes"
"""A file for each run that came to a verdict."""
PLANS = "plans"
"""A file for each run that asked itself whether to tune: what it chose, and why."""
RECHECKS = "rechecks"
"""A file for each run that asked the champion alone: what came of it."""
SPENDING = "spending"
"""A folder for each day, in which a file for each run says what it was quoted at."""
TRAINED = "trained"
"""What was tuned on: a file for each intent, and one with the ids of the examples for each content of train."""
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
