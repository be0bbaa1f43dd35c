"""Which image the components of a pipeline run in outside this machine: the one that the user names, or has built."""

import os
import re
from pathlib import Path

_VARIABLE = "GEMINI_SFT_IMAGE"
BUILT = Path("build/image")
"""Where `make image` leaves the address of what it has built and pushed."""
_PINNED = re.compile(r"^[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}$")


def use_image(built: Path = BUILT) -> str | None:
    """Chooses the image, and has pipelines compiled for it that are imported from now on.

    Args:
        built: Where to look if the environment names none.

    Returns:
        Its address; None if there is none, which only the emulator can do without.
    """
    image = os.environ.get(_VARIABLE)
    if not image and built.is_file():
        os.environ[_VARIABLE] = image = built.read_text("utf-8").strip()
    return image or None


def objection(image: str) -> str | None:
    """Returns why an image cannot be taken: a tag may be moved, and then runs do what nobody has tried; None if it can.

    Args:
        image: Its address.
    """
    if _PINNED.match(image):
        return None
    return (
        f"the image {image} is not an address pinned by its digest, REGISTRY/NAME@sha256:...: build and push one with"
        f" `make image`, or set {_VARIABLE} to the address of one; that of a pushed tag is told by `gcloud artifacts"
        " docker images list REGISTRY/NAME --include-tags`"
    )
