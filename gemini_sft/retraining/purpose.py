"""What a run is for."""

from enum import StrEnum


class Purpose(StrEnum):
    """What a run is for, on which it depends what stops it.

    Attributes:
        RUN: To tune: what cannot be tuned or paid for is an error.
        RETRAIN: To find out whether to tune: that it cannot be tuned or paid for any more is a reason not to.
        RECHECK: To ask the champion alone.
    """

    RUN = "run"
    RETRAIN = "retrain"
    RECHECK = "recheck"
