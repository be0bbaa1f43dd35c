"""Whether a scheduled run tunes, asks the champion again, or does nothing; and what the champion is worth today."""
