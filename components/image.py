"""The container image that every component runs in, and how Python is started there."""

import os
from collections.abc import Callable
from typing import Any

from kfp import dsl

IMAGE = os.environ.get("GEMINI_SFT_IMAGE", "gemini-sft-python:0.1.0")
"""Built by the Dockerfile; on Vertex AI, the address that the image was pushed to, pinned by its digest."""

_STARTED, _REPLACED = "_KFP_RUNTIME=true python3 -m", "exec env _KFP_RUNTIME=true python3 -m"


def component(function: Callable[..., Any]) -> Any:
    """Makes a component of a function, in the project's image, with nothing installed when it starts.

    kfp starts Python from a shell that stays in between and keeps the SIGTERM of a cancelled run to itself. Here Python
    takes the shell's place, so that a task can cancel what it has started and is billed elsewhere.
    """
    made = dsl.component(function, base_image=IMAGE, install_kfp_package=False)
    container = made.component_spec.implementation.container
    container.command = [part.replace(_STARTED, _REPLACED) for part in container.command]
    return made
