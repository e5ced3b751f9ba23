"""Registries: things that are asked for by name, bundled ones and those of other packages.

Conventions
-----------
A registry maps names to factories. A bundled name is found first; other packages add names of their own by Python entry
points, in their ``pyproject.toml``::

    [project.entry-points."mtbench.recognizers"]
    lipreader = "lipreader.recognizer:load"

A factory is imported only when its name is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from mtbench.errors import UsageError, did_you_mean


class Registry:
    """Factories of one kind of thing by name.

    Parameters
    ----------
    kind : str
        What the things are called in messages, e.g. ``"recognizer"``.
    group : str
        Group of the entry points.
    bundled : mapping of str to callable
        Name -> factory.
    more : str
        What else may be given in place of a name, for messages.

    Examples
    --------
    >>> registry = Registry("renderer", "mtbench.renderers", {"software": dict, "pyrender": dict})
    >>> registry.find("software")
    <class 'dict'>
    >>> registry.find("sofware")
    Traceback (most recent call last):
        ...
    mtbench.errors.UsageError: unknown renderer 'sofware'; did you mean software?; known: pyrender, software
    """

    def __init__(
        self, kind: str, group: str, bundled: Mapping[str, Callable[..., Any]], more: str = ""
    ) -> None:
        self.kind = kind
        self.group = group
        self._bundled = dict(bundled)
        self._more = more

    def names(self) -> list[str]:
        """Return all names, sorted."""
        return sorted({*self._bundled, *self._others()})

    def find_bundled(self, name: str) -> Callable[..., Any] | None:
        """Return the bundled factory called *name*, None where another package adds it, or nobody."""
        return self._bundled.get(name)

    def find(self, name: str) -> Callable[..., Any]:
        """Return the factory called *name*.

        Raises
        ------
        UsageError
            For an unknown name, or another package's factory that cannot be imported.
        """
        if name in self._bundled:
            return self._bundled[name]
        others = self._others()
        if name not in others:
            known = ", ".join(self.names()) or "none"
            more = f", or {self._more}" if self._more else ""
            raise UsageError(
                f"unknown {self.kind} {name!r}{did_you_mean(name, self.names())}; known: {known}{more}"
            )
        try:
            factory: Callable[..., Any] = others[name].load()
        except Exception as error:  # whatever another package raises while it is imported
            raise UsageError(
                f"{self.kind} {name!r} of another package ({others[name].value}) cannot be imported: "
                f"{type(error).__name__}: {error}"
            ) from error
        return factory

    def _others(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}
