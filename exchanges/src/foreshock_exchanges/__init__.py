"""What exchanges say: a pure module or package for each, in `venues`, loaded by name."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from foreshock_exchanges import venues
from foreshock_exchanges.base import Adapter

NAMES: Final = tuple(sorted(module.name for module in iter_modules(venues.__path__)))


def load(name: str) -> Adapter:
    """Return a new adapter of the exchange of that name.

    Raises:
        KeyError: There is no such exchange; the message names those there are.
    """
    if name not in NAMES:
        raise KeyError(f"no exchange {name!r}; there are: {', '.join(NAMES)}")
    adapter: Adapter = import_module(f"foreshock_exchanges.venues.{name}").ADAPTER()
    return adapter


__all__ = ["NAMES", "Adapter", "load"]
