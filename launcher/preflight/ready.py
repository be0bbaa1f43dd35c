"""Whether what is about to be submitted can run where it is to."""

import functools
from pathlib import Path

from rich.console import Console

from gemini_sft.errors import UserError
from gemini_sft.experiment import Experiment
from launcher.checking import Checked
from launcher.compiling import image_of
from launcher.image import objection
from launcher.place import Place, Request, Where
from launcher.preflight.preflight import preflight


def require_ready(
    experiment: Experiment, place: Place, template: Path, checked: Checked | None, request: Request, console: Console
) -> None:
    """Looks whether a compiled pipeline can run where it is to; changes nothing and costs nothing.

    Args:
        experiment: With its texts in place.
        place: Where it is to run.
        template: The compiled pipeline.
        checked: Its data as they were checked here; None if they are read only by the pipeline.
        request: What the user asked for.
        console: Takes remarks.

    Raises:
        UserError: It cannot: the text lists everything that is missing.
    """
    image = image_of(template)
    if request.on is Where.KUBEFLOW:
        if why := objection(image):
            raise UserError(why)
    elif request.on_vertex:
        quoting = functools.partial(checked.quote, purpose=request.purpose) if checked else None
        found = preflight(experiment, place.target, image, quoting, request.purpose)
        found.show(console)
        if found.error:
            raise found.error
