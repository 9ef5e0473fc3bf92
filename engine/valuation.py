"""What everything is worth: one price per symbol, one rate per currency, values and cash in the base currency.

A price or rate that a person gave beats every source; one that is missing is a problem, never a guess.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from engine.errors import Problem, error, note, warning
from engine.goals import bought_symbols, disabled_symbols, goals_of, wanted_symbols
from engine.money import MINOR_DIGITS, ZERO, FxTable, to_unit, unit
from engine.phrase import Phrase, phrase, place
from engine.portfolio import UNKNOWN_TYPE, Account, Holding, Portfolio, step_of
from engine.quote import Quote

#: Calendar days before the plan's day beyond which a price is stale. KRX and NYSE never close for longer: the longest
#: closures, those of Lunar New Year and Chuseok with the weekends around them, are shorter.
LONGEST_CLOSURE_DAYS = 10
#: A quantity that comes of a value and a price has at most this many places.
SMALLEST_PART = Decimal("1e-8")
#: The most symbols that a message names.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class FxRate:
    """One rate into the base currency, and where it came from. `path` is the pairs used, such as USDKRW."""

    currency: str
    rate: Decimal
    source: str
    as_of: dt.datetime | None
    stale_reason: Phrase | None
    path: tuple[str, ...]
    doubt: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Valuation:
    """The whole portfolio's worth, cash flow included.

    `total` and `values` (by symbol) are in the base currency, unrounded; `quantities` is symbol -> account -> shares;
    `cash` is account -> currency -> amount, with every account showing every currency that has a rate.
    """

    total: Decimal
    values: Mapping[str, Decimal]
    quantities: Mapping[str, Mapping[str, Decimal]]
    cash: Mapping[str, Mapping[str, Decimal]]
    prices: Mapping[str, Quote]
    fx: FxTable

    @property
    def cash_value(self) -> Decimal:
        """Return all cash in the base currency: what the total holds beside the instruments."""
        return sum((self.fx.rate(c) * n for purse in self.cash.values() for c, n in purse.items() if n), ZERO)

    @property
    def weights(self) -> dict[str, Decimal]:
        """Return the weights of symbols, of the total; 0 where that is 0 or below."""
        return {symbol: worth / self.total if self.total > 0 else ZERO for symbol, worth in self.values.items()}


def priced_symbols(portfolio: Portfolio) -> frozenset[str]:
    """Return the symbols that cannot go without a price: those held, and what may be bought for an enabled target."""
    held = {holding.symbol for holding in portfolio.holdings if holding.quantity or holding.value}
    return bought_symbols(portfolio) | held


def in_quantities(portfolio: Portfolio, quotes: Mapping[str, Quote]) -> Portfolio:
    """Return the portfolio with a quantity for every holding that was written as a value: value / price.

    A price on one of the symbol's holdings beats the quote; without either, or with a quote in another currency than
    the instrument's, the holding stays as it is (and its missing price is told by whoever values it).
    """
    manual = {holding.symbol: holding.price for holding in portfolio.holdings if holding.price}
    holdings = []
    for holding in portfolio.holdings:
        quote = quotes.get(holding.symbol)
        fits = quote is not None and quote.currency == portfolio.instruments[holding.symbol].currency
        price = manual.get(holding.symbol) or (quote.price if quote is not None and fits else None)
        if holding.value is not None and price is not None and price > 0:
            quantity = (holding.value / price).quantize(SMALLEST_PART, ROUND_HALF_EVEN).normalize()
            holding = replace(holding, quantity=quantity + ZERO)
        holdings.append(holding)
    return replace(portfolio, holdings=tuple(holdings))


def typed(portfolio: Portfolio, quotes: Mapping[str, Quote]) -> Portfolio:
    """Return the portfolio with the asset types that the quotes' sources know, where nobody has said them."""
    known = {
        symbol: quotes[symbol]
        for symbol, one in portfolio.instruments.items()
        if one.asset_type == UNKNOWN_TYPE and symbol in quotes and quotes[symbol].kind
    }
    if not known:
        return portfolio
    instruments = {
        symbol: replace(one, asset_type=known[symbol].kind) if symbol in known else one
        for symbol, one in portfolio.instruments.items()
    }
    notes = tuple(_said(problem, known) for problem in portfolio.notes)
    return replace(portfolio, instruments=instruments, notes=notes)


def _said(problem: Problem, known: Mapping[str, Quote]) -> Problem:
    """Return what a source says of an instrument in place of the warning that nobody knows its type."""
    values = problem.message.values
    quote = known.get(str(values.get("symbol"))) if problem.message.key == "not-in-catalogue.unknown" else None
    if quote is None:
        return problem
    return note("not-in-catalogue.source", problem.where, **values, type=quote.kind, source=quote.source)


def aged(quote: Quote, as_of: dt.date) -> Quote:
    """Return the quote, marked stale where its own day is too long before `as_of`, whoever it comes from.

    A reason that it already has stays, and so does a quote without a date: nothing says how old it is.
    """
    if quote.as_of is None or quote.stale:
        return quote
    day = quote.as_of.date()
    days = (as_of - day).days
    if days <= LONGEST_CLOSURE_DAYS:
        return quote
    return replace(quote, stale_reason=phrase("stale-reason.old", day=day, days=days, as_of=as_of))


def resolve_prices(
    portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date
) -> tuple[dict[str, Quote], tuple[Problem, ...]]:
    """Choose one price per symbol: the one on the holding (source "manual"), else the quote.

    A held symbol or an enabled target without a price, a quote in another currency than the instrument's, a price
    that is not above 0, and two manual prices that disagree are errors; quotes later than `as_of` are a warning, those
    too long before it are stale (`aged`).
    A manual price of 0 says that a holding is worthless.
    """
    manual, problems = _manual_prices(portfolio)
    wanted = wanted_symbols(portfolio, weighing=True)
    needed = priced_symbols(portfolio)
    chosen: dict[str, Quote] = {}
    for symbol in portfolio.symbols:
        currency = portfolio.instruments[symbol].currency
        if symbol in manual:
            quote = Quote(symbol, manual[symbol], currency, None, "manual")
        elif symbol in quotes:
            quote = aged(quotes[symbol], as_of)
        else:
            if symbol in needed:
                problems.append(error("price-missing", place("price", symbol=symbol)))
            continue
        fault = _price_fault(quote, currency, wanted=symbol in wanted)
        if fault:
            problems.append(fault)
        else:
            chosen[symbol] = quote
    problems.extend(_later_prices(chosen, as_of))
    return chosen, tuple(problems)


def _manual_prices(portfolio: Portfolio) -> tuple[dict[str, Decimal], list[Problem]]:
    found: dict[str, Decimal] = {}
    problems: list[Problem] = []
    for holding in portfolio.holdings:
        if holding.price is None:
            continue
        first = found.setdefault(holding.symbol, holding.price)
        if first != holding.price:
            where = place("price", symbol=holding.symbol)
            problems.append(error("price-conflict", where, first=first, second=holding.price))
    return found, problems


def _price_fault(quote: Quote, currency: str, *, wanted: bool) -> Problem | None:
    """Return what is wrong with a price."""
    where = place("price", symbol=quote.symbol)
    values = {"price": quote.price, "currency": quote.currency, "source": quote.source}
    if quote.currency != currency:
        return error("price-currency", where, needed=currency, **values)
    if not quote.price.is_finite() or quote.price < 0 or (quote.price == 0 and quote.source != "manual"):
        return error("price-invalid", where, **values)
    if quote.price == 0 and wanted:
        return error("price-zero", where)
    return None


def _later_prices(chosen: Mapping[str, Quote], as_of: dt.date) -> Iterator[Problem]:
    # A day's grace: Seoul is a date ahead of New York for most of a New York session.
    late = [q for q in chosen.values() if q.as_of is not None and q.as_of.date() > as_of + dt.timedelta(days=1)]
    if late:
        names = ", ".join(quote.symbol for quote in late[:_NAMED]) + (" …" if len(late) > _NAMED else "")
        yield warning("price-later", place("prices"), number=len(late), names=names, as_of=as_of)


def resolve_rates(
    portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date
) -> tuple[dict[str, FxRate], tuple[Problem, ...]]:
    """Find a rate into the base currency for every currency in use: direct, inverse, or through one other currency.

    A manual rate beats a quote of the same two currencies, in whichever direction it is given. A currency that
    holds cash, or prices something held or wanted, is a problem without one. A quote too long before `as_of` is stale.
    """
    pairs, problems = _pairs(portfolio, quotes, as_of)
    base = portfolio.base_currency
    needed = {portfolio.instruments[symbol].currency for symbol in priced_symbols(portfolio)}
    needed |= {currency for account in portfolio.accounts for currency, amount in account.cash.items() if amount}
    found: dict[str, FxRate] = {}
    for currency in portfolio.currencies:
        if currency == base:
            continue
        rate = pairs.get((currency, base)) or _crossed(pairs, currency, base)
        if rate is not None:
            found[currency] = rate
        elif currency in needed:
            where = place("fx", pair=f"{currency}{base}")
            problems.append(error("fx-missing", where, currency=currency, base=base))
    return found, tuple(problems)


def resolve_fx(
    portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date
) -> tuple[FxTable, tuple[Problem, ...]]:
    """Return the rates of `resolve_rates` as a table to convert with."""
    rates, problems = resolve_rates(portfolio, quotes, as_of)
    return fx_table(portfolio, rates), problems


def doubtful(prices: Mapping[str, Quote], rates: Mapping[str, FxRate]) -> tuple[Problem, ...]:
    """Return an error for each price and rate that something known speaks against, by its symbol or pair."""
    found = [quote.doubt for quote in prices.values()] + [rate.doubt for rate in rates.values()]
    doubts = dict.fromkeys(doubt for doubt in found if doubt is not None)
    return tuple(error("doubtful", place("price", symbol=one.values["symbol"]), doubt=one) for one in doubts)


def fx_table(portfolio: Portfolio, rates: Mapping[str, FxRate]) -> FxTable:
    """Return rates into the base currency, by currency, as a table to convert with."""
    return FxTable(portfolio.base_currency, {currency: rate.rate for currency, rate in rates.items()})


def _pairs(
    portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date
) -> tuple[dict[tuple[str, str], FxRate], list[Problem]]:
    manual = [Quote(pair, rate, pair[3:], None, "manual") for pair, rate in portfolio.fx.items()]
    pairs: dict[tuple[str, str], FxRate] = {}
    problems: list[Problem] = []
    for tier in (manual, [aged(quote, as_of) for quote in _fx_quotes(quotes)]):
        sound = [quote for quote in tier if quote.currency == quote.symbol[3:] and quote.price.is_finite()]
        sound = [quote for quote in sound if quote.price > 0]
        problems.extend(_fx_problem(quote) for quote in tier if quote not in sound)
        for quote in sound:
            first, second = quote.symbol[:3], quote.symbol[3:]
            pairs.setdefault((first, second), _fx_rate(quote, first, quote.price))
        for quote in sound:
            first, second = quote.symbol[:3], quote.symbol[3:]
            pairs.setdefault((second, first), _fx_rate(quote, second, 1 / quote.price))
    return pairs, problems


def _fx_rate(quote: Quote, currency: str, rate: Decimal) -> FxRate:
    return FxRate(currency, rate, quote.source, quote.as_of, quote.stale_reason, (quote.symbol,), quote.doubt)


def _fx_problem(quote: Quote) -> Problem:
    values = {"rate": quote.price, "currency": quote.currency, "source": quote.source, "needed": quote.symbol[3:]}
    return error("fx-invalid", place("fx", pair=quote.symbol), **values)


def _crossed(pairs: Mapping[tuple[str, str], FxRate], currency: str, base: str) -> FxRate | None:
    """Go through the first other currency, by name, that has a rate to both."""
    for between in sorted({second for first, second in pairs if first == currency}):
        if (between, base) not in pairs:
            continue
        legs = (pairs[currency, between], pairs[between, base])
        dates = [leg.as_of for leg in legs if leg.as_of is not None]
        return FxRate(
            currency,
            legs[0].rate * legs[1].rate,
            " × ".join(dict.fromkeys(leg.source for leg in legs)),
            min(dates) if dates else None,
            next((leg.stale_reason for leg in legs if leg.stale_reason), None),
            (*legs[0].path, *legs[1].path),
            next((leg.doubt for leg in legs if leg.doubt), None),
        )
    return None


def _fx_quotes(quotes: Mapping[str, Quote]) -> Iterator[Quote]:
    for symbol, quote in quotes.items():
        if len(symbol) == 6 and symbol[:3] in MINOR_DIGITS and symbol[3:] in MINOR_DIGITS:
            yield quote


def value(portfolio: Portfolio, prices: Mapping[str, Quote], fx: FxTable) -> Valuation:
    """Value every symbol and all cash, cash flow included, in the base currency.

    `prices` and `fx` come from `resolve_prices` and `resolve_fx` without error; a symbol without a price (neither held
    nor wanted) is worth 0.
    """
    quantities: dict[str, dict[str, Decimal]] = {symbol: {} for symbol in portfolio.symbols}
    for holding in portfolio.holdings:
        held = quantities[holding.symbol]
        held[holding.account] = held.get(holding.account, ZERO) + holding.quantity
    values = {}
    for symbol, held in quantities.items():
        shares = sum(held.values(), ZERO)
        values[symbol] = shares * prices[symbol].price * fx.rate(prices[symbol].currency) if shares else ZERO
    cash = _cash(portfolio, prices, fx)
    total = sum(values.values(), ZERO)
    total += sum((fx.rate(currency) * n for purse in cash.values() for currency, n in purse.items() if n), ZERO)
    return Valuation(total, values, quantities, cash, dict(prices), fx)


def value_problems(valuation: Valuation) -> tuple[Problem, ...]:
    """Return an error where nothing is left to plan with: a total value of 0 or below, cash flow included."""
    if valuation.total > 0:
        return ()
    base = valuation.fx.base
    return (error("total-value", place("portfolio"), total=to_unit(valuation.total, base), base=base),)


def _cash(portfolio: Portfolio, prices: Mapping[str, Quote], fx: FxTable) -> dict[str, dict[str, Decimal]]:
    known = [currency for currency in portfolio.currencies if currency == fx.base or currency in fx.rates]
    cash = {account.name: {c: account.cash.get(c, ZERO) for c in known} for account in portfolio.accounts}
    for name, amount in assign_cash_flow(portfolio, prices, fx).items():
        cash[name][fx.base] += amount
    return cash


#: Share of what a sale or a conversion should bring that a withdrawal may count on; the rest is for its costs.
HEADROOM = Decimal("0.99")


def assign_cash_flow(portfolio: Portfolio, prices: Mapping[str, Quote], fx: FxTable) -> dict[str, Decimal]:
    """Split the cash flow over the accounts, in the base currency; what it splits into adds up to it exactly.

    A deposit goes to the first taxable account. A withdrawal is taken from the taxable accounts in the order they
    are listed, each giving at most what it can raise: its cash and what it may sell, less its buffer, with 1 % of
    all but base-currency cash kept for costs. Where no plan can raise such shares, `engine.trades.withdrawal` finds
    others. What is left over falls to the first taxable account, where the plan then says what is lacking. Without
    a taxable account all of it is the first account's: an ISA or a pension is not drawn on (or paid into) while
    there is another way. Without declared accounts there is one purse, and it is that one's.
    """
    flow, accounts = portfolio.settings.cash_flow, paying_accounts(portfolio)
    if not flow or not accounts:
        return {}
    if flow > 0:
        return {accounts[0].name: flow}
    shares = dict.fromkeys((account.name for account in accounts), ZERO)
    left = -flow
    for account in accounts:
        given = min(left, _most(portfolio, account, prices, fx))
        shares[account.name] -= given
        left -= given
    shares[accounts[0].name] -= left
    return {name: share for name, share in shares.items() if share}


def withdrawal_problem(
    portfolio: Portfolio, prices: Mapping[str, Quote], fx: FxTable, total: Decimal
) -> Problem | None:
    """Say so where a withdrawal leaves nothing of a portfolio that is worth something, and how much it can come to.

    `total` is the value in the base currency once the money is out. What can be withdrawn is what `assign_cash_flow`
    counts on: 1 % of sales and conversions is kept for their costs.
    """
    flow = portfolio.settings.cash_flow
    if total > 0 or total - flow <= 0:
        return None
    worth = to_unit(total - flow, fx.base, ROUND_DOWN)
    most = min(sum((_most(portfolio, a, prices, fx) for a in paying_accounts(portfolio)), ZERO), worth - unit(fx.base))
    values = {"flow": -flow, "worth": worth, "most": most, "currency": fx.base}
    return error("impossible.nothing-left", "settings.cash_flow", **values)


def paying_accounts(portfolio: Portfolio) -> list[Account]:
    """Return the accounts that a withdrawal comes from, in order; the first is the one that a deposit goes to."""
    return [account for account in portfolio.accounts if account.type == "taxable"] or [*portfolio.accounts[:1]]


def _most(portfolio: Portfolio, account: Account, prices: Mapping[str, Quote], fx: FxTable) -> Decimal:
    return max(to_unit(_raisable(portfolio, account, prices, fx), fx.base, ROUND_DOWN), ZERO)


def _raisable(portfolio: Portfolio, account: Account, prices: Mapping[str, Quote], fx: FxTable) -> Decimal:
    buffer = portfolio.settings.cash_buffer if account.cash_buffer is None else account.cash_buffer
    total = account.cash.get(fx.base, ZERO) - buffer
    if portfolio.settings.convert_currency:
        foreign = (fx.rate(c) * amount for c, amount in account.cash.items() if c != fx.base and amount)
        total += HEADROOM * sum(foreign, ZERO)
    return total + HEADROOM * sum(_sellable(portfolio, account, prices, fx), ZERO)


def _sellable(portfolio: Portfolio, account: Account, prices: Mapping[str, Quote], fx: FxTable) -> Iterator[Decimal]:
    settings = portfolio.settings
    if settings.mode == "buy-only":
        return
    kept = disabled_symbols(portfolio)
    for holding in portfolio.holdings:
        currency = portfolio.instruments[holding.symbol].currency
        reachable = settings.convert_currency or currency == fx.base
        free = not holding.locked and holding.symbol not in kept
        if holding.quantity and free and reachable and _is_in(portfolio, holding, account):
            yield holding.quantity * prices[holding.symbol].price * fx.rate(currency)


def _is_in(portfolio: Portfolio, holding: Holding, account: Account) -> bool:
    return not portfolio.accounts_declared or holding.account == account.name


#: The total in the base currency stays below this: 10¹⁵.
MOST = Decimal(10**15)
#: What is held is sold by the share (or smallest fraction of one), so it has to be counted exactly.
_MOST_HELD = Decimal(2**53)
#: What may be bought has to fit the search's whole numbers of 64 bits, several times over.
_MOST_BOUGHT = Decimal(10**18)


def magnitude_problems(portfolio: Portfolio, valuation: Valuation) -> tuple[Problem, ...]:
    """Return an error for a total of 10¹⁵ or more, else for each position with more shares than can be counted."""
    base = valuation.fx.base
    gross = sum(
        (abs(n) * valuation.fx.rate(c) for purse in valuation.cash.values() for c, n in purse.items() if n), ZERO
    )
    gross += sum(valuation.values.values(), ZERO)
    if gross >= MOST:
        return (error("out-of-range.total", place("portfolio"), total=gross, base=base, most=MOST),)
    return tuple(_countless(portfolio, valuation))


def _countless(portfolio: Portfolio, valuation: Valuation) -> Iterator[Problem]:
    rules = {section.name: section.rule for section in portfolio.sections}
    aims = {
        symbol: (rules[goal.section], goal.weight)
        for goal in goals_of(portfolio)
        if goal.section is not None
        for symbol in goal.members
    }
    for symbol, quote in valuation.prices.items():
        rule, weight = aims.get(symbol, (portfolio.untargeted_rule, ZERO))
        if not quote.price:
            continue
        step = step_of(portfolio.instruments[symbol], portfolio.settings.fractional)
        held = sum(valuation.quantities[symbol].values(), ZERO)
        rate = valuation.fx.rate(quote.currency)
        # The smallest trade is billed in whole units of the currency.
        billed = rule.min_trade / rate + unit(quote.currency) if rule.min_trade else ZERO
        bought = max(weight * valuation.total / rate, billed) / quote.price
        if held < _MOST_HELD * step and bought < _MOST_BOUGHT * step:
            continue
        values = {"price": quote.price, "currency": quote.currency, "step": step.normalize()}
        yield error("out-of-range.shares", place("position", symbol=symbol), **values)
