"""Porter's stemmer as the package nltk has it, which is the one that rouge-score uses.

M. F. Porter, "An algorithm for suffix stripping", 1980, with the extensions of nltk.
"""

import sys
from functools import cache, lru_cache
from importlib import import_module
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

_SHORT = 3
"""Words of so many characters are left as they are, as in ROUGE-1.5.5."""
_PACKAGES = ("nltk", "nltk.stem")


@lru_cache(maxsize=2**17)
def stem(word: str) -> str:
    """Returns the stem of a word in lower case; texts have few different words, so each is cut down only once."""
    if len(word) <= _SHORT or not word.isascii():
        return word
    stemmed: str = _stemmer().stem(word)
    return stemmed


@cache
def _stemmer() -> Any:
    return _porter().PorterStemmer()


def _porter() -> ModuleType:
    """Imports the one module that is needed, without the package around it, which takes a second or two to import."""
    if "nltk" in sys.modules:
        return import_module("nltk.stem.porter")
    try:
        path = None
        for name in _PACKAGES:
            spec = PathFinder.find_spec(name, path)
            assert spec is not None and spec.submodule_search_locations is not None
            path = list(spec.submodule_search_locations)
            sys.modules[name] = bare = ModuleType(name)
            bare.__path__ = path
        return import_module("nltk.stem.porter")
    finally:  # whoever wants all of it can have it
        for name in [one for one in sys.modules if one.partition(".")[0] == "nltk"]:
            del sys.modules[name]
