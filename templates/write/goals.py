"""What is in each goal of a portfolio, as the Goals sheet shows it and the formulas of the Targets sheet reckon it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.goals import ONE, Goal, goals_of
from engine.money import ZERO
from engine.portfolio import JOINT, Portfolio, Target
from engine.words import Lang, say
from templates.cells import CellError, Row, Rows, Value
from templates.report import INSIDE
from templates.write.arithmetic import Number, add, number, product, share

#: As many rows of goals and members as the dashboard has.
MOST = 20


@dataclass(frozen=True, slots=True)
class GoalBook:
    """The goals of a portfolio by their keys, and the sections of their members."""

    goals: Mapping[str, Goal]
    sections: Mapping[str, str]

    @classmethod
    def of(cls, portfolio: Portfolio) -> GoalBook:
        """Return the goals of a portfolio."""
        goals = goals_of(portfolio)
        found: dict[str, str] = {}
        for goal in goals:
            for symbol in goal.members if goal.section else ():
                found.setdefault(symbol, goal.section or "")
        return cls({goal.name: goal for goal in goals}, found)

    def members(self, key: str) -> Mapping[str, Decimal]:
        """Return the members of a goal with the part of each that is in it."""
        return self.goals[key].members

    def columns(self, target: Target, weight: Value) -> dict[str, Value]:
        """Return the columns of a target that is, or stands among, goals."""
        leaf = 1 if target.leaf else 0
        own = (target.asset_class, JOINT.join(target.members))
        return {
            "Goal": None if target.kind == "instrument" or target.symbol in own else target.symbol,
            "Members": JOINT.join(target.members) or None,
            "Class": target.asset_class,
            "Share": target.share,
            "Consolidate": True if target.consolidate else None,
            "Within": self.goals[target.symbol].parent,
            "Leaf": leaf,
            "Counted": target.weight if leaf else ZERO,
            "CountedWeight": weight if leaf or isinstance(weight, CellError) else ZERO,
        }


class GoalTable:
    """The rows of the Goals table, worked out as its formulas do."""

    def __init__(self, portfolio: Portfolio, wanted: GoalBook, lang: Lang, names: Mapping[str, str]) -> None:
        self.portfolio, self.wanted, self.lang, self.names = portfolio, wanted, lang, names

    def rows(
        self, values: Mapping[str, Number], targets: Sequence[Row], total: Number, cash: Number, cash_target: Decimal
    ) -> Rows:
        """Return a row per target and one for each of its members, what nobody knows, holdings in no goal, and cash.

        `values` are those of the holdings by symbol, `targets` the rows of the Targets table, `cash` is its value.
        """

        def worth(symbol: str, part: Decimal) -> Number:
            return product(part, values.get(symbol, ZERO))

        rows: list[dict[str, Value]] = []
        for target in targets:
            goal = self.wanted.goals[str(target["Key"])]
            own = goal.name if goal.kind == "instrument" else ""
            figures = {name: target[name] for name in ("Value", "Weight", "Drift", "Low", "High", "Status")}
            head = self._row("goal", goal.name, str(target["Name"]), own, worth(own, ONE) if own else ZERO)
            rows.append({**head, "Part": ONE if own else None, **figures, "Target": target["Wanted"]})
            for symbol, part in goal.members.items() if not own else ():
                rows.append(self._member("member", goal.name, symbol, part, worth(symbol, part)))
        unknown = {symbol: part for symbol, part in self._unknown().items() if part > 0}
        rest = [self._member("rest", "", symbol, part, worth(symbol, part)) for symbol, part in unknown.items()]
        if rest:
            head = self._row("unknown", "", say("label.goals.unknown", self.lang), "", ZERO)
            rows += [{**head, "Value": add(row["Held"] for row in rest), "Target": ZERO}, *rest]
        for goal in self.wanted.goals.values():
            if goal.section is None:
                value = worth(goal.name, ONE)
                kept = "NO_TARGET" if isinstance(value, CellError) or value > 0 else ""
                head = self._row("none", "", self.names.get(goal.name) or goal.name, goal.name, value)
                rows.append({**head, "Part": ONE, "Value": value, "Target": ZERO, "Status": kept})
        rows.append(
            {**self._row("cash", "", say("label.cash", self.lang), "", ZERO), "Value": cash, "Target": cash_target}
        )
        front = self._in_front(rows)
        return tuple({**self._weighed(row, total), "Front": 1 if id(row) in front else 0} for row in rows)

    def _in_front(self, rows: Sequence[dict[str, Value]]) -> set[int]:
        """Return the rows for the dashboard: goals and their members, of a wider class only itself; at most `MOST`.

        Where there are more, members of which nothing is held give way first, then every member.
        """
        wider = {goal.parent for goal in self.wanted.goals.values()}
        inner = ("member", "rest")
        several = [row for row in rows if row["Kind"] in ("goal", "unknown", *inner)]
        several = [row for row in several if not (row["Kind"] == "member" and row["Goal"] in wider)]
        held = [row for row in several if row["Kind"] not in inner or row["Held"] != 0]
        heads = [row for row in several if row["Kind"] not in inner]
        shown = next((some for some in (several, held, heads) if len(some) <= MOST), heads)
        return {id(row) for row in shown[:MOST]}

    def _row(self, kind: str, goal: str, name: str, ticker: str, held: Number) -> dict[str, Value]:
        blank = dict.fromkeys(("Part", "Value", "Weight", "Target", "Drift", "Low", "High", "Status"), "")
        return {**blank, "Goal": goal or None, "Kind": kind, "Name": name, "Ticker": ticker or None, "Held": held}

    def _member(self, kind: str, goal: str, symbol: str, part: Decimal, held: Number) -> dict[str, Value]:
        name = f"{INSIDE}{self.names.get(symbol) or symbol}"
        return {**self._row(kind, goal, name, symbol, held), "Part": part, "Value": held}

    def _unknown(self) -> dict[str, Decimal]:
        """Return what of each member is in no narrowest goal."""
        parts: dict[str, Decimal] = {}
        for goal in self.wanted.goals.values():
            for symbol, part in goal.members.items():
                parts[symbol] = parts.get(symbol, ZERO) + (part if goal.leaf else ZERO)
        return {symbol: 1 - part for symbol, part in parts.items()}

    def _weighed(self, row: dict[str, Value], total: Number) -> Row:
        """Return a row with its weight, and the difference where it has a target."""
        if row["Weight"] != "" or row["Value"] == "":
            return row
        weight = share(row["Value"], total)
        drift: Value = weight if isinstance(weight, CellError) else weight - (number(row["Target"]) or ZERO)
        return {**row, "Weight": weight, "Drift": "" if row["Target"] == "" else drift}
