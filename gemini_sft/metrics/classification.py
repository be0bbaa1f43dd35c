"""Accuracy of labels."""

NAMES = ("accuracy",)
"""In [0, 1]: the mean over all examples is the share of right labels."""

PRIMARY = "accuracy"


def score(answer: str, references: tuple[str, ...]) -> dict[str, float]:
    """Returns `accuracy`: 1 if the answer is the label, letter by letter, and 0 otherwise.

    Only white space around it is forgiven. "Spam." and "SPAM" are not "spam": what reads the label in production
    compares texts, and to answer with the label and nothing else is part of what tuning teaches.

    Args:
        answer: What the model said.
        references: The right labels, at least one.
    """
    return {"accuracy": float(answer.strip() in {one.strip() for one in references})}
