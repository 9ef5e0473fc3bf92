"""What the functions are called inside LibreOffice: UNO identifiers have no underscores, files name the service."""

from __future__ import annotations

import re

from xl_addin.functions.registry import FUNCTIONS, Argument, Function

#: The UNO service, which is also the first half of a function's name in a file.
SERVICE = "Rebal"
INTERFACE = "org.rebalancer.XRebal"
IDENTIFIER = "org.rebalancer.functions"
_NAME = re.compile(r"\b(REBAL_[A-Z_]+)\(")


def method(function: Function) -> str:
    """Return the UNO method: REBAL_CORREL_ALERTS is correlAlerts."""
    first, *rest = function.name.removeprefix("REBAL_").lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def parameter(argument: Argument) -> str:
    """Return the UNO parameter; a prefix keeps it from meaning something else."""
    return f"the{argument.name.capitalize()}"


def in_file(formula: str) -> str:
    """Return a formula with the functions named as LibreOffice finds them in a file: REBAL.TRADES(…)."""
    names = {function.name: f"{SERVICE.upper()}.{method(function).upper()}" for function in FUNCTIONS}
    return _NAME.sub(lambda match: f"{names.get(match[1], match[1])}(", formula)
