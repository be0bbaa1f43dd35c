"""Aliases of model versions: each stands for one version of its model."""

import re

from vertex_emulator.errors import ApiError, invalid
from vertex_emulator.registry.models import DEFAULT
from vertex_emulator.resources import Document

_ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9-]")


def merge_aliases(model: Document, version_id: str, changes: list[str]) -> dict[str, str]:
    """Returns a model's aliases after a `mergeVersionAliases`.

    Args:
        model: The model.
        version_id: The version that the request is for.
        changes: Aliases to give to it, which takes them from the version that had them; with `-` in front, to remove.

    Raises:
        ApiError: 400 for an alias of wrong form, for one to remove that the version does not have, and for the removal
            of `default`, which can only be given to another version.
    """
    if not changes:
        raise invalid("Required field is not set: version_aliases.", "version_aliases")
    aliases = dict(model["_aliases"])
    # "Adding and deleting the same alias in the request [...] the 2 operations will be cancelled out."
    opposites = {change.removeprefix("-") for change in changes if f"-{change}" in changes}
    for change in changes:
        alias = change.removeprefix("-")
        if not _ALIAS.fullmatch(alias):
            raise invalid(f"Version alias {alias!r} is invalid: it must match {_ALIAS.pattern}.", "version_aliases")
        if alias in opposites:
            continue
        if alias == change:
            aliases[alias] = version_id
        elif alias == DEFAULT:
            message = f"The alias '{DEFAULT}' cannot be removed: give it to another version instead."
            raise ApiError("FAILED_PRECONDITION", message)
        elif aliases.get(alias) != version_id:
            raise invalid(f"Version {version_id} does not have the alias {alias!r}.", "version_aliases")
        else:
            del aliases[alias]
    return aliases
