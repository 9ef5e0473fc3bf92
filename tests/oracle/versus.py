"""The engine's plan beside the oracle's: every fact that must hold, as sentences about those that do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import rebalancer
from engine.errors import ImpossibleError, InputError, PlanNotFoundError
from engine.plan import Plan, Trade
from tests.oracle import brute, textbook
from tests.oracle.goals import UNTARGETED
from tests.oracle.measure import Outcome, bill, measure
from tests.oracle.portfolios import AS_OF, Document
from tests.oracle.reading import DIGITS, EPS, Case, read, worth

#: What a sum of floats may lose, as a fraction of V.
ROUNDING = 1e-9
#: Smallest units that rounding conversions may shift an account's cash by.
CONVERSION_UNITS = 2.0
#: Smallest units that rounding an order's charges may shift an account's cash by: commission, tax, withheld tax.
ORDER_UNITS = 1.5
#: A plan may be worse than the best one by this part of its objective, where the gap says so.
GAP = 1e-3
#: What is said where only the engine has a plan.
NONE = "the engine has a plan, the oracle none"


@dataclass
class Verdict:
    """What is wrong with a plan, by fact; and both sides' figures."""

    wrong: dict[str, list[str]] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    def say(self, fact: str, what: str) -> None:
        self.wrong.setdefault(fact, []).append(what)


def engine_plan(document: Document) -> Plan | None:
    """Return the engine's plan of a document, or None where it calls it impossible."""
    portfolio = rebalancer.load(document)
    try:
        return rebalancer.plan(portfolio, {}, as_of=AS_OF)
    except (ImpossibleError, PlanNotFoundError):
        return None  # every other InputError is the document's


def slot_of(case: Case, trade: Trade) -> int | None:
    """Return the oracle's slot of a trade; None where the symbol may not be traded in that account at all."""
    names = {purse.name: number for number, purse in enumerate(case.purses)}
    place = (names.get(trade.account, 0), trade.symbol)
    slots = {(slot.account, case.assets[slot.asset].symbol): s for s, slot in enumerate(case.slots)}
    return slots.get(place)


def orders_of(case: Case, plan: Plan) -> dict[int, float]:
    """Return a plan's trades as the oracle's orders."""
    found: dict[int, float] = {}
    for trade in plan.trades:
        s = slot_of(case, trade)
        if s is not None:
            lots = float(trade.quantity / case.assets[case.slots[s].asset].lot)
            found[s] = found.get(s, 0.0) + (lots if trade.side == "buy" else -lots)
    return found


def compare(document: Document, *, most: int = 100_000, use_model: bool = False) -> Verdict:
    """Return what is wrong with the engine's plan of a document."""
    verdict = Verdict()
    try:
        plan = engine_plan(document)
    except InputError as error:
        verdict.say("understood", str(error))
        return verdict
    found = _compared(read(document, AS_OF), plan, verdict, most=most, use_model=use_model)
    if found.wrong.get("impossible") != [NONE] or plan is None or (shares := _shares(document, plan)) is None:
        return found
    # Reading 18's shares have no plan: the engine's others are judged as if they were given.
    return _compared(read(document, AS_OF, shares), plan, Verdict(), most=most, use_model=use_model)


def _shares(document: Document, plan: Plan) -> dict[str, Decimal] | None:
    """Return what a plan takes of a withdrawal from each account; None where it is none, or not of all taxable ones."""
    flow = Decimal(str(document["settings"].get("cash_flow", 0)))
    accounts = document["portfolio"].get("accounts", [])
    paying = [a for a in accounts if a.get("type", "taxable") == "taxable"]
    if flow >= 0 or len(paying) < 2:
        return None
    base = plan.base_currency
    taken = {
        a["name"]: plan.cash.accounts_before[a["name"]].get(base, Decimal(0)) - Decimal(str(a["cash"].get(base, 0)))
        for a in paying
    }
    return taken if sum(taken.values()) == flow and all(part <= 0 for part in taken.values()) else None


def _compared(case: Case, plan: Plan | None, verdict: Verdict, *, most: int, use_model: bool) -> Verdict:
    currencies = len(case.rates)
    unit = max(10.0 ** -DIGITS[c] * float(rate) for c, rate in case.rates.items()) / case.total
    if use_model:
        units = ORDER_UNITS * max(len(case.slots), 1) + CONVERSION_UNITS
        lenient = textbook.answer(case, slack=units)
        strict = textbook.answer(case, slack=-units)
        tolerance = ROUNDING + 2 * units * unit
    else:
        units = CONVERSION_UNITS if currencies > 1 else 0.0
        lenient = brute.answer(case, slack=units, most=most)
        strict = brute.answer(case, slack=-units, most=most) if units else lenient
        tolerance = ROUNDING + 2 * units * currencies * unit
    verdict.figures = {"oracle": lenient.best, "tried": lenient.tried, "ladder": case.ladder, "acting": case.acting}
    if plan is not None:
        _goals(case, plan.to_json(), verdict)
    if plan is None:
        if strict.best is not None:
            verdict.say("impossible", f"the engine calls impossible what {strict.best.orders} does")
        return verdict
    verdict.figures["engine"] = (plan.quality, [(t.account, t.symbol, t.side, t.quantity) for t in plan.trades])
    if lenient.best is None:
        verdict.say("impossible", NONE)
        return verdict
    for trade in plan.trades:
        if slot_of(case, trade) is None:
            verdict.say("rules", f"{trade.side} of {trade.symbol} in {trade.account!r}, where it may not be traded")
            return verdict
    _reconcile(case, plan, verdict)
    sure = not (lenient.close or strict.close) and strict.best is not None and strict.best.rung == lenient.best.rung
    rung = getattr(plan.quality, "rung", None)
    if rung is not None and rung != lenient.best.rung and sure and lenient.best.rung != 0:
        verdict.say("rung", f"the engine took rung {rung}, the oracle {lenient.best.rung}")
    if lenient.best.rung == 0:
        if plan.trades:
            verdict.say("rung", "the engine trades where nothing acts")
        return verdict
    which = rung or lenient.best.rung
    by_lenient = {best.rung: best for best in lenient.tried}
    by_strict = {best.rung: best for best in strict.tried}
    outcome = measure(case, case.rung(which), orders_of(case, plan), slack=units + 1)
    verdict.figures["measured"] = outcome
    for fault in outcome.faults:
        verdict.say("rules", f"rung {which}: {fault}")
    _judge(plan, outcome, by_lenient.get(which), by_strict.get(which), tolerance, verdict)
    return verdict


def _goals(case: Case, said: dict[str, Any], verdict: Verdict) -> None:
    """Check what a plan says of each goal, and of the whole: values, drift, status, what is unknown."""
    cash = case.cash - case.cash_target
    off = [goal.value - goal.target for goal in case.goals if goal.leaf]
    drift = (sum(map(abs, off)) + abs(cash)) / (2 * case.total)
    _close("drift", said["drift"], drift, verdict)
    if "goals" not in said:
        if any(goal.kind in ("any", "class") for goal in case.goals):
            verdict.say("goals", "none said")
        return
    mine = {goal.name: goal for goal in case.goals if goal.section != UNTARGETED}
    if [row["goal"] for row in said["goals"]] != list(mine):
        verdict.say("goals", f"{[row['goal'] for row in said['goals']]}, should be {list(mine)}")
        return
    for row, goal in zip(said["goals"], mine.values(), strict=True):
        exposures = {case.assets[m].symbol: share for m, share in goal.exposures.items()}
        facts = {"kind": goal.kind, "section": goal.section, "members": set(exposures)}
        heard = {"kind": row["kind"], "section": row["section"], "members": set(row["members"])}
        if heard != facts:
            verdict.say("goals", f"{goal.name}: {heard}, should be {facts}")
        for symbol in exposures.keys() & row["exposures"].keys():
            _close(f"{goal.name}: exposure of {symbol}", row["exposures"][symbol], exposures[symbol], verdict)
        share = 1 / case.total
        _close(f"{goal.name}: value", row["value"] * share, goal.value * share, verdict)
        _close(f"{goal.name}: weight", row["weight"], goal.value * share, verdict)
        _close(f"{goal.name}: target", row["target"], goal.target * share, verdict)
        _close(f"{goal.name}: drift", row["drift"], (goal.value - goal.target) * share, verdict)
        _close(f"{goal.name}: low", row["band"][0], goal.low * share, verdict)
        _close(f"{goal.name}: high", row["band"][1], goal.high * share, verdict)
        status = "OVER" if goal.value > goal.high else "UNDER" if goal.value < goal.low else "OK"
        status = "LOCKED" if goal.all_locked else "DISABLED" if not goal.enabled else status
        if row["status"] != status and (status in ("DISABLED", "LOCKED") or goal.outside_band > EPS * case.total):
            verdict.say("goals", f"{goal.name}: {row['status']}, should be {status}")
    known = sum(worth(goal, [asset.value for asset in case.assets]) for goal in case.goals if goal.leaf)
    unknown = sum(asset.value for asset in case.assets) - known
    _close("unknown", said["unknown"]["value"] / case.total, unknown / case.total, verdict)


def _close(what: str, said: float, own: float, verdict: Verdict) -> None:
    if abs(said - own) > 2e-6:
        verdict.say("goals", f"{what} {said!r}, should be {own!r}")


def _judge(
    plan: Plan, outcome: Outcome, least: brute.Best | None, most: brute.Best | None, tolerance: float, verdict: Verdict
) -> None:
    said, bound = plan.quality.objective, plan.quality.bound
    if abs(outcome.objective - said) > tolerance:
        verdict.say("objective", f"the engine says {said!r}, the contract {outcome.objective!r}")
    if bound > said + ROUNDING:
        verdict.say("bound", f"bound {bound!r} above the objective {said!r}")
    if most is not None and bound > most.objective + tolerance:
        verdict.say("bound", f"bound {bound!r} above a plan of {most.objective!r}: {most.orders}")
    if least is not None and not outcome.faults and outcome.objective < least.objective - tolerance:
        verdict.say("oracle", f"the engine's {outcome.objective!r} is below the oracle's best {least.objective!r}")
    allowed = min(max(plan.quality.gap, 0.0), GAP)
    if most is not None and outcome.objective > most.objective * (1 + allowed) + tolerance:
        gap = plan.quality.gap
        verdict.say(
            "best", f"the engine's {outcome.objective!r} (gap {gap:.2g}) is above {most.objective!r}: {most.orders}"
        )


def _reconcile(case: Case, plan: Plan, verdict: Verdict) -> None:
    """Check before + sells − buys − costs − taxes = after, exactly, and each charge against the oracle's bill."""
    kept = plan.cash.accounts_before or {"": plan.cash.before}
    after = plan.cash.accounts_after or {"": plan.cash.after}
    orders = orders_of(case, plan)
    money = {name: dict(purse) for name, purse in kept.items()}
    for trade in plan.trades:
        purse = money[trade.account if trade.account in money else next(iter(money))]
        leaves = trade.cost + trade.tax
        change = (trade.amount if trade.side == "sell" else -trade.amount) - leaves
        purse[trade.currency] = purse.get(trade.currency, Decimal(0)) + change
        s = slot_of(case, trade)
        assert s is not None
        mine = bill(case, case.slots[s], orders[s], exact=True)
        rate = float(case.rates[trade.currency])
        if abs(float(leaves) * rate - mine.leaves) > 1.01 * rate * 10.0 ** -DIGITS[trade.currency]:
            verdict.say("charges", f"{trade.side} {trade.symbol}: {leaves} {trade.currency}, the oracle {mine}")
    for c in plan.conversions:
        purse = money[c.account if c.account in money else next(iter(money))]
        purse[c.sell] = purse.get(c.sell, Decimal(0)) - c.amount
        purse[c.buy] = purse.get(c.buy, Decimal(0)) + c.bought
    for name, left in after.items():
        for currency in {*left, *money[name]}:
            have, said = money[name].get(currency, Decimal(0)), left.get(currency, Decimal(0))
            if have != said:
                verdict.say("reconciliation", f"{name!r}: {currency} {said}, should be {have}")
    for number, own in enumerate(case.purses):
        kept_after = after[own.name] if own.name in after else next(iter(after.values()))
        for currency, floor in own.floor.items():
            if kept_after.get(currency, Decimal(0)) < floor:
                verdict.say("reconciliation", f"{own.name!r} keeps {kept_after.get(currency)} {currency}, not {floor}")
        before = kept[own.name] if own.name in kept else next(iter(kept.values()))
        for currency, cash in case.purses[number].cash.items():
            # A split withdrawal is rounded to a unit for each account.
            if abs(before.get(currency, Decimal(0)) - cash) > Decimal(1).scaleb(-DIGITS[currency]):
                verdict.say("flow", f"{own.name!r} starts with {before.get(currency)} {currency}, the oracle {cash}")
