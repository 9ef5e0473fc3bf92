"""What rebalancing policies would have done to a portfolio, over closes from a file or from the sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.backtest.figures import figures, ideal_returns, until
from engine.backtest.market import Closes, Tariff, free_of_costs, market_of, tables_begin
from engine.backtest.noise import WalkForward, differences, walk_forward
from engine.backtest.policy import MONTHS, Policy, own, parse_policies
from engine.backtest.policy import grid as every_policy
from engine.backtest.result import Backtest, Method, Row
from engine.backtest.run import Deal, Fractions, Mask, Run, period_starts, simulate
from engine.costs.tax import tax_rule
from engine.errors import InputError, NoData, Problem, error, note, warning
from engine.goals import carried
from engine.history import DAY, Floats, HistoryTable, Series, as_date
from engine.market.catalogue import pair
from engine.money import ZERO, to_unit
from engine.phrase import Phrase, phrase, place
from engine.plan import Plan
from engine.portfolio import Account, Holding, Portfolio, Rule, Section
from engine.quote import Quote
from engine.schedule import add_months, next_due, next_weekday
from engine.settings import Mode
from rebalancer.analysing import LIVE, Sources, currencies_of, day_of, fx_pairs, load_history
from rebalancer.loading import load
from rebalancer.planning import planned
from rebalancer.recording import dated, record

if TYPE_CHECKING:
    from engine.words import Lang

#: Policies where none are named, and years where no first day is.
POLICIES = ("never", "cash-flow", "annual", "quarterly", "5/25", "own")
YEARS = 10
#: Money to begin with where the portfolio holds none, by base currency.
CAPITAL: Mapping[str, float] = {"KRW": 100_000_000, "USD": 100_000}
_OTHER_CAPITAL = 100_000.0
#: Longest time between two common days that is no gap: longer than any holiday week.
GAP = 10 * DAY
_LONG_AGO = dt.date(1990, 1, 1)
#: Fewest days that a policy is judged by.
FEWEST_DAYS = 3

#: Shows how many of so many runs are done, as it passes them on.
Progress = Callable[[Iterable[Run], int], Iterable[Run]]


@dataclass(frozen=True, slots=True)
class Trial:
    """How a backtest is made.

    `capital` is the money to begin with in the base currency (None: what the portfolio is worth at the last closes),
    `monthly` what comes (+) or is taken (−) on the first day of trading of each month. `exact` asks the engine for its
    plans in whole shares, `costs` counts what trades cost and gains are taxed. `dividends`: reinvested where they fall
    (closes of total return) or paid out into the cash.
    """

    start: dt.date | None = None
    end: dt.date | None = None
    capital: float | None = None
    monthly: float = 0.0
    exact: bool = False
    costs: bool = True
    paid_out: bool = False
    baseline: str | None = None


def backtest(
    portfolio: Portfolio,
    policies: str | Sequence[str] = POLICIES,
    sources: Sources = LIVE,
    trial: Trial | None = None,
    *,
    grid: bool = False,
    baskets: Mapping[str, Sequence[str]] | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Backtest:
    """Return what each policy would have done to the portfolio's targets, with money that starts in cash.

    `policies` are names as in `engine.backtest.policy`; with `grid` the whole grid of bands and schedules is tried as
    well. `baskets` are equal weights of symbols by name: each is put beside the portfolio under every policy.
    `executor` spreads the runs over processes (or machines). Raises InputError for an unknown policy, a period in which
    there is nothing to test, and files that cannot be used; NoData where closes cannot be had.
    """
    trial = trial or Trial()
    chosen, faults = policies_of(portfolio, policies, trial.baseline, grid=grid)
    if faults:
        raise InputError(faults)
    end = trial.end or day_of(sources, None)
    start = trial.start or add_months(end, -12 * YEARS)
    tested = {"": portfolio, **{name: _basket(portfolio, symbols) for name, symbols in (baskets or {}).items()}}
    if not any(_targets(portfolio).values()):
        if not baskets:
            raise InputError([error("no-targets.backtest", place("portfolio"))])
        del tested[""]
    symbols = tuple(dict.fromkeys(name for one in tested.values() for name in _targets(one)))
    base = portfolio.base_currency
    known = {name: code for one in tested.values() for name, code in currencies_of(one).items()}
    held = tuple(one.symbol for one in portfolio.holdings if one.quantity and one.value is None and one.price is None)
    known = {**currencies_of(portfolio), **known}
    moneys = (
        *(code for one in portfolio.accounts for code in one.cash),
        *(known[one.symbol] for one in portfolio.holdings),
    )
    wanted = tuple(dict.fromkeys((*symbols, *held)))
    # The allowance of Korea's tax on overseas gains is in won.
    won = "KRW" if trial.costs and portfolio.residence == "KR" and portfolio.settings.taxes != "none" else ""
    wanted += fx_pairs((*(known[name] for name in symbols), *moneys, won), base)
    table, plain, problems = _closes(sources, wanted, known, start, end, paid_out=trial.paid_out)
    market, told = _market(table, symbols, base, start, end, plain, won)
    worth, unpriced = _worths(portfolio, table, market)
    if unpriced and not trial.capital:
        told += (warning("backtest.capital-without", place("portfolio"), symbols=unpriced),)
    capital = trial.capital or _capital(sum(worth), base)
    parts = {name: worth if name == "" else (1.0,) for name in tested}
    jobs = [
        (basket, Job(replace(one, notes=()), policy, trial, capital, parts[basket]))
        for basket, one in tested.items()
        for policy in chosen
    ]
    work = partial(run_policy, market)
    every = [job for _, job in jobs]
    done = map(work, every) if executor is None else executor.map(work, every)
    runs = list(progress(done, len(every)) if progress else done)
    rows, walk, noisy = _judged(market, tested, chosen, [basket for basket, _ in jobs], runs, trial)
    method: Method = "exact" if trial.exact else "fast"
    ran_out = tuple(_ran_out(rows))
    notes = (*portfolio.notes, *problems, *told, *ran_out, *_notes(portfolio, chosen, trial, table, market.date(0)))
    return Backtest(
        portfolio.name,
        base,
        method,
        market.date(0),
        market.date(len(market) - 1),
        len(market),
        rows,
        _baseline(chosen, trial),
        market.symbols,
        _targets(portfolio),
        "paid" if trial.paid_out else "reinvested",
        walk,
        noisy,
        notes,
    )


def policies_of(
    portfolio: Portfolio, policies: str | Sequence[str], baseline: str | None = None, *, grid: bool = False
) -> tuple[tuple[Policy, ...], tuple[Problem, ...]]:
    """Return the policies named, with a grid's where that is asked for, and a problem for each name that is none."""
    chosen, faults = parse_policies(policies, portfolio)
    if grid:
        chosen = tuple({policy.name: policy for policy in (*chosen, *every_policy(portfolio))}.values())
    names = tuple(policy.name for policy in chosen)
    if names and baseline is not None and baseline.strip().casefold() not in names:
        faults += (error("unknown-policy.baseline", place("policies"), name=baseline, tried=names[:8]),)
    return chosen, faults


def _targets(portfolio: Portfolio) -> dict[str, float]:
    """Return the weights wanted by symbol; disabled ones are neither bought nor sold, and left out."""
    targets = carried(portfolio).targets()
    return {one.symbol: float(one.weight) for _, one in targets if one.enabled and one.weight > 0}


def _basket(portfolio: Portfolio, symbols: Sequence[str]) -> Portfolio:
    """Return a portfolio of equal weights; raises InputError for a symbol that is none."""
    if len(set(symbols)) < len(symbols) or not symbols:
        raise InputError([error("bad-basket", place("command-line"), symbols=tuple(symbols))])
    share = (Decimal(1) / len(symbols)).quantize(Decimal("1e-12"))
    weights = [share] * (len(symbols) - 1) + [1 - share * (len(symbols) - 1)]
    wanted = [{"ticker": name, "weight": str(weight)} for name, weight in zip(symbols, weights, strict=True)]
    body = {"base_currency": portfolio.base_currency, "cash": {portfolio.base_currency: 1}, "targets": wanted}
    made = load({"portfolio": body})
    return replace(made, settings=replace(portfolio.settings, cash_flow=ZERO, realised={}))


def _closes(
    sources: Sources,
    wanted: Sequence[str],
    currencies: Mapping[str, str],
    start: dt.date,
    end: dt.date,
    *,
    paid_out: bool,
) -> tuple[HistoryTable, HistoryTable | None, tuple[Problem, ...]]:
    """Return total-return closes, closes without dividends where they are wanted, and what was found."""
    table, problems = load_history(sources, wanted, currencies, start, end)
    if not paid_out:
        return table, None, problems
    if sources.history:
        raise InputError([error("no-dividends.file", str(sources.history))])
    from engine.history import from_records
    from engine.market import chain

    batch = chain.history(wanted, start, end, wait=sources.wait, offline=sources.offline)
    records = [replace(record, symbol=symbol) for symbol, record in batch.ok.items()]
    lacking = tuple(one.symbol for one in records if one.total_return is None and not pair(one.symbol))
    if lacking:
        problems = (*problems, warning("no-dividends", place("history"), symbols=lacking))
    prices = from_records(replace(one, total_return=None) for one in records)
    return table, prices.with_currencies(currencies), problems


def _market(
    table: HistoryTable,
    symbols: tuple[str, ...],
    base: str,
    start: dt.date,
    end: dt.date,
    plain: HistoryTable | None,
    also: str,
) -> tuple[Closes, tuple[Problem, ...]]:
    """Return the market on the days that all have in common, and what that leaves out."""
    missing = [symbol for symbol in symbols if symbol not in table.series]
    if missing:
        problems = [error("no-history.backtest", symbol, symbol=symbol) for symbol in missing]
        raise NoData(phrase("no-history.anywhere"), problems=problems)
    market = market_of(table, symbols, base, start=start, end=end, plain=plain, also=also)
    if len(market) < FEWEST_DAYS:
        spans = [error("history-short", name, symbol=name, first=table.series[name].first, last=table.series[name].last)
                 for name in symbols]  # fmt: skip
        raise InputError(
            [error("history-short.common", place("history"), days=len(market), first=start, last=end), *spans]
        )
    found = []
    late = [name for name in symbols if table.series[name].first > start + dt.timedelta(days=10)]
    if late:
        latest = max(late, key=lambda name: table.series[name].first)
        found.append(note("history-begins", latest, symbol=latest, first=table.series[latest].first, wanted=start))
    early = [name for name in symbols if table.series[name].last < end - dt.timedelta(days=10)]
    if early:
        soonest = min(early, key=lambda name: table.series[name].last)
        found.append(warning("history-ends", soonest, symbol=soonest, last=table.series[soonest].last, wanted=end))
    apart = np.diff(market.days)
    for at in np.flatnonzero(apart > GAP)[:3]:
        days = int(apart[at].astype(int))
        found.append(warning("history-gap.backtest", place("history"), first=as_date(market.days[at]), days=days))
    return market, tuple(found)


def _worths(portfolio: Portfolio, table: HistoryTable, market: Closes) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return what each account is worth at the last closes, in the base currency, and what could not be valued.

    A holding counts with the value that is written for it, else at the price written, else at its last close.
    """
    base, last = market.base, market.date(len(market) - 1)

    def latest(series: Series | None) -> float | None:
        known = None if series is None else series.between(end=last)
        return float(known.closes[-1]) if known is not None and len(known) else None

    def rate(code: str) -> float | None:
        if code == base:
            return 1.0
        given = portfolio.fx.get(code + base)
        if given is not None:
            return float(given)
        straight, inverse = latest(table.rates.get(code + base)), latest(table.rates.get(base + code))
        return straight if straight is not None else 1 / inverse if inverse else None

    worth, unknown = [0.0] * len(portfolio.accounts), []
    names = [one.name for one in portfolio.accounts]
    for at, account in enumerate(portfolio.accounts):
        for code, amount in account.cash.items():
            known = rate(code)
            worth[at] += float(amount) * (known or 0.0)
            if known is None and amount:
                unknown.append(code)
    for one in portfolio.holdings:
        at = names.index(one.account) if portfolio.accounts_declared and one.account in names else 0
        price = latest(table.series.get(one.symbol)) if one.price is None else float(one.price)
        money = (
            float(one.value) if one.value is not None else float(one.quantity) * price if price is not None else None
        )
        known = rate(portfolio.instruments[one.symbol].currency)
        if money is None or known is None:
            unknown += [one.symbol] if one.quantity or one.value else []
        else:
            worth[at] += money * known
    return tuple(worth), tuple(dict.fromkeys(unknown))


def _capital(worth: float, base: str) -> float:
    """Return the money to begin with where none is asked for: what the portfolio is worth, else something round."""
    whole = float(to_unit(Decimal(repr(float(worth))), base))
    return whole if whole > 0 else CAPITAL.get(base, _OTHER_CAPITAL)


@dataclass(frozen=True, slots=True)
class Job:
    """One run, as it can be sent to another process."""

    portfolio: Portfolio
    policy: Policy
    trial: Trial
    capital: float
    worth: tuple[float, ...]


def run_policy(market: Closes, job: Job) -> Run:
    """Return one policy's run over a market."""
    portfolio = job.portfolio if job.trial.costs else free_of_costs(job.portfolio)
    weights = _targets(portfolio)
    if tuple(weights) != market.symbols:
        columns = [market.symbols.index(symbol) for symbol in weights]
        market = replace(
            market,
            symbols=tuple(weights),
            closes=market.closes[:, columns],
            currencies=tuple(market.currencies[column] for column in columns),
            dividends=None if market.dividends is None else market.dividends[:, columns],
        )
    targets = np.array(list(weights.values()))
    targets /= max(float(targets.sum()), 1.0)
    policy = own(portfolio) if job.policy.own else job.policy
    tariff = Tariff(portfolio, market) if job.trial.costs else None
    flows = np.zeros(len(market))
    opens, _, _ = period_starts(market.days)
    flows[opens] = job.trial.monthly
    flows[0] = job.capital
    if not job.trial.exact:
        return simulate(market, targets, policy, flows, Fractions(market, targets, policy, tariff), tariff)
    if policy.own:  # the engine says when a section is due; it is asked every month
        watches = tuple(replace(one, due=MONTHS["monthly"] if one.due else one.due) for one in policy.watches)
        policy = replace(policy, watches=watches)
    trader = WholeShares(portfolio, market, policy, job.capital, job.worth)
    return simulate(market, targets, policy, flows, trader, tariff)


class WholeShares:
    """A trader in whole shares: on each day that calls for it, the plan that a person would have been given.

    What came in since the last trades (money, dividends, a tax that was paid) is the plan's cash flow. Accounts keep
    their rules, and begin with their part of what the portfolio is worth.
    """

    def __init__(
        self, portfolio: Portfolio, market: Closes, policy: Policy, capital: float, worth: Sequence[float]
    ) -> None:
        self.units: Floats = np.zeros(len(market.symbols))
        self.cash = 0.0
        self.tax_due = 0.0
        self._market, self._policy, self._given = market, policy, portfolio
        base = portfolio.base_currency
        accounts = _parts(portfolio, worth, capital)
        sections = portfolio.sections if policy.own else _sections(portfolio, policy)
        settings = replace(portfolio.settings, cash_flow=ZERO, realised={})
        if not policy.own:
            half = policy.destination == "half"
            settings = replace(
                settings, mode="full", trade="all", trigger="due" if half else "always",
                destination="half" if half else "target",
            )  # fmt: skip
        self._held = replace(
            portfolio, holdings=(), accounts=accounts, sections=sections, settings=settings, fx={}, notes=()
        )
        #: The cash that belongs to the cash target of what came in, where money is spread.
        self._reserve = to_unit(portfolio.cash_target * Decimal(repr(capital)), base)
        self._booked = float(sum((account.cash.get(base, ZERO) for account in accounts), ZERO))

    def trade(self, row: int, reason: str, acting: Mask | None) -> Deal:
        """Plan on a day's closes, and book the plan's trades."""
        base = self._held.base_currency
        came = to_unit(Decimal(repr(self.cash - self._booked)), base) if row else ZERO
        settings = replace(self._held.settings, cash_flow=came)
        if reason == "start":
            settings = replace(settings, trigger="always", destination="target", mode="full")
        elif acting is None and not self._policy.own:
            settings = replace(settings, trigger="due", destination="target")
        before = replace(self._held, settings=settings)
        if acting is None and self._policy.money == "spread" and came > 0:
            plan, after = self._spread(before, row)
        elif acting is None and not self._policy.own:
            # Only the money trades: nothing makes a section act, and what comes in sells nothing.
            mode: Mode = "buy-only" if came > 0 else "full"
            settings = replace(settings, mode=mode)
            plan = self._planned(replace(before, sections=_without_bands(before), settings=settings), row)
            after = record(plan.portfolio, plan)
        else:
            plan = self._planned(before, row)
            after = record(plan.portfolio, plan)
        realised = dict(self._held.settings.realised)
        if plan.tax.overseas_gain:
            realised["overseas"] = realised.get("overseas", ZERO) + plan.tax.overseas_gain * self._won(row)
        day, traded = self._market.date(row), {trade.symbol for trade in plan.trades}
        sections = tuple(dated(self._held, section, traded, day) for section in self._held.sections)
        if reason == "start":
            sections = tuple(replace(one, rule=replace(one.rule, last_rebalanced=day)) for one in sections)
        self._held = replace(
            self._held, holdings=self._rated(after.holdings, row), accounts=after.accounts, sections=sections,
            settings=replace(self._held.settings, realised=realised),
        )  # fmt: skip
        return self._done(plan, row, reason)

    def close_year(self, row: int) -> None:
        """Owe the tax of the year's overseas gains above the allowance."""
        rule = tax_rule("overseas_gains", max(self._market.date(row), tables_begin()))
        gained = self._held.settings.realised.get("overseas", ZERO)
        if rule and gained and self._given.residence == "KR" and self._given.settings.taxes != "none":
            self.tax_due += float(max(gained - rule.allowance * self._won(row), ZERO) * rule.rate)
        self._held = replace(self._held, settings=replace(self._held.settings, realised={}))

    def pay_tax(self) -> float:
        """Take what is owed from the cash, and return it."""
        paid, self.tax_due = self.tax_due, 0.0
        self.cash -= paid
        return paid

    def _spread(self, before: Portfolio, row: int) -> tuple[Plan, Portfolio]:
        """Buy the targets with what came, whatever is held, less cash's part; return the plan and what is held then."""
        base, accounts = before.base_currency, before.accounts
        came = before.settings.cash_flow
        self._reserve += to_unit(before.cash_target * came, base)
        kept, purses = ZERO, []
        for account in accounts:
            purse = account.cash.get(base, ZERO)
            stays = min(purse, max(self._reserve - kept, ZERO))
            kept += stays
            purses.append(to_unit(purse - stays, base))
        came -= max(self._reserve - kept, ZERO)
        wanted = 1 - before.cash_target
        alone = replace(
            before,
            holdings=(),
            accounts=tuple(replace(one, cash={base: n}) for one, n in zip(accounts, purses, strict=True)),
            sections=tuple(_scaled(section, wanted) for section in _without_bands(before)),
            settings=replace(before.settings, trigger="always", cash_flow=came),
        )
        plan = self._planned(alone, row)
        after = record(plan.portfolio, plan)
        merged, stays = [], before.settings.cash_flow - came
        for account, purse, done in zip(accounts, purses, after.accounts, strict=True):
            cash = {**account.cash, base: account.cash.get(base, ZERO) - purse}
            for currency, amount in done.cash.items():
                cash[currency] = cash.get(currency, ZERO) + amount
            cash[base] += stays
            stays = ZERO
            merged.append(replace(account, cash=cash))
        held = _joined(before.holdings, self._rated(after.holdings, row))
        return plan, replace(after, holdings=held, accounts=tuple(merged))

    def _rated(self, holdings: Sequence[Holding], row: int) -> tuple[Holding, ...]:
        """Return holdings with the day's rate where they were bought on it: gains are taxed at both days' rates."""
        rates = {code: Decimal(repr(float(rate[row]))) for code, rate in self._market.rates.items()}
        return tuple(
            replace(one, cost_fx=rates.get(self._given.instruments[one.symbol].currency))
            if one.cost_fx is None and one.quantity
            else one
            for one in holdings
        )

    def _planned(self, portfolio: Portfolio, row: int) -> Plan:
        market, day = self._market, self._market.date(row)
        if day < tables_begin():  # no rates are known of then: plan as on the first day that has them
            sections = tuple(_as_then(section, day) for section in portfolio.sections)
            portfolio, day = replace(portfolio, sections=sections), tables_begin()
        at = dt.datetime.combine(day, dt.time(21), dt.UTC)
        quotes = {
            symbol: Quote(symbol, Decimal(repr(float(price))), currency, at, "close")
            for symbol, price, currency in zip(market.symbols, market.closes[row], market.currencies, strict=True)
        }
        for currency, rate in market.rates.items():
            name = currency + market.base
            quotes[name] = Quote(name, Decimal(repr(float(rate[row]))), market.base, at, "close")
        if "KRW" in market.rates:  # a plan knows the rates of the currencies that are there
            purse, *others = portfolio.accounts
            purse = replace(purse, cash={"KRW": ZERO, **purse.cash})
            portfolio = replace(portfolio, accounts=(purse, *others))
        return planned(portfolio, quotes, day, allow_stale=True)

    def _won(self, row: int) -> Decimal:
        """Return base currency per won on a day."""
        if self._market.base == "KRW" or "KRW" not in self._market.rates:
            return Decimal(1)
        return Decimal(repr(float(self._market.rate("KRW")[row])))

    def _done(self, plan: Plan, row: int, reason: str) -> Deal:
        market = self._market
        column = {symbol: at for at, symbol in enumerate(market.symbols)}
        units = np.zeros(len(market.symbols))
        for holding in self._held.holdings:
            units[column[holding.symbol]] += float(holding.quantity)
        self.units = units
        rates = {**{code: float(rate[row]) for code, rate in market.rates.items()}, market.base: 1.0}
        self.cash = sum(float(n) * rates[code] for one in self._held.accounts for code, n in one.cash.items())
        self._booked = self.cash
        money = [(trade, rates[trade.currency]) for trade in plan.trades]
        spread = sum(float(one.cost) * rates[one.sell] for one in plan.conversions)
        return Deal(
            row,
            reason,
            sum(float(trade.amount) * rate for trade, rate in money if trade.side == "buy"),
            sum(float(trade.amount) * rate for trade, rate in money if trade.side == "sell"),
            len(plan.trades),
            sum(float(trade.cost) * rate for trade, rate in money) + spread,
            sum(float(trade.tax) * rate for trade, rate in money),
        )


def _parts(portfolio: Portfolio, worth: Sequence[float], capital: float) -> tuple[Account, ...]:
    """Return the accounts with the money to begin with: each has its part of what the portfolio is worth."""
    base, total = portfolio.base_currency, sum(max(one, 0.0) for one in worth)
    shares = [max(one, 0.0) / total for one in worth] if total > 0 else [1.0, *[0.0] * (len(worth) - 1)]
    money = [to_unit(Decimal(repr(float(capital * share))), base) for share in shares]
    money[0] += to_unit(Decimal(repr(float(capital))), base) - sum(money, ZERO)
    return tuple(replace(one, cash={base: part}) for one, part in zip(portfolio.accounts, money, strict=True))


def _ran_out(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield for whom what was taken left nothing, and when."""
    days: dict[dt.date, list[str]] = {}
    for row in rows:
        if row.run.used_up is not None:
            days.setdefault(as_date(row.run.days[row.run.used_up]), []).append(row.name)
    for day, names in days.items():
        yield warning("backtest.used-up", place("policies"), policies=tuple(names), day=day)


def _sections(portfolio: Portfolio, policy: Policy) -> tuple[Section, ...]:
    """Return the sections under the policy's bands in place of their own, and without reviews."""
    watch = policy.watches[0] if policy.watches else None

    def width(given: float | None) -> Decimal | None:
        return None if given is None else Decimal(repr(given))

    def ruled(rule: Rule) -> Rule:
        return Rule(
            absolute_band=width(watch.absolute if watch else None),
            relative_band=width(watch.relative if watch else None),
            min_trade=rule.min_trade,
            min_trade_given=rule.min_trade_given,
        )

    return tuple(
        replace(
            section,
            rule=ruled(section.rule),
            targets=tuple(
                replace(one, relative_band=None, relative_band_high_volatility=None) for one in section.targets
            ),
        )
        for section in portfolio.sections
    )


def _without_bands(portfolio: Portfolio) -> tuple[Section, ...]:
    """Return the sections as nothing makes them act: what comes in is used, nothing is sold."""
    return tuple(
        replace(
            section, rule=replace(section.rule, absolute_band=None, relative_band=None, schedule="none", months=())
        )
        for section in portfolio.sections
    )  # fmt: skip


def _as_then(section: Section, day: dt.date) -> Section:
    """Return the section due, or not, as it was on a day, whatever day a plan is made as on."""
    due, _ = next_due(section.rule, day, next_weekday)
    rule = replace(section.rule, schedule="weekly" if due else "none", months=(), last_rebalanced=_LONG_AGO)
    return replace(section, rule=rule)


def _scaled(section: Section, wanted: Decimal) -> Section:
    """Return a section whose weights are of what is invested."""
    return replace(section, targets=tuple(replace(one, weight=one.weight / wanted) for one in section.targets))


def _joined(held: Sequence[Holding], more: Sequence[Holding]) -> tuple[Holding, ...]:
    """Return what is held with more of it: quantities added, costs averaged."""
    rows = {(one.account, one.symbol): one for one in held}
    for one in more:
        key = (one.account, one.symbol)
        before = rows.get(key)
        if before is None or not before.quantity:
            rows[key] = one
            continue
        quantity = before.quantity + one.quantity
        cost, rate = None, before.cost_fx
        if before.average_cost is not None and one.average_cost is not None and quantity:
            earlier, now = before.average_cost * before.quantity, one.average_cost * one.quantity
            cost = (earlier + now) / quantity
            if before.cost_fx is not None and one.cost_fx is not None:
                rate = (earlier * before.cost_fx + now * one.cost_fx) / (earlier + now)
        rows[key] = replace(before, quantity=quantity, average_cost=cost, cost_fx=rate)
    return tuple(rows.values())


def _judged(
    market: Closes,
    tested: Mapping[str, Portfolio],
    policies: Sequence[Policy],
    baskets: Sequence[str],
    runs: Sequence[Run],
    trial: Trial,
) -> tuple[tuple[Row, ...], WalkForward | None, bool]:
    """Return the rows, what choosing year by year would have brought, and whether the noise could be judged."""
    ideal = {}
    for basket, portfolio in tested.items():
        weights = _targets(portfolio)
        targets = np.array([weights.get(symbol, 0.0) for symbol in market.symbols])
        ideal[basket] = ideal_returns(market, targets / max(float(targets.sum()), 1.0))
    rows = [
        Row(basket, run.policy.name, figures(run, ideal[basket]), run)
        for basket, run in zip(baskets, runs, strict=True)
    ]  # fmt: skip
    # Where money was used up there is nothing to compare from then on.
    last = min((run.used_up for run in runs if run.used_up is not None), default=len(market) - 1)
    by_name = {row.name: until(row.run, last) for row in rows}
    first = next(iter(tested))
    base = next(row.name for row in rows if row.basket == first and row.policy == _baseline(policies, trial))
    found = differences(by_name, base)
    rows = [replace(row, difference=(found or {}).get(row.name)) for row in rows]
    walk = walk_forward(
        {row.policy: by_name[row.name] for row in rows if row.basket == first}, _baseline(policies, trial)
    )
    return tuple(rows), walk, found is not None


def _baseline(policies: Sequence[Policy], trial: Trial) -> str:
    """Return the policy that the others are held against: the one named, else never, else the first."""
    names = [policy.name for policy in policies]
    if trial.baseline and trial.baseline.casefold() in names:
        return trial.baseline.casefold()
    return "never" if "never" in names else names[0]


def _notes(
    portfolio: Portfolio, policies: Sequence[Policy], trial: Trial, table: HistoryTable, first: dt.date
) -> Iterator[Problem]:
    """Yield what one has to know of how it was done."""
    if trial.costs and first < tables_begin():
        yield note("backtest.tables-begin", place("costs", about="*"), day=tables_begin())
    if portfolio.volatility_followers and any(policy.own for policy in policies):
        yield note("backtest.volatility", place("policies"), symbols=portfolio.volatility_followers)
    if not trial.exact and any(policy.own for policy in policies):
        yield note("backtest.own-fast", place("policies"))
    locked = tuple(dict.fromkeys(one.symbol for one in portfolio.holdings if one.locked))
    if locked:
        yield note("backtest.locked", place("portfolio"), symbols=locked)
    unknown = [name for name, series in table.series.items() if series.kind == "price"]
    if unknown and not trial.paid_out:
        yield note("backtest.price-only", place("history"), symbols=tuple(unknown))


def write_backtest(result: Backtest, path: str | Path, *, lang: Lang = "en", force: bool = False) -> None:
    """Write a backtest as a report workbook (.xlsx), whole or not at all.

    Raises InputError where the name is no workbook's, the place cannot be written to, or a file is there and may not
    be replaced (`force`).
    """
    from rebalancer.files import must_be_free, write_whole
    from templates.backtest import backtest_book

    path = Path(path)
    must_be_free(path, ".xlsx", force=force)
    write_whole(path, backtest_book(result, verdict(result).told(lang), lang))


def verdict(result: Backtest) -> Phrase:
    """Return what of the differences between the policies is more than noise, in one sentence."""
    if not result.noise_known:
        return phrase("backtest.noise-unknown")
    tried, beyond = len(result.rows) - 1, result.beyond_noise
    values = {"tried": tried, "beyond": beyond, "baseline": result.baseline}
    if not beyond:
        return phrase("backtest.noise-all", **values)
    names = tuple(row.name for row in result.rows if row.difference and row.difference.beyond_noise)
    return phrase("backtest.noise-some", names=names, **values)
