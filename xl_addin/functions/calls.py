"""One call of a function, whatever becomes of it: an answer, or the token of a real error and its cause kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from importlib import import_module

from engine.errors import ImpossibleError, InputError, MarketDataError, Problem
from xl_addin.functions import journal
from xl_addin.functions.answers import Answer
from xl_addin.functions.registry import NA, NUM, VALUE, function
from xl_addin.show.problems import problems_of

#: Where each function's body is: imported at its first call, since each session pays for what it uses.
BODIES: Mapping[str, tuple[str, str]] = {
    "REBAL_PRICE": ("quotes", "price"),
    "REBAL_PRICES": ("quotes", "prices"),
    "REBAL_FX": ("quotes", "rate"),
    "REBAL_DRIFT": ("plans", "drift"),
    "REBAL_TRADES": ("plans", "trades"),
    "REBAL_SUMMARY": ("plans", "summary"),
    "REBAL_CHECKS": ("plans", "checks"),
    "REBAL_WEIGHTS": ("studies", "weights"),
    "REBAL_CORREL": ("studies", "correlations"),
    "REBAL_CORREL_ALERTS": ("studies", "alerts"),
    "REBAL_COMPARE": ("studies", "compare"),
    "REBAL_REVIEW": ("studies", "review"),
    "REBAL_RISK": ("studies", "risk"),
    "REBAL_CALENDAR": ("studies", "calendar"),
    "REBAL_HISTORY": ("quotes", "history"),
}
#: These say their own problems on the Checks sheet, by being asked again there.
_PLANS = frozenset(("REBAL_DRIFT", "REBAL_TRADES", "REBAL_SUMMARY", "REBAL_CHECKS"))
_bodies: dict[str, Callable[..., Answer]] = {}


def call(name: str, given: Sequence[object]) -> Answer:
    """Return what a function's cells show; never raises. `given` are its arguments, then what the host fills in."""
    try:
        answer = _body(name)(*given)
    except ImpossibleError as error:
        return _failed(name, given, error.problems, NUM)
    except InputError as error:
        return _failed(name, given, error.problems, VALUE)
    except MarketDataError as error:
        return _failed(name, given, problems_of(error), NA)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a cell never shows a traceback
        return _failed(name, given, (journal.unexpected(name, error),), VALUE)
    if not journal.empty():
        journal.answered(name, _digest(name, given))
    return answer


def _body(name: str) -> Callable[..., Answer]:
    if name not in _bodies:
        module, attribute = BODIES[name]
        _bodies[name] = getattr(import_module(f"xl_addin.functions.{module}"), attribute)
    return _bodies[name]


def _failed(name: str, given: Sequence[object], problems: Iterable[Problem], token: str) -> str:
    causes = tuple(_placed(problem, name) for problem in problems if problem.severity != "info")
    journal.failed(name, _digest(name, given), causes, shown=name not in _PLANS)
    return token


def _placed(problem: Problem, name: str) -> Problem:
    """Name the function where a problem names only its argument."""
    return replace(problem, where=f"{name} {problem.where}") if problem.code == "bad-argument" else problem


def _digest(name: str, given: Sequence[object]) -> str:
    """Return what tells a call from others; what stands near it does not."""
    spec = function(name)
    told = given[: len(spec.arguments) + bool(spec.sheets)]
    return sha256(repr(told).encode("utf-8", "replace")).hexdigest()
