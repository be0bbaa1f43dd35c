"""Google's own message types, without the service clients that their package imports beside them.

`google.cloud.aiplatform_v1beta1` imports every client of the service at once, which takes three times as long as all
that the emulator needs. Here the package is there, but runs its own code only when somebody asks it for something other
than its `types`; whoever does gets the real thing, with these very types.
"""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

_PACKAGE = "google.cloud.aiplatform_v1beta1"


class _LazyPackage(ModuleType):
    """A package whose `__init__` has not run yet."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or self.__dict__.get("_has_run"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self._has_run = True
        assert self.__spec__ is not None and self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def _import_types() -> ModuleType:
    if _PACKAGE not in sys.modules:
        spec = importlib.util.find_spec(_PACKAGE)
        assert spec is not None
        package = _LazyPackage(_PACKAGE)
        package.__spec__, package.__loader__, package.__file__ = spec, spec.loader, spec.origin
        package.__path__ = list(spec.submodule_search_locations or [])
        sys.modules[_PACKAGE] = package
    return importlib.import_module(f"{_PACKAGE}.types")


types = _import_types()
