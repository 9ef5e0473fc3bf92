"""What the targets of a document name: instruments, sets of equivalents, classes of a tree; and who may be bought.

Nothing here imports the engine. Weights are fractions of the whole, exposures fractions of an instrument.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

#: The section of holdings without a target.
UNTARGETED = ""
#: Exposures closer than this are the same.
SAME = 1e-9
INSTRUMENT, ANY, CLASS, HOLDING = "instrument", "any", "class", "holding"


@dataclass(frozen=True)
class Named:
    """A target and what it names: exposures by symbol, members in order of preference."""

    key: str
    kind: str
    section: str
    row: Mapping[str, Any]
    weight: float
    exposures: Mapping[str, float]
    parent: str | None
    leaf: bool

    @property
    def enabled(self) -> bool:
        return self.row.get("enabled", True) is not False


def number(value: object) -> Decimal:
    """Return the digits that a person wrote."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(str(value))


def tree_of(classes: object) -> dict[str, str]:
    """Return each class's parent, as `classes:` of a document says it: nested mappings, lists or both."""
    return dict(_links(classes, None))


def _links(node: object, parent: str | None) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for name, below in node.items():
            if parent is not None:
                yield _fold(name), parent
            yield from _links(below, _fold(name))
    elif isinstance(node, list):
        for one in node:
            yield from _links(one, parent)
    elif node is not None and parent is not None:
        yield _fold(node), parent


def _fold(name: object) -> str:
    return str(name).strip().casefold()


def up(tree: Mapping[str, str], name: str) -> list[str]:
    """Return a class and all that it is part of, the root last."""
    found = [_fold(name)]
    while found[-1] in tree:
        found.append(tree[found[-1]])
    return found


def exposures_of(info: Mapping[str, Any]) -> dict[str, float]:
    """Return an instrument's own shares of classes."""
    if info.get("exposure"):
        return {_fold(name): float(number(share)) for name, share in info["exposure"].items()}
    own = info.get("class") or info.get("asset_class")
    return {_fold(own): 1.0} if own else {}


def is_risk(info: Mapping[str, Any], tree: Mapping[str, str]) -> bool:
    """Tell whether an instrument is a risk asset: one that is not, in all that is known of it, bonds or cash."""
    own = info.get("asset_class") or info.get("class")
    if own:
        return up(tree, own)[-1] not in ("bond", "cash")
    shares = exposures_of(info)
    safe = sum(share for name, share in shares.items() if up(tree, name)[-1] in ("bond", "cash"))
    return safe < 1 - SAME


def is_company(info: Mapping[str, Any], tree: Mapping[str, str]) -> bool:
    """Tell whether an instrument is the share of one company: a stock that is not all bonds, cash or commodities."""
    own = exposures_of(info) if not info.get("asset_class") else {_fold(info["asset_class"]): 1.0}
    roots = {up(tree, name)[-1] for name in own}
    whole = math.fsum(own.values()) >= 1 - SAME
    return info.get("asset_type", "stock") in ("stock", "reit") and not (
        whole and len(roots) == 1 and roots <= {"bond", "cash", "commodity"}
    )


def exposure_to(info: Mapping[str, Any], name: str, tree: Mapping[str, str]) -> float:
    """Return an instrument's exposure to a class: its own share of it, and those of all that is part of it."""
    return sum(share for own, share in exposures_of(info).items() if _fold(name) in up(tree, own))


def goals_of(
    sections: Mapping[str, Sequence[Mapping[str, Any]]], said: Mapping[str, Mapping[str, Any]], tree: Mapping[str, str]
) -> list[Named]:
    """Return the targets in document order, then one of weight 0 for each holding with a part in none.

    `said` is what the document says of each symbol, in document order.
    """
    rows = [(section, row) for section, targets in sections.items() for row in targets]
    taken = {str(row["ticker"]) for _, row in rows if "ticker" in row}
    taken |= {str(member) for _, row in rows for member in row.get("any") or ()}
    named = {_fold(row["class"]): row for _, row in rows if "class" in row}
    found = []
    for section, row in rows:
        parent, leaf = None, True
        if "ticker" in row:
            key, kind, exposures = str(row["ticker"]), INSTRUMENT, {str(row["ticker"]): 1.0}
        elif "any" in row:
            members = [str(member) for member in row["any"]]
            key, kind, exposures = str(row.get("name") or " | ".join(members)), ANY, dict.fromkeys(members, 1.0)
        else:
            key, kind = str(row.get("name") or row["class"]), CLASS
            shares = {s: exposure_to(info, row["class"], tree) for s, info in said.items() if s not in taken}
            exposures = {s: share for s, share in shares.items() if share > 0}
            parent = next((name for name in up(tree, row["class"])[1:] if name in named), None)
            leaf = not any(_fold(row["class"]) in up(tree, other)[1:] for other in named)
        found.append(Named(key, kind, section, row, _weight(row, named, tree), exposures, parent, leaf))
    inside = {symbol for goal in found for symbol in goal.exposures}
    return found + [
        Named(symbol, HOLDING, UNTARGETED, {}, 0.0, {symbol: 1.0}, None, leaf=True)
        for symbol in said
        if symbol not in inside
    ]


def _weight(row: Mapping[str, Any], named: Mapping[str, Mapping[str, Any]], tree: Mapping[str, str]) -> float:
    """Return a target's weight of the whole."""
    if row.get("share") is None:
        return float(number(row["weight"]))
    above = next(name for name in up(tree, row["class"])[1:] if name in named)
    return float(number(row["share"])) * _weight(named[above], named, tree)


def main_goal(goals: Sequence[Named], symbol: str) -> int:
    """Return the goal a symbol serves most: the leaf it has most exposure to, else the parent."""
    mine = [g for g, goal in enumerate(goals) if symbol in goal.exposures]
    return min(mine, key=lambda g: (not goals[g].leaf, -goals[g].exposures[symbol], goals[g].weight, g))


def simple_goals(goals: Sequence[Named]) -> list[bool]:
    """Tell of each leaf whether no member has a part in another leaf."""
    leaves: dict[str, int] = {}
    for goal in goals:
        for symbol in goal.exposures if goal.leaf else ():
            leaves[symbol] = leaves.get(symbol, 0) + 1
    return [goal.leaf and all(leaves[symbol] == 1 for symbol in goal.exposures) for goal in goals]


def joined(goals: Sequence[Named], symbol: str) -> set[int]:
    """Return the leaves that are joined with a symbol's, directly or through others."""
    found = {g for g, goal in enumerate(goals) if goal.leaf and symbol in goal.exposures}
    while True:
        members = {s for g in found for s in goals[g].exposures}
        more = {g for g, goal in enumerate(goals) if goal.leaf and members & goal.exposures.keys()}
        if more <= found:
            return found
        found |= more


def first_choices(goals: Sequence[Named], may: Mapping[str, bool], held: Mapping[str, bool]) -> set[str]:
    """Return the symbols that may be bought in an account, of those that it may hold and that are not locked there.

    `may` and `held` are of that account, in document order.
    """
    chosen: set[str] = set()
    alike: dict[tuple[tuple[int, float], ...], list[str]] = {}
    for symbol in may:
        mine = [g for g, goal in enumerate(goals) if symbol in goal.exposures]
        leaves = [goals[g] for g in mine if goals[g].leaf]
        if not any(goal.weight > 0 for goal in leaves) or not all(goals[g].enabled for g in mine):
            continue
        if goals[mine[0]].kind == ANY:
            first = next((s for s in goals[mine[0]].exposures if may.get(s)), None)
            chosen |= {symbol} if symbol == first else set()
        elif goals[mine[0]].kind == CLASS:
            key = tuple((g, round(goals[g].exposures[symbol] / SAME) * SAME) for g in mine)
            alike.setdefault(key, []).append(symbol)
        elif may[symbol]:
            chosen.add(symbol)
    for symbols in alike.values():
        able = sorted((s for s in symbols if may[s]), key=lambda s: not held.get(s, False))
        chosen |= set(able[:1])
    return chosen


def rank_of(
    symbol: str,
    info: Mapping[str, Any],
    goal: Named,
    account: Mapping[str, Any],
    prefer: Mapping[str, Sequence[str]],
    tree: Mapping[str, str],
) -> int:
    """Return how far down the list of preferred places an account is for a symbol; 0 where there is no list."""
    lists = {_fold(key): [_fold(place) for place in places] for key, places in prefer.items()}
    keys = [_fold(symbol), _fold(goal.key) if goal.kind != HOLDING else ""]
    own = exposures_of(info)
    known = sum(own.values())
    classes = [key for key in lists if exposure_to(info, key, tree) > 0.5 * known + SAME]
    keys += sorted(classes, key=lambda key: -len(up(tree, key)))
    places = next((lists[key] for key in keys if key in lists), None)
    if places is None:
        return 0
    mine = {_fold(account["name"]), _fold(account.get("type", "taxable"))}
    return next((n for n, place in enumerate(places) if place in mine), len(places))
