"""Problems as lines that a person can work through: how bad, where, what to do, and the code for programs."""

from __future__ import annotations

from collections.abc import Iterable

from engine.errors import Problem
from engine.words import Lang, say
from xl_addin.show.terminal import Paint, wrap

STYLES = {"error": "red", "warning": "yellow", "info": "dim"}


def problem_lines(problems: Iterable[Problem], lang: Lang, paint: Paint, width: int = 116) -> list[str]:
    """Return the problems, the gravest first, wrapped to `width` columns."""
    lines = []
    for problem in sorted(problems, key=lambda problem: list(STYLES).index(problem.severity)):
        where = f"{problem.placed(lang)}: " if problem.where else ""
        text = f"{say(f'severity.{problem.severity}', lang)}: {where}{problem.said(lang)} [{problem.code}]"
        lines += [paint(line, STYLES[problem.severity]) for line in wrap(text, width, indent="  ")]
    return lines
