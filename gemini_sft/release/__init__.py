"""What becomes of tuned models after the verdict."""
