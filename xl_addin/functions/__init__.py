"""The spreadsheet functions. Each stands in its room, declaration and body together; hosts find them here by name.

Excel finds each by its name in lower case (`rebal_price`), as xlwings' declaration of it; that imports xlwings and
little else. A room is imported when one of its functions is first called: each session pays for what it uses.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from xl_addin.functions.declaring import Function

_ROOMS = ("prices", "plan", "studies")


def function(name: str) -> Function:
    """Return a function by its public name; raises KeyError for an unknown one."""
    for room in _ROOMS:
        for found in _room(room):
            if found.name == name:
                return found
    raise KeyError(name)


def all_functions() -> tuple[Function, ...]:
    """Return every function, in the order of the documents."""
    return tuple(found for room in _ROOMS for found in _room(room))


@cache
def _room(name: str) -> tuple[Function, ...]:
    """Return the functions of a room, in the order in which they stand there."""
    from xl_addin.functions.declaring import Function

    return tuple(one for one in vars(import_module(f"{__name__}.{name}")).values() if isinstance(one, Function))


def __getattr__(name: str) -> Callable[..., Any]:
    """Return the function that Excel calls by this name."""
    if not name.startswith("rebal_"):
        raise AttributeError(name)
    try:
        found = globals()[name] = _for_excel(function(name.upper()))
    except KeyError:
        raise AttributeError(name) from None
    return found


def __dir__() -> list[str]:
    """Return what Excel may call."""
    return sorted(one.python for one in all_functions())


def _for_excel(spec: Function) -> Callable[..., Any]:
    """Return a function as xlwings declares it: arguments as rows, error cells as text such as "#REF!"."""
    import xlwings

    from xl_addin.functions.declaring import CATEGORY

    names = [(argument.python, argument.optional) for argument in spec.arguments]
    names += [(name, True) for name in spec.hidden]
    signature = Signature(
        [
            Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=None if optional else Parameter.empty)
            for name, optional in names
        ]
    )

    def called(*given: object, **named: object) -> Any:  # noqa: ANN401 - what cells show
        bound = signature.bind(*given, **named)
        bound.apply_defaults()
        return spec.answer(bound.args)

    called.__name__ = called.__qualname__ = spec.python
    called.__doc__ = spec.help("en")
    called.__annotations__ = {}  # xlwings would take them for converters
    called.__signature__ = signature  # type: ignore[attr-defined]
    helps = [argument.help("en") for argument in spec.arguments] + ["What the workbook holds"] * len(spec.hidden)
    for (name, _), text in zip(names, helps, strict=True):
        xlwings.arg(name, ndim=2, err_to_str=True, doc=text)(called)
    xlwings.func(category=CATEGORY)(called)
    return called
