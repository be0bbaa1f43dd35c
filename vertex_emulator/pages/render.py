"""From a template beside this file to an answer. Every value is escaped, and what cannot be seen gets a sign."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, Response

from vertex_emulator.pages import telling
from vertex_emulator.pages.content import MOST_BYTES, markdown
from vertex_emulator.pages.guard import PAGE_POLICY, headers
from vertex_emulator.pages.runs import link_to

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent


def page(template: str, status: int = 200, **context: Any) -> Response:
    """Renders a page under the policy of all pages."""
    html = _environment().get_template(template).render(**context)
    return HTMLResponse(html, status, headers(PAGE_POLICY))


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader  # nobody may look: the emulator starts sooner without it

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["most_bytes"] = MOST_BYTES
    environment.filters |= {
        "duration": telling.duration,
        "markdown": markdown,
        "moment": telling.moment,
        "size": telling.size,
        "state": telling.state_of,
        "value": telling.value,
        "run_link": link_to,
        "took": lambda job: telling.seconds_between(job.get("startTime"), job.get("endTime")),
    }
    return environment


def _finalize(value: Any) -> Any:
    # What a template made itself is a string of another class, and fit to be shown.
    return telling.visible(value) if type(value) is str else value
