"""What the user has told gcloud: the project and the region that its commands take by default."""

import json
import subprocess
from functools import cache

_SECONDS = 10


@cache
def gcloud_defaults() -> dict[str, str]:
    """Returns gcloud's defaults by property: `core/project`, `ai/region`, `compute/region`; only those that are set.

    A gcloud that is missing, broken or slow has none: there are other ways to say where.
    """
    command = ["gcloud", "config", "list", "--format=json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)
        sections = json.loads(done.stdout)
        given = {name: sections.get(name.split("/")[0], {}).get(name.split("/")[1]) for name in _PROPERTIES}
    except (OSError, subprocess.SubprocessError, ValueError, AttributeError):
        return {}
    return {name: value for name, value in given.items() if isinstance(value, str) and value}


_PROPERTIES = ("core/project", "ai/region", "compute/region")
