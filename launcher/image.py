"""Which image the components of a pipeline run in on Vertex AI: the one that the user names, or has built."""

import os
import re
from pathlib import Path

from gemini_sft.errors import UserError

_VARIABLE = "GEMINI_SFT_IMAGE"
BUILT = Path("build/image")
"""Where `make image` leaves the address of what it has built and pushed."""
_PINNED = re.compile(r"^[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}$")


def use_image(built: Path = BUILT) -> str | None:
    """Chooses the image, and has pipelines compiled for it that are imported from now on.

    Args:
        built: Where to look if the environment names none.

    Returns:
        Its address, pinned by its digest; None if there is none, which only the emulator can do without.

    Raises:
        UserError: It is not pinned: a tag may be moved, and then a scheduled run would do what nobody has tried.
    """
    image, source = os.environ.get(_VARIABLE), _VARIABLE
    if not image and built.is_file():
        image, source = built.read_text("utf-8").strip(), str(built)
    if not image:
        return None
    if not _PINNED.match(image):
        raise UserError(
            f"{source}: the image {image!r} is not an address pinned by its digest, REGISTRY/NAME@sha256:...: take the"
            " one that `make image IMAGE=...` prints, or that of a pushed tag from"
            " `gcloud artifacts docker images list REGISTRY/NAME --include-tags`"
        )
    os.environ[_VARIABLE] = image
    return image


def require_image() -> None:
    """Chooses the image for a run on Vertex AI, as `use_image` does.

    Raises:
        UserError: There is none, or it is not pinned.
    """
    if use_image() is None:
        raise UserError(
            "the components need an image that Vertex AI can pull: build and push it with `make image"
            " IMAGE=REGION-docker.pkg.dev/PROJECT/REPOSITORY/gemini-sft-python`, here, or set GEMINI_SFT_IMAGE to its"
            " address"
        )
