"""Computed weights written into a portfolio's targets: what changes, and the portfolio with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

from engine.data.document import parse_portfolio
from engine.data.write import dump_portfolio
from engine.documents import Document, number, problem_list
from engine.errors import InputError, Problem, error, warning
from engine.market import catalogue
from engine.money import ZERO
from engine.phrase import phrase, place
from engine.portfolio import Holding, Instrument, Portfolio, Rule, Section, Target
from engine.weights.methods import Weight, Weighting
from engine.words import Lang
from rebalancer.importing import write_changed

#: Weights are written to a ten-thousandth of a per cent.
STEP = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class TargetChange:
    """What new weights do to one target: it is new, gone, or changed. Weights are fractions of the whole."""

    kind: Literal["new", "gone", "changed"]
    section: str
    symbol: str
    name: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Retargeted:
    """A portfolio with computed weights as its targets, and what differs from the one there was."""

    portfolio: Portfolio
    changes: tuple[TargetChange, ...]
    problems: tuple[Problem, ...]

    def to_json(self, weighting: Weighting) -> Document:
        """Return the weighting's document with the changes: section, symbol, weights before and after."""
        document = weighting.to_json()
        rows = [
            {
                "kind": one.kind,
                "section": one.section,
                "symbol": one.symbol,
                "before": number(one.before),
                "after": number(one.after),
            }
            for one in self.changes
        ]
        problems = problem_list((*weighting.problems, *self.problems))
        return {**document, "changes": rows, "problems": problems}


def retargeted(portfolio: Portfolio, weighting: Weighting, section: str = "") -> Retargeted:
    """Return a portfolio whose targets are a weighting's; all that is not a weight stays as it is.

    The weights share what the targets they replace weighed together, so that the cash target stays. Where the universe
    is just what the portfolio wants, each target stays in its section; else all targets of `section` are replaced (the
    only one, where none is named), or a new section takes the weight that no other has. Disabled targets keep their
    weight. Raises InputError where it is not clear whose targets are meant, nothing is left for them, or the new
    weights break a limit of the document.
    """
    portfolio = _knowing(portfolio, weighting)
    wanted = {row.symbol: row for row in weighting.weights}
    acting = {target.symbol: found.name for found, target in portfolio.targets() if target.enabled}
    if not section and acting and wanted.keys() == acting.keys():
        shares = _shared(weighting, sum((one.weight for _, one in portfolio.targets() if one.enabled), ZERO))
        sections = tuple(
            replace(one, targets=tuple(replace(t, weight=shares.get(t.symbol, t.weight)) for t in one.targets))
            for one in portfolio.sections
        )
    else:
        sections = _replaced(portfolio, weighting, section)
    instruments = {**{row.symbol: _instrument(row) for row in weighting.weights}, **portfolio.instruments}
    after = replace(portfolio, sections=sections, instruments=instruments, notes=())
    after = replace(after, instruments={symbol: after.instruments[symbol] for symbol in _named(after)})
    _check(after)
    changes = tuple(target_changes(portfolio, after))
    held = {one.symbol for one in portfolio.holdings if one.quantity or one.value}
    dropped = [one.symbol for one in changes if one.kind == "gone" and one.symbol in held]
    problems = (warning("target-dropped", place("portfolio"), symbols=dropped),) if dropped else ()
    return Retargeted(after, changes, problems)


def _knowing(portfolio: Portfolio, weighting: Weighting) -> Portfolio:
    """Return the portfolio with a row of quantity 0 for what only the universe knows: it carries the currency.

    Raises InputError for what nobody knows.
    """
    own = [
        row for row in weighting.weights
        if row.symbol not in portfolio.instruments and not catalogue.load().find(row.symbol)
        and not catalogue.shape(row.symbol)
    ]  # fmt: skip
    if unknown := [row.symbol for row in own if not row.currency]:
        raise InputError([error("weights-currency", symbol) for symbol in unknown])
    if not own:
        return portfolio
    instruments = {**portfolio.instruments, **{row.symbol: _instrument(row) for row in own}}
    holdings = (*portfolio.holdings, *(Holding(row.symbol, ZERO) for row in own))
    return replace(portfolio, holdings=holdings, instruments=instruments)


def _replaced(portfolio: Portfolio, weighting: Weighting, name: str) -> tuple[Section, ...]:
    """Return the sections with one of them, or a new one, made of the weighting's targets."""
    sections = portfolio.sections
    if not name and len(sections) > 1:
        given = [phrase("section-share", section=one.name, weight=one.weight) for one in sections]
        raise InputError([error("weights-section", place("command-line"), sections=given)])
    name = name or (sections[0].name if sections else "all")
    old = next((one for one in sections if one.name == name), None)
    elsewhere = {target.symbol: found.name for found, target in portfolio.targets() if found.name != name}
    if twice := [row.symbol for row in weighting.weights if row.symbol in elsewhere]:
        where = dict.fromkeys(elsewhere[symbol] for symbol in twice)
        raise InputError([error("weights-elsewhere", place("command-line"), symbols=twice, sections=list(where))])
    standing = {target.symbol: target for target in old.targets} if old else {}
    if goals := [target.symbol for target in standing.values() if target.kind != "instrument"]:
        raise InputError([error("weights-goals", place("command-line"), section=name, goals=goals)])
    named = {symbol: goal for found, one in portfolio.targets() for symbol in one.members for goal in (one.symbol,)}
    if twice := [row.symbol for row in weighting.weights if row.symbol in named]:
        where = dict.fromkeys(named[symbol] for symbol in twice)
        raise InputError([error("weights-elsewhere", place("command-line"), symbols=twice, sections=list(where))])
    share = sum((target.weight for target in standing.values() if target.enabled), ZERO)
    if not share:
        share = portfolio.cash_target
    if share <= 0:
        raise InputError([error("weights-no-room", place("command-line"), section=name)])
    shares = _shared(weighting, share)
    stay = [replace(one, weight=shares.get(one.symbol, one.weight), enabled=one.enabled or one.symbol in shares)
            for one in standing.values() if one.symbol in shares or not one.enabled]  # fmt: skip
    new = [Target(symbol, weight) for symbol, weight in shares.items() if symbol not in standing]
    rule = old.rule if old else Rule.default(name, portfolio.base_currency)
    if old is None and name == "all":
        rule = portfolio.untargeted_rule
    made = Section(name, (*stay, *new), rule)
    return tuple(made if one is old else one for one in sections) if old else (*sections, made)


def _shared(weighting: Weighting, share: Decimal) -> dict[str, Decimal]:
    """Return the weights times `share`, rounded (the largest remainders up) so that their sum is just that."""
    exact = {row.symbol: row.weight * share for row in weighting.weights}
    down = {symbol: weight // STEP * STEP for symbol, weight in exact.items()}
    left = int((share - sum(down.values(), ZERO)) // STEP)
    for symbol in sorted(exact, key=lambda one: down[one] - exact[one])[:left]:
        down[symbol] += STEP
    return {symbol: weight.normalize() + ZERO for symbol, weight in down.items()}


def _instrument(row: Weight) -> Instrument:
    """Return what is known of an instrument of the universe: the catalogue's, else what the universe says."""
    known = catalogue.load().find(row.symbol)
    if known is not None:
        return known
    currency = row.currency or catalogue.currency_of_market(catalogue.shape(row.symbol)) or ""
    return Instrument(row.symbol, row.name or row.symbol, catalogue.market_of_currency(currency), currency)


def _named(portfolio: Portfolio) -> tuple[str, ...]:
    groups = (member for group in portfolio.groups for member in group.members)
    benchmarks = (target.benchmark for _, target in portfolio.targets() if target.benchmark)
    named = dict.fromkeys((*portfolio.symbols, *groups, *benchmarks))
    return tuple(symbol for symbol in named if symbol in portfolio.instruments)


def _check(portfolio: Portfolio) -> None:
    """Raise InputError with every target outside its own limits, or why the portfolio would not be read again."""
    outside = []
    for _, one in portfolio.targets():
        if one.maximum is not None and one.weight > one.maximum:
            outside.append(error("outside-limits.above", one.symbol, field="max", weight=one.weight, limit=one.maximum))
        if one.minimum is not None and one.weight < one.minimum:
            outside.append(error("outside-limits.below", one.symbol, field="min", weight=one.weight, limit=one.minimum))
    if outside:
        raise InputError(outside)
    _, problems = parse_portfolio(dump_portfolio(portfolio), place("portfolio"))
    if failed := [problem for problem in problems if problem.severity == "error"]:
        raise InputError(failed)


def target_changes(before: Portfolio, after: Portfolio) -> Iterator[TargetChange]:
    """Yield what differs between two portfolios' target weights, by section and symbol."""
    old, new = _weights(before), _weights(after)
    instruments = {**before.instruments, **after.instruments}
    for key in dict.fromkeys((*old, *new)):
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        kind: Literal["new", "gone", "changed"] = "new" if was is None else "gone" if now is None else "changed"
        section, symbol = key
        yield TargetChange(
            kind,
            section,
            symbol,
            instruments[symbol].name if symbol in instruments else symbol,
            was or ZERO,
            now or ZERO,
        )


def _weights(portfolio: Portfolio) -> Mapping[tuple[str, str], Decimal]:
    return {(section.name, target.symbol): target.weight for section, target in portfolio.targets()}


def write_retargeted(found: Retargeted, path: Path, lang: Lang, into: Path, *, force: bool = False) -> str:
    """Write the portfolio as a YAML file or a workbook, whole or not at all; return what has to be known, or "".

    A YAML file keeps its comments and may be written over; a workbook keeps what is the person's own. Raises
    InputError where it cannot be.
    """
    return write_changed(found.portfolio, path, lang, into, force=force)
