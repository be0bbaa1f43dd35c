"""What holds for all tests."""

from hypothesis import settings

# How long an example takes says nothing on a machine that does other things besides.
settings.register_profile("project", deadline=None)
settings.load_profile("project")
