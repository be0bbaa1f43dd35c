"""Google's filter language for lists (https://google.aip.dev/160), as far as Vertex AI documents it for its resources.

    display_name="a" AND (labels.team:* OR NOT state=FAILED) AND in_context("projects/1/.../contexts/e")

As AIP-160 says, OR binds tighter than AND: `a AND b OR c` is `a AND (b OR c)`. What is not understood is refused; a
filter is never taken for "everything".
"""

from vertex_emulator.filters.parser import compile_filter
from vertex_emulator.filters.spelling import camel_case, snake_case

__all__ = ["camel_case", "compile_filter", "snake_case"]
