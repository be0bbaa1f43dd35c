"""The command line `gemini-sft`: it submits pipelines to Vertex AI, or to an emulator that it starts."""
