"""The look at a project before anything is submitted to it: all that is missing, in one list."""
