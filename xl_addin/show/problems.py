"""Problems as lines that a person can work through: how bad, where, what to do, and the code for programs."""

from __future__ import annotations

from collections.abc import Iterable

from engine.errors import MarketDataError, Problem
from engine.phrase import phrase, place
from engine.places import place as place_told
from engine.words import Lang, say
from xl_addin.show.terminal import Paint, wrap

STYLES = {"error": "red", "warning": "yellow", "info": "dim"}


def problem_lines(problems: Iterable[Problem], lang: Lang, paint: Paint, width: int = 116) -> list[str]:
    """Return the problems, the gravest first, wrapped to `width` columns."""
    lines = []
    for problem in sorted(problems, key=lambda problem: list(STYLES).index(problem.severity)):
        where = f"{place_told(problem.where, lang)}: " if problem.where else ""
        text = f"{say(f'severity.{problem.severity}', lang)}: {where}{problem.said(lang)} [{problem.code}]"
        lines += [paint(line, STYLES[problem.severity]) for line in wrap(text, width, indent="  ")]
    return lines


def problems_of(error: MarketDataError) -> tuple[Problem, ...]:
    """Return a market data error as problems: its own list, or itself as one."""
    if error.problems:
        return error.problems
    name = type(error).__name__
    code = "".join("-" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("-")
    where = " ".join(part for part in (error.source, error.symbol) if part) or place("market-data")
    if error.retry_after is None:
        return (Problem("error", code, where, error.message),)
    return (Problem("error", code, where, phrase("try-again", what=error.message, seconds=error.retry_after)),)
