"""From a template beside this file to an answer. Every value is escaped, and what cannot be seen gets a sign."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from vertex_emulator.pages import telling
from vertex_emulator.pages.content import markdown
from vertex_emulator.pages.guard import PAGE_POLICY, headers
from vertex_emulator.pages.runs import link_to

FOLDER = Path(__file__).parent


def page(template: str, status: int = 200, **context: Any) -> Response:
    """Renders a page under the policy of all pages."""
    html = _environment().get_template(template).render(**context)
    return HTMLResponse(html, status, headers(PAGE_POLICY))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
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
    return telling.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
