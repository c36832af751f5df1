"""What moto gets wrong for this project, mended in process.

One module per mend. Each holds exactly one `Mend`, named `mend`, which says
what moto does, what AWS does and where AWS says so, and the patches that make
the one behave like the other. Importing a module changes nothing; `apply` does:
first the replacements of all mends, then their wrappers.

A patch names the attribute that it replaces. If a new moto has moved it, the
start fails with that name: a mend never turns into a no-op unnoticed.
"""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Mend:
    """One place where moto is made to do as AWS does."""

    module: str
    service: str
    moto: str
    aws: str
    source: str
    _replacements: list[Callable[[], None]] = field(default_factory=list, repr=False)
    _wrappers: list[Callable[[], None]] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        return self.module.rpartition(".")[2]

    def around(self, owner: Any, attribute: str) -> Callable[[Callable], Callable]:
        """Replaces owner's function by one that gets the original as its first argument."""

        def register(replacement: Callable) -> Callable:
            def patch() -> None:
                original = getattr(owner, attribute)

                @functools.wraps(original)
                def call(*args: Any, **kwargs: Any) -> Any:
                    return replacement(original, *args, **kwargs)

                # A static method stays one, or it would get an object it does not expect.
                static = isinstance(inspect.getattr_static(owner, attribute), staticmethod)
                setattr(owner, attribute, staticmethod(call) if static else call)

            self._wrappers.append(patch)
            return replacement

        return register

    def instead(self, owner: Any, attribute: str) -> Callable[[Any], Any]:
        """Replaces owner's attribute: a function, a property or a constant."""

        def register(replacement: Any) -> Any:
            def patch() -> None:
                getattr(owner, attribute)  # fails here, not silently, if moto has moved it
                setattr(owner, attribute, replacement)

            self._replacements.append(patch)
            return replacement

        return register

    def new(self, owner: Any, attribute: str) -> Callable[[Any], Any]:
        """Gives owner an attribute that moto lacks."""

        def register(value: Any) -> Any:
            def patch() -> None:
                if hasattr(owner, attribute):
                    raise AttributeError(
                        f"{owner.__name__}.{attribute} exists in this moto: is the mend still needed?"
                    )
                setattr(owner, attribute, value)

            self._replacements.append(patch)
            return value

        return register

    def replace(self) -> None:
        self._run(self._replacements)

    def wrap(self) -> None:
        self._run(self._wrappers)

    def _run(self, patches: list[Callable[[], None]]) -> None:
        for patch in patches:
            try:
                patch()
            except AttributeError as error:
                raise RuntimeError(f"mend {self.name} does not fit this version of moto: {error}") from error


def load() -> list[Mend]:
    """All mends, by name."""
    return [
        importlib.import_module(f"{__name__}.{module.name}").mend
        for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name)
        if not module.name.startswith("_")
    ]


def apply(without: Iterable[str] = ()) -> list[Mend]:
    """Applies all mends but those named, and returns the applied ones."""
    without = set(without)
    mends = load()
    unknown = without - {mend.name for mend in mends}
    if unknown:
        raise ValueError(
            f"no such mend: {', '.join(sorted(unknown))} (there are: {', '.join(mend.name for mend in mends)})"
        )
    applied = [mend for mend in mends if mend.name not in without]
    # All replacements before all wrappers, or a replacement would throw away
    # what another mend has wrapped round the original.
    for mend in applied:
        mend.replace()
    for mend in applied:
        mend.wrap()
    return applied
