"""The tasks of the pipeline as ordinary functions: read artifacts by URI, think, write artifacts by URI.

Each is called by the component of the same name, and returns the numbers that the component shows as Metrics.
"""
