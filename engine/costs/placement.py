"""Where what is bought first: a person's own lists, and named rules, dated, with their sources, off unless chosen."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from engine.goals import Goal, exposure_of, goals_by_member, main_goal, part_in, tree_of
from engine.money import ZERO
from engine.portfolio import Instrument, Portfolio
from engine.text import fold

#: What a rule can be about that is no class: instruments whose gains are taxed as dividends.
DIVIDENDS = "taxed-as-dividend"


@dataclass(frozen=True, slots=True)
class PlacementRule:
    """What a rule puts where first: `what` is an asset class or `DIVIDENDS`, `places` types of accounts in order."""

    name: str
    what: str
    places: tuple[str, ...]
    valid_from: dt.date
    valid_to: dt.date | None
    source: str

    def holds(self, day: dt.date) -> bool:
        """Tell whether the rule is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def covers(self, instrument: Instrument) -> bool:
        """Tell whether the rule is about an instrument for how its gains are taxed."""
        return self.what == DIVIDENDS and instrument.taxed_as_dividend is True


@cache
def placement_rules() -> Mapping[str, tuple[PlacementRule, ...]]:
    """Return the rows of every named rule."""
    text = resources.files(__package__).joinpath("placement.csv").read_text(encoding="utf-8")
    found: dict[str, list[PlacementRule]] = {}
    for row in csv.DictReader(text.splitlines()):
        end = dt.date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
        start = dt.date.fromisoformat(row["valid_from"])
        places = tuple(row["places"].split("|"))
        one = PlacementRule(row["rule"], row["what"], places, start, end, row["source"])
        found.setdefault(one.name, []).append(one)
    return {name: tuple(rules) for name, rules in found.items()}


def ranks(portfolio: Portfolio, goals: Sequence[Goal], day: dt.date) -> dict[tuple[str, str], int]:
    """Return how far down the list of liked places each account is, by symbol and account; those of rank 0 left out.

    The most specific list counts: of the symbol, of the goal that it serves most, of the deepest class that more than
    half of what is known of it is in, of the rule that the portfolio chooses. An account is named by its name or type;
    one that is not in the list comes after all that are.
    """
    if not portfolio.prefer or not portfolio.accounts_declared:
        return {}
    of, found = goals_by_member(goals), {}
    for symbol in portfolio.symbols:
        liked = [fold(place) for place in _liked(portfolio, symbol, of.get(symbol, ()), day)]
        for account in portfolio.accounts if liked else ():
            own = {fold(account.name), fold(account.type)}
            rank = next((n for n, place in enumerate(liked) if place in own), len(liked))
            if rank:
                found[symbol, account.name] = rank
    return found


def _liked(portfolio: Portfolio, symbol: str, mine: Sequence[Goal], day: dt.date) -> tuple[str, ...]:
    lists = {fold(key): places for key, places in portfolio.prefer.items() if key != "rule"}
    goal = main_goal(symbol, mine) if mine else None
    for key in (symbol, goal.name if goal is not None and goal.target is not None else ""):
        if fold(key) in lists:
            return lists[fold(key)]
    tree = tree_of(portfolio)
    exposure = exposure_of(portfolio, symbol, tree)
    known = sum(exposure.values(), ZERO)

    def mostly(name: str) -> bool:
        return part_in(name, exposure, tree) * 2 > known

    classes = [key for key in portfolio.prefer if key != "rule" and mostly(key)]
    if classes:
        return portfolio.prefer[max(classes, key=lambda key: len(tree.line(key)))]
    chosen = (rule for name in portfolio.prefer.get("rule", ()) for rule in placement_rules()[name] if rule.holds(day))
    instrument = portfolio.instruments[symbol]
    return next((rule.places for rule in chosen if rule.covers(instrument) or mostly(rule.what)), ())
