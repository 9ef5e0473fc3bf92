"""Targets of goals: what joins the rows of a document, once all have been read; and where what is bought first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.costs.placement import placement_rules
from engine.data.classes import repaired_place, slip_of
from engine.data.fields import Fields, Path, choose, to_text
from engine.data.instruments import Instruments
from engine.goals import ClassTree, exposure_of, goals_of, parent_of, part_in, weighed
from engine.money import ZERO
from engine.portfolio import ACCOUNT_TYPES, Account, Portfolio, Target
from engine.settings import WEIGHT_TOLERANCE
from engine.text import fold, percent

#: Keys of a target's row that make it a goal.
GOAL_KEYS = ("any", "share", "consolidate")


@dataclass(slots=True)
class TargetRow:
    """A target with the row that says it, and its section."""

    section: str
    target: Target
    row: Fields


def read_members(row: Fields, instruments: Instruments) -> tuple[str, ...]:
    """Return the symbols of a set of equivalents, in order of preference; a cell has them with | or , between."""
    value = row.values["any"]
    items: list[tuple[object, Path]]
    if isinstance(value, str):
        items = [(part.strip(), row.at("any")) for part in re.split(r"[|,;]", value) if part.strip()]
    else:
        items = row.items("any")
    found: dict[str, None] = {}
    for item, path in items:
        symbol = instruments.member(item, path)
        if symbol in found:
            row.report.error(path, "duplicate-member.any", symbol=symbol)
        if symbol is not None:
            found[symbol] = None
    if not items:
        row.missing("any", "any")
    return tuple(found)


def resolve(rows: Sequence[TargetRow], tree: ClassTree, instruments: Instruments) -> None:
    """Give targets the weights that shares come to, and say which are leaves; report what they have against another."""
    for one, target in zip(rows, weighed([one.target for one in rows], tree), strict=True):
        one.target = target
    wanted = {one.target.asset_class: one.target.symbol for one in rows if one.target.asset_class is not None}
    parents = {name: parent_of(name, wanted, tree) for name in wanted}
    for one in rows:
        if one.target.share is not None and parents.get(one.target.asset_class or "") is None:
            key = "share-without-parent" if one.target.asset_class is not None else "share-without-parent.class"
            one.row.error("share", key, goal=one.target.symbol)
    _check_names(rows, instruments)
    _check_slips(rows, tree, instruments)
    _check_members(rows)
    _check_sums(rows, parents)


def _check_names(rows: Iterable[TargetRow], instruments: Instruments) -> None:
    """Report goals that are called like an instrument of the portfolio; a class may be, of which it is a member."""
    for one in rows:
        target = one.target
        if target.named == (target.symbol,) or (target.kind == "class" and target.symbol not in instruments):
            continue
        if instruments.meant(target.symbol) is not None:
            _report_name(one)


def _report_name(one: TargetRow) -> None:
    one.row.error("name" if one.row.given("name") else one.target.kind, "goal-name", goal=one.target.symbol)


def _check_slips(rows: Sequence[TargetRow], tree: ClassTree, instruments: Instruments) -> None:
    """Report classes that nobody knows and that look like slips of the hand; a warning where both sides say the same.

    A holding that is in no goal for a slip would be sold.
    """
    wanted = {one.target.asset_class: one.row for one in rows if one.target.asset_class is not None}
    said = instruments.classes_said() if wanted else {}
    for name, row in wanted.items():
        near = slip_of(name, tree)
        if near is not None:
            tell = row.report.warning if name in said else row.report.error
            tell(row.at("class"), "class-near" if name in said else "class-near.slip", name=name, near=near)
    for name, path in said.items():
        near = slip_of(name, tree)
        if near is not None and name not in wanted:
            rows[0].row.report.error(path, "class-near.slip", name=name, near=near)


def _check_members(rows: Iterable[TargetRow]) -> None:
    """Report symbols that are named by two targets."""
    first: dict[str, TargetRow] = {}
    for one in rows:
        for symbol in one.target.named:
            other = first.setdefault(symbol, one)
            if other is not one and "any" in (one.target.kind, other.target.kind):
                place = one.row.report.where(other.row.path)
                one.row.report.error(one.row.path, "goal-member-twice", symbol=symbol, place=place)


def _check_sums(rows: Sequence[TargetRow], parents: Mapping[str, str | None]) -> None:
    """Report wider classes whose narrower targets do not add up to theirs."""
    for one in rows:
        if one.target.leaf:
            continue
        inner = [other for other in rows if parents.get(other.target.asset_class or "") == one.target.symbol]
        total = sum((other.target.weight for other in inner), ZERO)
        if abs(total - one.target.weight) > WEIGHT_TOLERANCE:
            parts = " + ".join(f"{other.target.symbol} {percent(other.target.weight)}" for other in inner)
            values = {"goal": one.target.symbol, "weight": percent(one.target.weight), "total": percent(total)}
            field = "share" if one.target.share is not None else "weight"
            one.row.error(field, "children-sum", **values, parts=parts)


def check_goals(portfolio: Portfolio, rows: Sequence[TargetRow], tree: ClassTree) -> None:
    """Point out goals that nothing can be bought for: a class without members, members that no account may hold."""
    by_key = {one.target.symbol: one.row for one in rows}
    goals = goals_of(portfolio)
    for one in rows:
        # A spreadsheet's lookups know no case: there, `bond` finds the row of a BOND that is not among its members.
        if one.target.kind == "class":
            alike = [symbol for symbol in portfolio.symbols if fold(symbol) == fold(one.target.symbol)]
            mine = {symbol for goal in goals if goal.target is one.target for symbol in goal.members}
            if not mine.issuperset(alike):
                _report_name(one)
    for goal in goals:
        target = goal.target
        if target is None or target.kind == "instrument" or not target.weight or not target.enabled or not goal.leaf:
            continue
        row, name = by_key[goal.name], target.asset_class
        if not goal.members and name is not None:
            own = {symbol for _, other in portfolio.targets() for symbol in other.named}
            inside = (s for s in portfolio.symbols if part_in(name, exposure_of(portfolio, s, tree), tree))
            taken = [symbol for symbol in inside if symbol in own]
            key = "class-empty.taken" if taken else "class-empty"
            # Wishes alone, without holdings and cash, have nothing that could be sold for a slip of the hand.
            alone = not portfolio.holdings and not any(account.cash for account in portfolio.accounts)
            tell = row.report.warning if alone else row.report.error
            tell(row.at("class"), key, goal=goal.name, symbols=taken)
        elif not any(
            account.may_buy(portfolio.instruments[symbol]) for account in portfolio.accounts for symbol in goal.members
        ):
            accounts = [account.name for account in portfolio.accounts]
            row.report.warning(
                row.path, "goal-unbuyable", goal=goal.name, symbols=list(goal.members), accounts=accounts
            )


def read_prefer(
    portfolio: Fields,
    accounts: Sequence[Account],
    goals: Collection[str],
    instruments: Instruments,
    tree: ClassTree,
) -> dict[str, tuple[str, ...]]:
    """Return where what is bought first: places by symbol, goal or class, and a named rule under "rule"."""
    value = portfolio.values.get("prefer")
    rules = placement_rules()
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        rule = choose(value, portfolio.at("prefer"), portfolio.report, tuple(rules))
        return {} if rule is None else {"rule": (rule,)}
    known = tuple(map(str, value))
    row = Fields(value, portfolio.at("prefer"), portfolio.report, known)
    found: dict[str, tuple[str, ...]] = {}
    places = {fold(name): name for name in (*ACCOUNT_TYPES, *(account.name for account in accounts)) if name}
    named = {fold(goal): goal for goal in goals}
    for word in known:
        if fold(word) == "rule":
            rule = row.choice(word, tuple(rules))
            found |= {} if rule is None else {"rule": (rule,)}
            continue
        own = word if word in instruments else None
        key = own or named.get(fold(word)) or instruments.meant(word) or tree.named(word)
        if key in found:
            row.error(word, "duplicate-key", name=key)
        text = row.values[word]
        items = (
            [(part, row.at(word)) for part in re.split(r"[|,;]", text)] if isinstance(text, str) else row.items(word)
        )
        liked: dict[str, None] = {}
        for item, path in items:
            place = to_text(item)
            if fold(place) in places:
                liked[places[fold(place)]] = None
            else:
                repair = repaired_place(place, tuple(places.values()))
                row.report.error(path, "unknown-place", value=place, repair=repair)
        found[key] = tuple(liked)
        if key not in goals and key not in instruments and not tree.knows(word) and not instruments.classed(key):
            row.report.warning(row.at(word), "prefer-unknown", name=word)
    return found
