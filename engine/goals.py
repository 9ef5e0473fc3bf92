"""What a person wants to own: an instrument, one of several equivalents, or a class of assets.

A target names a goal; instruments are its members, each with a part of its value in it (its *exposure*). Classes form a
tree: what is in one is in every wider one. What of an instrument nobody knows is in no goal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.market import catalogue
from engine.money import ZERO
from engine.portfolio import GoalKind, Portfolio, Section, Target

ONE = Decimal(1)
#: Coarse classes of instruments by the widest class that they are in, where the two have different names.
_COARSE = {"equity": "equity", "bond": "bond", "cash": "cash", "commodity": "commodity", "gold": "commodity",
           "crypto": "commodity", "currency": "commodity", "real estate": "equity"}  # fmt: skip


class ClassTree:
    """The classes that are known: the catalogue's, and a document's own, which go before them.

    `own` is each class's wider one ("" for a widest one), as the document says it.
    """

    def __init__(self, own: Mapping[str, str] | None = None) -> None:
        self.own = dict(own or {})
        self._names = {catalogue.class_form(name): name for pair in self.own.items() for name in pair if name}

    def named(self, text: str) -> str:
        """Return the name of the class that a text means; one that nobody knows is called as it is written."""
        return self._names.get(catalogue.class_form(text)) or catalogue.class_named(text) or " ".join(text.split())

    def knows(self, text: str) -> bool:
        """Tell whether the catalogue or the document has a class of this name."""
        return catalogue.class_form(text) in self._names or catalogue.class_named(text) is not None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all classes that are known."""
        return tuple(dict.fromkeys((*self._names.values(), *catalogue.asset_classes())))

    def within(self, name: str) -> str:
        """Return the next wider class, "" for a widest one."""
        if name in self.own:
            return self.own[name]
        known = catalogue.asset_classes().get(name)
        return known.within if known else ""

    def line(self, name: str) -> tuple[str, ...]:
        """Return a class and all that it is in, narrowest first; of a circle, each class once."""
        found: dict[str, None] = {}
        while name and name not in found:
            found[name] = None
            name = self.within(name)
        return tuple(found)

    def circle(self, name: str) -> tuple[str, ...]:
        """Return the classes of a circle that a class is in, itself first; none where it is in none."""
        line = self.line(name)
        return line if line and self.within(line[-1]) == name else ()

    def coarse(self, name: str) -> str | None:
        """Return the asset class of an instrument that is all of a class: equity, bond, commodity, cash, or None."""
        return next((_COARSE[one] for one in self.line(name) if one in _COARSE), None)


def tree_of(portfolio: Portfolio) -> ClassTree:
    """Return the classes that a portfolio knows."""
    return ClassTree(portfolio.classes)


def exposure_of(portfolio: Portfolio, symbol: str, tree: ClassTree) -> Mapping[str, Decimal]:
    """Return the classes that an instrument is in, with its part in each; they add up to at most 1.

    What the document says goes before the catalogue, unless it only names a class so wide that the catalogue tells
    where in it; last comes the coarse class of the instrument. What is missing to 1 is not known.
    """
    said = portfolio.exposures.get(symbol)
    known = {one.asset_class: one.share for one in catalogue.exposures().get(symbol, ())}
    if said is not None:
        wide = next(iter(said)) if len(said) == 1 and ONE in said.values() else ""
        finer = wide in _COARSE and known and all(wide in tree.line(name) for name in known)
        return known if finer else said
    coarse, entry = portfolio.instruments[symbol].asset_class, catalogue.load().get(symbol)
    if known and entry is not None and entry.instrument.asset_class == coarse:
        return known
    return {coarse: ONE} if coarse and coarse != "mixed" else {}


def exposures_of(portfolio: Portfolio) -> dict[str, Mapping[str, Decimal]]:
    """Return the classes that every instrument of the portfolio is in."""
    tree = tree_of(portfolio)
    return {symbol: exposure_of(portfolio, symbol, tree) for symbol in portfolio.symbols}


def part_in(name: str, exposure: Mapping[str, Decimal], tree: ClassTree) -> Decimal:
    """Return the part of an instrument that is in a class or in what is within it."""
    return sum((share for one, share in exposure.items() if name in tree.line(one)), ZERO)


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted: a target with its members and the part of each that is in it; or a holding that nobody wants.

    `section` and `target` are None for a holding in no goal. `parent` is the nearest wider goal, of a class; one that
    is no `leaf` has narrower goals, whose targets add up to its own: it has a band and limits but is no aim.
    """

    name: str
    kind: GoalKind
    section: str | None
    target: Target | None
    members: Mapping[str, Decimal]
    parent: str | None = None
    leaf: bool = True

    def worth(self, values: Mapping[str, Decimal]) -> Decimal:
        """Return what the goal is worth, of the values of symbols."""
        parts = (values[symbol] if part == 1 else part * values[symbol] for symbol, part in self.members.items())
        return sum(parts, ZERO)

    @property
    def weight(self) -> Decimal:
        """Return the weight that is aimed at: 0 without a target."""
        return self.target.weight if self.target else ZERO


def goals_of(portfolio: Portfolio) -> tuple[Goal, ...]:
    """Return every goal: the targets in document order, then one for each holding in no goal.

    A symbol with a target of its own, or named in a set of equivalents, is a member of no class.
    """
    targets = list(portfolio.targets())
    own = {symbol for _, target in targets for symbol in target.named}
    exposures: dict[str, Mapping[str, Decimal]] = {}
    tree = tree_of(portfolio)
    if any(target.kind == "class" for _, target in targets):
        held = (symbol for symbol in portfolio.symbols if symbol not in own)
        exposures = {symbol: exposure_of(portfolio, symbol, tree) for symbol in held}
    wanted = {target.asset_class: target.symbol for _, target in targets if target.asset_class is not None}
    found = []
    for section, target in targets:
        parent = None
        if target.asset_class is None:
            members: Mapping[str, Decimal] = dict.fromkeys(target.named, ONE)
        else:
            parts = {symbol: part_in(target.asset_class, mix, tree) for symbol, mix in exposures.items()}
            members = {symbol: part for symbol, part in parts.items() if part > 0}
            parent = parent_of(target.asset_class, wanted, tree)
        found.append(Goal(target.symbol, target.kind, section.name, target, members, parent, target.leaf))
    placed = {symbol for goal in found for symbol in goal.members}
    rest = [symbol for symbol in portfolio.symbols if symbol not in placed]
    return (*found, *(Goal(symbol, "instrument", None, None, {symbol: ONE}) for symbol in rest))


def parent_of(name: str, wanted: Mapping[str, str], tree: ClassTree) -> str | None:
    """Return the goal of the nearest class that a class is within, of those `wanted` (class → goal); None without."""
    return next((wanted[one] for one in tree.line(name)[1:] if one in wanted), None)


def weighed(targets: Sequence[Target], tree: ClassTree) -> list[Target]:
    """Return targets with the weights that shares come to (0 without a wider class), and whether they are leaves."""
    wanted = {one.asset_class: one.symbol for one in targets if one.asset_class is not None}
    parents = {one.symbol: parent_of(one.asset_class, wanted, tree) for one in targets if one.asset_class is not None}
    by_key = {one.symbol: one for one in targets}

    def weight(target: Target, seen: frozenset[str]) -> Decimal:
        if target.share is None or target.symbol in seen:
            return target.weight
        parent = parents.get(target.symbol)
        return ZERO if parent is None else target.share * weight(by_key[parent], seen | {target.symbol})

    wider = {parent for parent in parents.values() if parent is not None}
    return [replace(one, weight=weight(one, frozenset()), leaf=one.symbol not in wider) for one in targets]


def aims_of(goals: Iterable[Goal], values: Mapping[str, Decimal], total: Decimal) -> dict[str, Decimal]:
    """Return what each symbol is worth where every goal is on its target and its members keep their proportions.

    Of a goal that nothing is held of, the first member carries it. Several goals of one member are mixed by its parts.
    """
    found: dict[str, Decimal] = {}
    for goal in goals:
        if not goal.leaf or not goal.members:
            continue
        now, wanted = goal.worth(values), goal.weight * total
        if now > 0:
            for symbol, part in goal.members.items():
                found[symbol] = found.get(symbol, ZERO) + part * values[symbol] * wanted / now
        else:
            first = next(iter(goal.members))
            found[first] = found.get(first, ZERO) + wanted
    return found


@dataclass(frozen=True, slots=True)
class ClassWorth:
    """What of a portfolio is in a class of assets, with all that is within it: how deep it is in the tree, and money.

    `name` is "" for what nobody knows the class of.
    """

    name: str
    depth: int
    value: Decimal


def by_class(portfolio: Portfolio, values: Mapping[str, Decimal]) -> tuple[ClassWorth, ...]:
    """Return what is inside everything held, by class: each wide one followed by what is within it, largest first."""
    tree = tree_of(portfolio)
    worth: dict[str, Decimal] = {}
    known = ZERO
    for symbol, exposure in exposures_of(portfolio).items():
        for name, part in exposure.items():
            known += part * values[symbol]
            for wider in tree.line(name):
                worth[wider] = worth.get(wider, ZERO) + part * values[symbol]

    def within(parent: str, depth: int) -> Iterator[ClassWorth]:
        for name in sorted(worth, key=lambda one: (-worth[one], one)):
            if tree.within(name) == parent and worth[name]:
                yield ClassWorth(name, depth, worth[name])
                yield from within(name, depth + 1)

    unknown = sum(values.values(), ZERO) - known
    rest = (ClassWorth("", 0, unknown),) if unknown else ()
    return (*within("", 0), *rest)


def class_label(name: str, lang: str) -> str:
    """Return what a class is called in a language: the catalogue's name, else as the document writes it."""
    known = catalogue.asset_classes().get(name)
    return known.called(lang) if known else name


def carried(portfolio: Portfolio) -> Portfolio:
    """Return a portfolio in which every goal is carried by one instrument: the first member that an account may buy.

    Where holdings and accounts do not matter, as in a backtest in fractions. Wider classes and goals without a member
    are left out; goals of one carrier add up, and the first one's section, band and remarks stay.
    """
    if not any(target.kind != "instrument" for _, target in portfolio.targets()):
        return portfolio
    goals = goals_of(portfolio)
    may = frozenset().union(*buyable(portfolio, goals).values())
    chosen = {
        goal.name: max(goal.members, key=lambda symbol: (symbol in may, goal.members[symbol]))
        for goal in goals
        if goal.leaf and goal.target is not None and goal.members
    }
    weights: dict[str, Decimal] = {}
    for goal in goals:
        if goal.name in chosen:
            weights[chosen[goal.name]] = weights.get(chosen[goal.name], ZERO) + goal.weight
    done: set[str] = set()
    sections = []
    for section in portfolio.sections:
        targets = []
        for target in section.targets:
            symbol = chosen.get(target.symbol)
            if symbol is not None and symbol not in done:
                done.add(symbol)
                plain = replace(target, symbol=symbol, weight=weights[symbol], members=(), asset_class=None)
                targets.append(replace(plain, share=None, consolidate=False, leaf=True))
        sections.append(replace(section, targets=tuple(targets)))
    return replace(portfolio, sections=tuple(sections), groups=(), prefer={})


def uses_goals(portfolio: Portfolio) -> bool:
    """Tell whether a portfolio wants anything but instruments, or says where things are preferred."""
    return bool(portfolio.prefer) or any(target.kind != "instrument" for _, target in portfolio.targets())


def locked_in(portfolio: Portfolio) -> frozenset[tuple[str, str]]:
    """Return the (symbol, account) that may not be bought for a lock: all rows' labels, where none are declared."""
    locked = {(row.symbol, row.account) for row in portfolio.holdings if row.locked}
    if portfolio.accounts_declared:
        return frozenset(locked)
    kept = {symbol for symbol, _ in locked}
    free = {row.symbol for row in portfolio.holdings if (row.symbol, row.account) not in locked}
    return frozenset((symbol, portfolio.accounts[0].name) for symbol in kept - free)


def goals_by_member(goals: Iterable[Goal]) -> dict[str, list[Goal]]:
    """Return the goals that each symbol is in, in their order."""
    found: dict[str, list[Goal]] = {}
    for goal in goals:
        for symbol in goal.members:
            found.setdefault(symbol, []).append(goal)
    return found


def main_goal(symbol: str, mine: Sequence[Goal]) -> Goal:
    """Return the one of a symbol's goals that it serves most: a leaf before a wider class, then by its part."""
    return min(mine, key=lambda goal: (not goal.leaf, -goal.members[symbol]))


def buyable(portfolio: Portfolio, goals: Sequence[Goal]) -> dict[str, frozenset[str]]:
    """Return what each account may buy: of the members that stand for each other, the first that it may hold.

    Those of an `any` do, in its order; of classes, members with the same parts in every goal, first what the account
    holds, then in document order. A row that is locked in the account stands aside; so does a member of a goal that is
    disabled, or of none with a weight. An instrument that is a goal of its own stands for itself.
    """
    of, locked = goals_by_member(goals), locked_in(portfolio)
    wanted = {
        symbol: mine
        for symbol, mine in of.items()
        if mine[0].kind == "instrument"
        or (any(goal.leaf and goal.weight > 0 for goal in mine) and all(_is_enabled(goal) for goal in mine))
    }
    found = {}
    for account in portfolio.accounts:
        held = {
            row.symbol for row in portfolio.holdings
            if (row.quantity or row.value) and (not portfolio.accounts_declared or row.account == account.name)
        }  # fmt: skip
        may = [
            symbol
            for symbol in wanted
            if account.may_buy(portfolio.instruments[symbol]) and (symbol, account.name) not in locked
        ]
        first: dict[object, str] = {}
        for symbol in sorted(may, key=lambda one: wanted[one][0].kind == "class" and one not in held):
            mine = wanted[symbol]
            alike: object = mine[0].name
            if mine[0].kind == "class":
                alike = tuple((goal.name, goal.members[symbol]) for goal in mine)
            first.setdefault(alike, symbol)
        found[account.name] = frozenset(first.values())
    return found


def _is_enabled(goal: Goal) -> bool:
    return goal.target is None or goal.target.enabled


def consolidated(goals: Iterable[Goal], may: Mapping[str, frozenset[str]]) -> frozenset[tuple[str, str]]:
    """Return the (symbol, account) that are to be sold for a better liked member; `may` is that of `buyable`."""
    return frozenset(
        (symbol, account)
        for goal in goals
        if goal.target is not None and goal.target.consolidate and goal.target.enabled
        for account, chosen in may.items()
        if chosen & goal.members.keys()
        for symbol in goal.members.keys() - chosen
    )


def members_of(portfolio: Portfolio, section: Section) -> tuple[str, ...]:
    """Return the symbols of a section's goals, each once; of one whose targets all name instruments, just those."""
    if all(target.kind != "class" for target in section.targets):
        return tuple(dict.fromkeys(symbol for target in section.targets for symbol in target.named))
    mine = (goal for goal in goals_of(portfolio) if goal.section == section.name)
    return tuple(dict.fromkeys(symbol for goal in mine for symbol in goal.members))


def wanted_symbols(portfolio: Portfolio, *, weighing: bool = False) -> frozenset[str]:
    """Return the symbols of enabled targets, members of classes too; `weighing`: only of those with a weight."""
    targets = [target for _, target in portfolio.targets() if target.enabled and (target.weight > 0 or not weighing)]
    named = {symbol for target in targets for symbol in target.named}
    if any(target.kind == "class" for target in targets):
        keys = {target.symbol for target in targets}
        named |= {symbol for goal in goals_of(portfolio) if goal.name in keys for symbol in goal.members}
    return frozenset(named)


def bought_symbols(portfolio: Portfolio) -> frozenset[str]:
    """Return the symbols of enabled targets that somebody may buy: of members that stand for each other, the first."""
    targets = [target for _, target in portfolio.targets() if target.enabled]
    if all(target.kind == "instrument" for target in targets):
        return frozenset(target.symbol for target in targets)
    goals = goals_of(portfolio)
    named = {target.symbol for target in targets if target.kind == "instrument"}
    return frozenset(named).union(*buyable(portfolio, [goal for goal in goals if goal.kind != "instrument"]).values())


def disabled_symbols(portfolio: Portfolio) -> frozenset[str]:
    """Return the symbols of which a goal is disabled."""
    if all(target.enabled for _, target in portfolio.targets()):
        return frozenset()
    off = (goal for goal in goals_of(portfolio) if goal.target is not None and not goal.target.enabled)
    return frozenset(symbol for goal in off for symbol in goal.members)


def simple(goals: Iterable[Goal]) -> frozenset[str]:
    """Return the names of the leaves no member of which has a part in another leaf."""
    leaves = [goal for goal in goals if goal.leaf]
    count = Counter(symbol for goal in leaves for symbol in goal.members)
    return frozenset(goal.name for goal in leaves if all(count[symbol] == 1 for symbol in goal.members))


def joined(goals: Iterable[Goal]) -> Iterator[tuple[Goal, ...]]:
    """Yield the leaf goals that share members, directly or through others, together; each in one group."""
    leaves = [goal for goal in goals if goal.leaf]
    group = {goal.name: goal.name for goal in leaves}

    def root(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    first: dict[str, str] = {}
    for goal in leaves:
        for symbol in goal.members:
            group[root(goal.name)] = root(first.setdefault(symbol, goal.name))
    found: dict[str, list[Goal]] = {}
    for goal in leaves:
        found.setdefault(root(goal.name), []).append(goal)
    yield from map(tuple, found.values())
