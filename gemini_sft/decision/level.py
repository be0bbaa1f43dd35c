"""How sure an interval is, in words."""


def level(confidence: float) -> str:
    """Returns a confidence in percent, with as many digits as it takes not to be 100%."""
    doubt = float(f"{(1 - confidence) * 100:.3g}")
    return f"{100 - doubt:.10g}%"
