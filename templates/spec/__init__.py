"""The one declaration of the workbook: its sheets, tables, columns, named cells.

The writer, the reader, the functions' argument tables and docs/workbook.md are derived from it: whatever is special
about a table or a column is declared on it. Identifiers are English in every language; captions stand above them. A
formula only ever refers to tables and names, never to an address. The tables are in `inputs` and `results`.
"""

from __future__ import annotations

from collections.abc import Mapping

from templates.spec.inputs import (
    ACCOUNTS,
    CASH,
    CLASS_TREE,
    COSTS,
    FX,
    GROUPS,
    HISTORY,
    HOLDINGS,
    INSTRUMENTS,
    LEDGER,
    PREFERENCES,
    RULES,
    SETTINGS,
    TARGETS,
)
from templates.spec.results import (
    ALERTS,
    ALLOCATION,
    CALENDAR,
    COMPARISON,
    CONVERSIONS,
    CORRELATION,
    COURSE,
    DRIFT,
    GOALS,
    LIMITS,
    PERFORMANCE,
    PERIODS,
    PRICES,
    PROBLEMS,
    RECONCILE,
    REVIEW,
    SUMMARY,
    TRADES,
)
from templates.spec.schema import Name, Sheet, Table

#: A band wider than any weight: the rule has none.
NO_BAND = 9

SHEETS: tuple[Sheet, ...] = (
    Sheet("Start", "305496", width=5),
    Sheet("Dashboard", "305496", width=15, shared="weights"),
    Sheet("Holdings", "BF8F00", shared="weights"),
    Sheet("Cash", "BF8F00", stacked=True, shared="values"),
    Sheet("Targets", "BF8F00", shared="weights"),
    Sheet("Goals", "548235", shared="weights", optional=True),
    Sheet("Trades", "548235", shared="weights"),
    Sheet("Analysis", "548235", block=2, shared="weights"),
    Sheet("Calendar", "548235", shared="weights"),
    Sheet("Performance", "548235", block=11, tall=33, whole=True, shared="values"),
    Sheet("Ledger", "BF8F00"),
    Sheet("History", "BF8F00", shared="weights"),
    Sheet("Prices", "548235", shared="values"),
    Sheet("Settings", "BF8F00", stacked=True),
    Sheet("Checks", "C00000", block=5, totals=3, shared="values"),
)

#: In the order in which they stand on their sheets, from left to right or from top to bottom.
TABLES: tuple[Table, ...] = (
    HOLDINGS, CASH, FX, CONVERSIONS, RECONCILE, TARGETS, GOALS, TRADES, DRIFT, SUMMARY, LIMITS, ALLOCATION, COMPARISON,
    REVIEW, ALERTS, CORRELATION, CALENDAR, PERFORMANCE, PERIODS, COURSE, LEDGER, HISTORY, PRICES, SETTINGS, RULES,
    ACCOUNTS, GROUPS, CLASS_TREE, PREFERENCES, COSTS, INSTRUMENTS, PROBLEMS,
)  # fmt: skip

#: In the order in which they stand above the tables of their sheets. `$D${first}:$D${last}` are the checks' results.
NAMES: tuple[Name, ...] = (
    Name("TotalValue", "Holdings", "=SUM({Holdings.Value})+SUM({Cash.Value})+CashFlow", "money", private=True),
    Name("HoldingsValue", "Holdings", "=SUM({Holdings.Value})", "money"),
    Name("CashValue", "Holdings", "=SUM({Cash.Value})+CashFlow", "money"),
    Name("TargetSum", "Targets", "=SUM({+Targets.Target})", "weight"),
    Name("CashTarget", "Targets", "=MAX(0,1-SUM({+Targets.Target}))", "weight"),
    Name("BaseCurrency", "Settings", "=INDEX({Settings.Value},{#setting.base_currency@Settings.Key})", "text"),
    Name("CashFlow", "Settings", "=N(INDEX({Settings.Value},{#setting.cash_flow@Settings.Key}))", "money"),
    Name("ChecksFailed", "Checks", "=COUNTIF($D${first}:$D${last},{@check.PROBLEM})", "count"),
)


def table(name: str) -> Table:
    """Return a table by its name; raises KeyError for an unknown one."""
    return _BY_NAME[name]


def sheet(key: str) -> Sheet:
    """Return a sheet by its identifier; raises KeyError for an unknown one."""
    return _SHEETS[key]


def tables_of(sheet_key: str) -> tuple[Table, ...]:
    """Return a sheet's tables, from left to right or from top to bottom."""
    return tuple(found for found in TABLES if found.sheet == sheet_key)


_BY_NAME: Mapping[str, Table] = {found.name: found for found in TABLES}
_SHEETS: Mapping[str, Sheet] = {found.key: found for found in SHEETS}
