"""A package whose names are imported when they are first used, so that importing it costs nothing."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class LazyPackage(ModuleType):
    """The class of such a package: `_HOMES` says in which of its modules a name of `__all__` is; one without a home is a module itself.

    Importing the module `handlens.fit` sets the package's attribute `fit`; it must not hide the function `hl.fit`.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in self.__dict__["_HOMES"] and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        """As other modules are: a function that uses it can be sent to another process (Ray, joblib), which imports it anew."""
        return importlib.import_module, (self.__name__,)

    def __dir__(self) -> list[str]:
        return sorted(self.__dict__["__all__"])

    def find(self, name: str) -> object:
        """The value of a name that is used for the first time.

        Raises:
            AttributeError: the package has no such name.
        """
        if name not in self.__dict__["__all__"]:
            raise AttributeError(f"{self.__name__} has no '{name}'")
        home = self.__dict__["_HOMES"].get(name)
        if home is None:
            return importlib.import_module(f"{self.__name__}.{name}")
        value = getattr(importlib.import_module(f"{self.__name__}.{home}"), name)
        setattr(self, name, value)
        return value


def make_lazy(name: str) -> LazyPackage:
    """Make the package of this name, which is just being imported, a lazy one."""
    package = sys.modules[name]
    package.__class__ = LazyPackage
    assert isinstance(package, LazyPackage)
    return package
