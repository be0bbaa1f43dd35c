"""Amounts for people."""

import math


def usd(amount: float) -> str:
    """Returns an amount in US dollars, rounded up: to the cent from one dollar on, below that to a hundredth of one."""
    digits = 2 if amount >= 1 or amount == 0 else 4
    # The inner rounding takes away what binary fractions add: 0.07 * 100 is a little more than 7.
    return f"{math.ceil(round(amount * 10**digits, 6)) / 10**digits:,.{digits}f} USD"


def counted(number: int, what: str) -> str:
    """Returns a number of things, such as `1 epoch` and `1,200 epochs`."""
    return f"{number:,} {what}{'s' * (number != 1)}"
