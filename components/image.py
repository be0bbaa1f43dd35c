"""The container image that every component runs in."""

import functools
import os

from kfp import dsl

IMAGE = os.environ.get("GEMINI_SFT_IMAGE", "gemini-sft-python:0.1.0")
"""Built by the Dockerfile; on Vertex AI, the address that the image was pushed to."""

component = functools.partial(dsl.component, base_image=IMAGE, install_kfp_package=False)
