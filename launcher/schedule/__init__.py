"""Schedules: when an experiment is run again, on Vertex AI, on its emulator or on Kubeflow."""
