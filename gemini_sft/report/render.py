"""From a template to one HTML document that needs nothing from outside and lets nothing out.

Every value that a template prints is escaped and made visible on its way. The document's own policy then allows
exactly the scripts that were put in, by their hashes, and no connection at all.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gemini_sft.report import numbers
from gemini_sft.report.figures import Figure
from gemini_sft.report.text import visible


def render(template: str, figures: Sequence[Figure], *, script: str = "", **context: Any) -> str:
    """Renders one document.

    Args:
        template: Name of the template, beside this file.
        figures: What Plotly draws; without any, the page has no Plotly.
        script: Name of the page's own script, beside this file; without it and figures, the page has none.
        context: What the template shows.
    """
    scripts = [_asset(script)] if script else []
    scripts += [_plotly(), _asset("plot.js")] if figures else []
    page = _environment().get_template(template)
    return page.render(
        **context,
        figures=[{key: figure[key] for key in ("id", "data", "layout")} for figure in figures],
        scripts=[Markup(script) for script in scripts],
        style=Markup(_asset("page.css")),
        policy=_policy(scripts),
    )


def _policy(scripts: Sequence[str]) -> Markup:
    """Returns the Content Security Policy. Plotly sets styles, so those are free; scripts are named by hash."""
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in scripts)
    rules = [
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        f"script-src {hashes or repr('none')}",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return Markup("; ".join(rules))


@cache
def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gemini_sft.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Escapes <, >, & and ' beside what JSON needs; ASCII only, so no separator of lines is left either.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "allow_nan": False, "separators": (",", ":")}
    environment.filters["count"] = numbers.count
    return environment


def _finalize(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _asset(name: str) -> str:
    return files("gemini_sft.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())
