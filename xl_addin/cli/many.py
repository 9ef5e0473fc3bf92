"""`rebalancer plan` of several portfolios: a table of who needs what, and what could not be planned."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from engine.documents import number, problem_list
from engine.errors import InputError, Problem, error
from engine.phrase import place
from engine.words import Lang, say
from rebalancer.many import PlannedOne, Terms, Totals, plan_many, totals
from xl_addin.cli.frame import EXIT_NEEDED
from xl_addin.show.allocation_text import section_name
from xl_addin.show.json import dump
from xl_addin.show.terminal import (
    Align,
    Paint,
    TextColumn,
    TextRow,
    money,
    paint_for,
    percent,
    problem_lines,
    progress,
    table_lines,
)

#: Where the terminal is narrow, names are cut down to this.
_NARROWEST = 10
#: Each column: its title, how it stands, and how soon it is left out.
_COLUMNS: tuple[tuple[str, Align, int], ...] = (
    ("client", "<", 0),
    ("value", ">", 0),
    ("drift-short", ">", 0),
    ("acts", "<", 0),
    ("orders", ">", 0),
    ("cost", ">", 0),
    ("next-review", ">", 1),
    ("notes", ">", 0),
)
_STYLES = ("yellow", "", "red")


@dataclass(frozen=True, slots=True)
class ManyInputs:
    """Several portfolios, and what their prices come from."""

    files: Sequence[Path]
    prices: Path | None
    accept: Mapping[str, Decimal]


def plan_and_show(
    inputs: ManyInputs,
    terms: Terms,
    lang: Lang,
    unusable: Mapping[str, object],
    *,
    as_json: bool,
    check: bool = False,
) -> int:
    """Plan each, print the table, and return the exit status: that of the worst of them.

    A `check` has status 4 where nothing is wrong and one of them needs rebalancing.
    """
    problems = tuple(
        error("bad-argument.one-portfolio", place("command-line"), option=option)
        for option, value in unusable.items()
        if value
    )
    if problems:
        raise InputError(problems)
    planned = plan_many(
        inputs.files, as_of=terms.as_of, mode=terms.mode, cash_flow=terms.cash_flow, allow_stale=terms.allow_stale,
        history=terms.history, prices=inputs.prices, offline=terms.offline, accept=inputs.accept, plans=False,
    )  # fmt: skip
    every = sorted(progress(planned, len(inputs.files), "plan"), key=lambda one: one.need)
    if as_json:
        sys.stdout.write(dump(document(every, terms)))
    else:
        sys.stdout.writelines(f"{line}\n" for line in table(every, lang, paint_for(sys.stdout)))
        sys.stderr.writelines(f"{line}\n" for line in problem_lines(failures(every), lang, paint_for(sys.stderr)))
    needed = any(one.summary is not None and one.summary.needs_rebalancing for one in every)
    return status(every) or (EXIT_NEEDED if check and needed else 0)


def status(every: Sequence[PlannedOne]) -> int:
    """Return the exit status of several: 2 before 3 before 1."""
    found = {one.status for one in every}
    return next((code for code in (2, 3, 1) if code in found), 0)


def failures(every: Sequence[PlannedOne]) -> list[Problem]:
    """Return why there is no plan, of each that has none: placed where it is, under its client."""
    return [
        problem
        if str(problem.where).startswith(one.id)
        else replace(problem, where=place("of", whose=one.id, where=problem.where))
        for one in every
        if one.status
        for problem in one.problems
        if problem.severity == "error"
    ]


def document(every: Sequence[PlannedOne], terms: Terms) -> dict[str, object]:
    """Return the JSON document of several portfolios."""
    return {
        "as_of": terms.as_of.isoformat(),
        "portfolios": [one.to_json() for one in every],
        "totals": [
            {
                "base_currency": one.base_currency,
                "portfolios": one.portfolios,
                "total_value": number(one.total_value),
                "needs_rebalancing": one.needs_rebalancing,
                "orders": one.orders,
                "turnover": number(one.turnover),
                "cost": number(one.cost),
            }
            for one in totals(every)
        ],
        "planned": sum(one.summary is not None for one in every),
        "failed": sum(one.summary is None for one in every),
        "problems": problem_list(failures(every)),
    }


def table(every: Sequence[PlannedOne], lang: Lang, paint: Paint) -> list[str]:
    """Return the verdict, the table of all sorted by need, and the totals by currency."""
    rows = [TextRow(_cells(one, lang), _STYLES[one.need[0]]) for one in every]
    rows += [TextRow(_sum_cells(one, lang), "bold") for one in totals(every)]
    columns = [
        TextColumn(say(f"caption.many.{title}", lang), align, least=_NARROWEST, optional=optional)
        for title, align, optional in _COLUMNS
    ]
    needing = sum(one.need[0] == 0 for one in every)
    failed = sum(one.summary is None for one in every)
    verdict = say("said.many", lang, number=len(every), needing=needing, fine=len(every) - needing - failed)
    if failed:
        verdict += " " + say("said.many-failed", lang, number=failed)
    return [paint(verdict, "bold"), "", *table_lines(columns, rows, paint)]


def _cells(one: PlannedOne, lang: Lang) -> tuple[str, ...]:
    found = one.summary
    name = one.client or one.id
    if found is None:
        errors = sum(problem.severity == "error" for problem in one.problems)
        return (name, say("said.no-plan", lang), "", "", "", "", "", str(errors))
    notes = sum(problem.severity != "info" for problem in one.problems)
    return (
        name,
        money(found.total_value, found.base_currency),
        percent(found.drift),
        ", ".join(section_name(section, lang) for section in found.acts) or "–",
        str(found.orders) if found.orders else "–",
        money(found.cost, found.base_currency) if found.orders else "–",
        found.next_review.isoformat() if found.next_review else "–",
        str(notes) if notes else "",
    )


def _sum_cells(one: Totals, lang: Lang) -> tuple[str, ...]:
    name = say("said.many-total", lang, currency=one.base_currency, number=one.portfolios)
    figures = (str(one.orders), money(one.cost, one.base_currency))
    return (name, money(one.total_value, one.base_currency), "", "", *figures, "", "")
