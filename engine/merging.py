"""Two versions of a portfolio that come from a third, as one, row by row; what both changed is never chosen silently.

A row is a holding, an account, an amount of cash, a target, a section's rule, a group, a rate, a setting. Where one
side left it as it was, the other side's counts; where both made the same of it, that; where each made something else,
it is a conflict, shown with both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from decimal import Decimal
from typing import Any

from engine.errors import Problem, error
from engine.goals import ClassTree, weighed
from engine.ledger.account import Books
from engine.money import ZERO
from engine.phrase import Phrase, phrase, place
from engine.portfolio import Holding, Portfolio, Rule, Section, Target
from engine.settings import Settings, setting_fields
from engine.text import plain_number

Row = tuple[str, ...]
Rows = dict[Row, Any]
#: The columns of a workbook that say what a field of a row is called; those of the same name in several tables once.
_COLUMNS: Mapping[str, str] = {
    "quantity": "Quantity", "value": "Value", "average_cost": "AverageCost", "price": "Price", "locked": "Locked",
    "type": "Type", "markets": "Markets", "risk_cap": "RiskCap", "banned": "Banned", "cash_buffer": "CashBuffer",
    "weight": "Target", "role": "Role", "benchmark": "Benchmark", "thesis_valid": "ThesisValid", "enabled": "Enabled",
    "members": "Members", "minimum": "Min", "maximum": "Max", "share": "Share", "consolidate": "Consolidate",
    "asset_class": "Class", "schedule": "Schedule", "absolute_band": "AbsoluteBand", "relative_band": "RelativeBand",
    "relative_band_high_volatility": "RelativeBandHigh", "min_trade": "MinTrade", "last_rebalanced": "LastRebalanced",
    "months": "Months",
}  # fmt: skip
#: What the codes of fields are called.
_CODES = {"type": "word.account_type", "schedule": "word.schedule", "markets": "word.market", "banned": "word.trait"}
_SECTIONS = ("core", "satellite", "all")
#: Rows that stand in a list: one that is not there was taken away, or is new.
_LISTED = frozenset(("holding", "account", "target", "rule", "group"))
_PERCENTS = frozenset(("weight", "minimum", "maximum", "share", "risk_cap", "absolute_band", "relative_band",
                       "relative_band_high_volatility"))  # fmt: skip
#: All targets together, and the rounding that is let be.
_WHOLE = Decimal("1.000001")


@dataclass(frozen=True, slots=True)
class Conflict:
    """A row that both sides changed, each in its own way; None where a side took it away."""

    row: Row
    mine: object
    theirs: object

    @property
    def problem(self) -> Problem:
        """Return the conflict as an error that shows both values."""
        return error(
            "sync-conflict.weights" if self.row[0] == "weights" else "sync-conflict", row_place(self.row),
            mine=self.shown[0], theirs=self.shown[1],
        )  # fmt: skip

    @property
    def shown(self) -> tuple[object, object]:
        """Return both values as far as they differ."""
        mine, theirs = self.mine, self.theirs
        gone = phrase("sync-gone")
        return (
            gone if mine is None and self.row[0] in _LISTED else _shown(self.row, mine, theirs),
            gone if theirs is None and self.row[0] in _LISTED else _shown(self.row, theirs, mine),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """A row that a merge changes; None where there is none."""

    row: Row
    before: object
    after: object

    @property
    def told(self) -> Phrase:
        """Return the change as a line."""
        before, after = _shown(self.row, self.before, self.after), _shown(self.row, self.after, self.before)
        kind = "" if self.row[0] not in _LISTED else ".new" if self.before is None else ".gone"
        key = f"sync-change{kind}" if self.before is None or self.after is None else "sync-change"
        return phrase(key, row=row_place(self.row), before=before, after=after)


def row_place(row: Row) -> Phrase:
    """Return which row it is: its kind, and what it is called."""
    kind, *names = row
    found: list[object] = list(names)
    if kind in ("setting", "head") and names[0] != "costs":
        found[0] = _word("word.setting", names[0])
    elif kind in ("target", "weights", "rule") and names[0] in _SECTIONS:
        # "all" is the section of those who have none.
        found[0] = "" if names[0] == "all" and names[1:] else _word("section", names[0])
    return place(f"sync-{kind}", row=tuple(filter(None, found)))


def _word(kind: str, code: str) -> Phrase:
    """Return a code as a file has it, with the word that a workbook has."""
    return phrase("sync-word", code=code, word=phrase(f"{kind}.{code}"))


def _shown(row: Row, value: object, other: object) -> object:
    """Return of a row what tells it from the other one, for a person."""
    if value is None:
        return "0" if row[0] == "cash" else phrase("sync-none")
    if not is_dataclass(value):
        chosen = row[0] == "setting" and setting_fields()[row[1]]["choices"]
        if not chosen:
            return _plain(value)
        kind = "word.market" if row[1] == "fractional" else f"word.setting.{row[1]}"
        codes = value if isinstance(value, tuple) else (value,)
        return tuple(_word(kind, str(one)) for one in codes) or phrase("sync-none")
    names = [one.name for one in fields(value) if one.compare]
    if type(other) is type(value):
        names = [name for name in names if getattr(value, name) != getattr(other, name)]
    elif isinstance(value, Holding):
        names = ["quantity" if value.value is None else "value"]
    elif isinstance(value, Target):
        names = ["weight"]
    else:  # what the row is called by is no part of what it says
        names = [name for name in names if name not in ("name", "cash") and getattr(value, name) not in (None, ())]
    said = [(name, _field(name, getattr(value, name))) for name in names]
    if len(said) == 1 and names[0] in ("quantity", "value", "weight"):
        return said[0][1]
    return tuple(_part(type(value).__name__, name, text) for name, text in said)


def _field(name: str, value: Any) -> object:  # noqa: ANN401 - any field
    """Return what a field of a row says."""
    if name in _CODES and value:
        return tuple(_word(_CODES[name], one) for one in ((value,) if isinstance(value, str) else value))
    return _plain(value, percent=name in _PERCENTS)


def _part(kind: str, name: str, text: object) -> object:
    """Return a field of a row with what it is called."""
    column = _COLUMNS.get(name)
    table = {"Holding": "Holdings", "Account": "Accounts", "Target": "Targets", "Rule": "Rules", "Group": "Groups"}
    label: object = phrase(f"column.{table[kind]}.{column}") if column and kind in table else name
    return phrase("sync-part", label=label, value=text)


def _plain(value: object, *, percent: bool = False) -> str:
    """Return a value as a portfolio's file has it; parts of a whole as per cent."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{plain_number(value * 100)}%" if percent else plain_number(value)
    if isinstance(value, tuple):
        return ", ".join(map(_plain, value)) or "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(one)}" for key, one in value.items()) or "–"
    if is_dataclass(value):
        given = {one.name: getattr(value, one.name) for one in fields(value)}
        return _plain({name: one for name, one in given.items() if one is not None})
    return "–" if value is None or value == "" else str(value)


def merged(
    base: Portfolio | None,
    mine: Portfolio,
    theirs: Portfolio,
    *,
    prefer: str = "",
    choices: Mapping[Row, str] | None = None,
    settled: Mapping[Row, Any] | None = None,
) -> tuple[Portfolio, tuple[Conflict, ...]]:
    """Return what two versions come to, in the order of mine, and the rows that each changed in its own way.

    `base` is what both come from; without it every row that differs is a conflict, and one that a side lacks is taken
    from the other. `settled` are rows of which is known what both changes come to (`settled_by`); `prefer` ("mine" or
    "theirs") decides the other conflicts, `choices` those of some rows. Targets that are above 1 together are one, row
    by row.
    """
    choices, given = choices or {}, (base, mine, theirs)
    base, mine, theirs, conflicts = _with_same_names(base, mine, theirs, prefer, choices)
    if (base, mine, theirs) != given and settled:
        settled = None  # entries of a ledger keep the old name
    old, ours, others = (_rows(one) if one else {} for one in (base, mine, theirs))
    kept: Rows = {}
    for row in dict.fromkeys((*ours, *others)):
        before, here, there = old.get(row), ours.get(row), others.get(row)
        known = settled.get(row) if settled else None
        if known is not None:
            before, here, there = (_levelled(one, known) for one in (before, here, there))
        decided, value = _decided(known, before, here, there, first=base is None)
        if not decided:
            side = choices.get(row, prefer)
            value = there if side == "theirs" else here
            if not side:
                conflicts.append(Conflict(row, here, there))
        if value is not None:
            kept[row] = value
    if _wanted(kept) > _WHOLE:
        for row in dict.fromkeys((*ours, *others)):
            here, there = ours.get(row), others.get(row)
            if row[0] != "target" or here == there:
                continue
            side = choices.get(("weights", *row[1:]), prefer)
            kept[row] = there if side == "theirs" else here
            if not side:
                conflicts.append(Conflict(("weights", *row[1:]), here, there))
    kept = {row: value for row, value in kept.items() if value is not None}
    return _built(_with_accounts(kept, ours, others), mine, theirs), tuple(conflicts)


def _with_accounts(kept: Rows, ours: Rows, others: Rows) -> Rows:
    """Return merged rows with the accounts of them: one that a side took away stays where a row in it does."""
    for name in dict.fromkeys(row[1] for row in kept if row[0] in ("holding", "cash")):
        row = "account", name
        if account := ours.get(row) or others.get(row):
            kept.setdefault(row, account)
    return kept


def _with_same_names(
    base: Portfolio | None, mine: Portfolio, theirs: Portfolio, prefer: str, choices: Mapping[Row, str]
) -> tuple[Portfolio | None, Portfolio, Portfolio, list[Conflict]]:
    """Return three versions with an account that a side gave another name under that name in all of them.

    Else the old name's rows and the new one's would both be kept where the other side changed one. An account that each
    side gave a name of its own is a conflict.
    """
    conflicts: list[Conflict] = []
    if base is None:
        return base, mine, theirs, conflicts
    ours, others = _renamed(base, mine), _renamed(base, theirs)
    for old in dict.fromkeys((*ours, *others)):
        here, there = ours.get(old, old), others.get(old, old)
        row = "name", old
        side = "theirs" if here == old else "mine" if there in (old, here) else choices.get(row, prefer)
        if not side:
            conflicts.append(Conflict(row, here, there))
        new = there if side == "theirs" else here
        base, mine, theirs = _named(base, old, new), _named(mine, here, new), _named(theirs, there, new)
    return base, mine, theirs, conflicts


def _renamed(base: Portfolio, side: Portfolio) -> dict[str, str]:
    """Return the new names of accounts by their old ones: one is gone, and only one new one holds any of the same."""
    gone, new = (
        {one.name: {held.symbol for held in this.holdings if held.account == one.name} for one in this.accounts
         if one.name not in {other.name for other in that.accounts}}
        for this, that in ((base, side), (side, base))
    )  # fmt: skip
    pairs = [(old, name) for old, had in gone.items() for name, has in new.items() if had & has]
    olds, news = Counter(old for old, _ in pairs), Counter(name for _, name in pairs)
    return {old: name for old, name in pairs if olds[old] == news[name] == 1}


def _named(portfolio: Portfolio, old: str, new: str) -> Portfolio:
    """Return a portfolio whose account `old` is called `new`."""
    if old == new or new in {one.name for one in portfolio.accounts}:
        return portfolio
    return replace(
        portfolio,
        accounts=tuple(replace(one, name=new) if one.name == old else one for one in portfolio.accounts),
        holdings=tuple(replace(one, account=new) if one.account == old else one for one in portfolio.holdings),
        prefer={key: tuple(new if one == old else one for one in places) for key, places in portfolio.prefer.items()},
    )


def _decided(known: Any, before: Any, here: Any, there: Any, *, first: bool) -> tuple[bool, Any]:  # noqa: ANN401
    """Return whether it is clear what two versions of a row come to, and what that is."""
    if isinstance(known, Holding) and known.quantity and (here is None or there is None):
        return True, there if here is None else here
    if here == there or (there == before and not first):
        return True, here
    if here == before and not first:
        return True, there
    if first and (here is None or there is None):
        return True, here if there is None else there
    return False, None


def _levelled(value: Any, known: Any) -> Any:  # noqa: ANN401 - any row
    """Return a row with what the ledgers say of it; the rest of it, such as a price, stays as it is."""
    if value is None or not isinstance(known, Holding | Rule):
        return None if value is None and isinstance(known, Holding | Rule) else known
    if isinstance(known, Rule):
        return replace(value, last_rebalanced=known.last_rebalanced)
    return replace(value, quantity=known.quantity, value=None, average_cost=known.average_cost, cost_fx=known.cost_fx)


def _wanted(rows: Rows) -> Decimal:
    """Return what all targets weigh together; wider classes are the sums of their narrower ones, counted once."""
    targets = [one for row, one in rows.items() if row[0] == "target"]
    classes = {row[1]: wider for row, wider in rows.items() if row[0] == "class"}
    return sum((one.weight for one in weighed(targets, ClassTree(classes)) if one.leaf), ZERO)


def settled_by(books: Books, mine: Portfolio, theirs: Portfolio) -> Rows:
    """Return the rows that a ledger of both sides' entries explains: quantities and costs, cash, and last reviews."""
    found: Rows = {}
    ours, others = _rows(mine), _rows(theirs)
    cash: dict[tuple[str, str], Any] = {}
    for (label, code), amount in books.cash.items():
        name = label if mine.accounts_declared else mine.accounts[0].name
        cash[name, code] = cash.get((name, code), ZERO) + amount
    for row in dict.fromkeys((*ours, *others)):
        one = ours[row] if row in ours else others[row]
        if row[0] == "holding" and row[1:3] in books.stocks:
            average = books.stocks[row[1], row[2]].average
            found[row] = replace(
                one, quantity=average.quantity, value=None,
                average_cost=None if one.average_cost is None else average.cost,
                cost_fx=None if one.cost_fx is None else average.fx,
            )  # fmt: skip
        elif row[0] == "cash" and row[1:3] in cash:
            found[row] = cash[row[1], row[2]]
        elif row[0] == "rule" and row in ours and row in others:
            days = [rule.last_rebalanced for rule in (ours[row], others[row]) if rule.last_rebalanced]
            latest = max(days, default=None)
            if replace(ours[row], last_rebalanced=latest) == replace(others[row], last_rebalanced=latest):
                found[row] = replace(ours[row], last_rebalanced=latest)
    return found


def _rows(portfolio: Portfolio) -> Rows:
    rows: Rows = {("head", "name"): portfolio.name, ("head", "base_currency"): portfolio.base_currency}
    rows |= {("expected", name): text for name, text in portfolio.expected.items()}
    seen: dict[tuple[str, str], int] = {}
    for one in portfolio.holdings:
        number = seen[one.account, one.symbol] = seen.get((one.account, one.symbol), 0) + 1
        rows["holding", one.account, one.symbol, str(number) if number > 1 else ""] = one
    for account in portfolio.accounts:
        rows["account", account.name] = replace(account, cash={})
        rows |= {("cash", account.name, code): amount for code, amount in account.cash.items() if amount}
    for section in portfolio.sections:
        rows["rule", section.name] = section.rule
        rows |= {("target", section.name, target.symbol): target for target in section.targets}
    rows |= {("group", group.name): group for group in portfolio.groups}
    rows |= {("exposure", symbol): parts for symbol, parts in portfolio.exposures.items()}
    rows |= {("class", name): wider for name, wider in portfolio.classes.items()}
    rows |= {("prefer", key): places for key, places in portfolio.prefer.items()}
    rows |= {("fx", name): rate for name, rate in portfolio.fx.items()}
    rows |= {("setting", one.name): getattr(portfolio.settings, one.name) for one in fields(Settings)}
    rows["rule", ""] = portfolio.untargeted_rule
    return {row: value for row, value in rows.items() if value is not None}


def _built(rows: Mapping[Row, Any], mine: Portfolio, theirs: Portfolio) -> Portfolio:
    """Return the portfolio of merged rows."""

    def of(kind: str) -> Iterable[tuple[Row, Any]]:
        return ((row, value) for row, value in rows.items() if row[0] == kind)

    cash: dict[str, dict[str, Any]] = {}
    for row, amount in of("cash"):
        cash.setdefault(row[1], {})[row[2]] = amount
    targets: dict[str, list[Target]] = {}
    for row, target in of("target"):
        targets.setdefault(row[1], []).append(target)
    rules = {row[1]: rule for row, rule in of("rule")}
    classes = {row[1]: wider for row, wider in of("class")}
    if any(one.asset_class is not None for several in targets.values() for one in several):
        given = weighed([one for several in targets.values() for one in several], ClassTree(classes))
        by_goal = {one.symbol: one for one in given}
        targets = {name: [by_goal[one.symbol] for one in several] for name, several in targets.items()}
    sections = tuple(
        Section(name, tuple(targets.get(name, ())), rules[name]) for name in rules if name and targets.get(name)
    )
    settings = {row[1]: value for row, value in of("setting")}
    return replace(
        mine,
        name=str(rows.get(("head", "name"), mine.name)),
        base_currency=str(rows["head", "base_currency"]),
        instruments={**theirs.instruments, **mine.instruments},
        holdings=tuple(value for _, value in of("holding")),
        accounts=tuple(replace(value, cash=cash.get(row[1], {})) for row, value in of("account")),
        sections=sections,
        groups=tuple(value for _, value in of("group")),
        fx={row[1]: rate for row, rate in of("fx")},
        exposures={row[1]: parts for row, parts in of("exposure")},
        classes=classes,
        prefer={row[1]: places for row, places in of("prefer")},
        expected={row[1]: text for row, text in of("expected")},
        settings=replace(Settings(), **settings),
        accounts_declared=mine.accounts_declared or theirs.accounts_declared,
        untargeted_rule=rules.get("", mine.untargeted_rule),
    )


def alike(one: Portfolio, other: Portfolio) -> bool:
    """Tell whether two versions hold the same rows."""
    return _rows(one) == _rows(other)


def changes(before: Portfolio, after: Portfolio) -> tuple[Change, ...]:
    """Return the rows in which a portfolio differs from one before it."""
    old, new = _rows(before), _rows(after)
    rows = dict.fromkeys((*old, *new))
    return tuple(Change(row, old.get(row), new.get(row)) for row in rows if old.get(row) != new.get(row))


def sides_of(portfolio: Portfolio, changed: Iterable[Change]) -> tuple[int, int]:
    """Return how many of some rows a portfolio holds as they were before a change, and how many as after it."""
    rows = _rows(portfolio)
    held = [(rows.get(one.row) == one.before, rows.get(one.row) == one.after) for one in changed]
    return sum(before for before, _ in held), sum(after for _, after in held)
