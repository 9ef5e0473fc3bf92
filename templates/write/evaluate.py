"""The rows of every table with what their formulas come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.drift import band
from engine.money import ZERO
from engine.portfolio import UNKNOWN_TYPE, Holding, Portfolio, Rule, Section, Target
from engine.settings import Settings
from engine.words import Lang, say
from templates.cells import NA, CellError, Row, Rows, Value
from templates.report import (
    BookReport,
    account_rows,
    cash_inputs,
    class_rows,
    cost_rows,
    exposure_text,
    goaled,
    group_rows,
    instrument_rows,
    preference_rows,
    priced_rows,
    rate_inputs,
    setting_rows,
)
from templates.spec import NO_BAND
from templates.spec.layout import GOAL_COLUMNS, VOLATILITY_COLUMNS
from templates.spec.vocabulary import HIGH, spoken
from templates.write.arithmetic import Number, add, negative, number, product, round_digits, share
from templates.write.goals import GoalBook, GoalTable


def reconcile(report: BookReport, row: Row) -> Row:
    """Return a row of the cash check with its formulas: before + sells − buys − costs ± exchanged = after."""
    account, currency = row["Account"], row["Currency"]
    trades = [t for t in report.rows("Trades") if t["Currency"] == currency and account in (None, "", t["Account"])]
    conversions = [c for c in report.rows("Conversions") if account in (None, "", c["Account"])]
    sells = add(t["Amount"] for t in trades if t["Side"] == "sell")
    buys = add(t["Amount"] for t in trades if t["Side"] == "buy")
    costs = add(t["Cost"] for t in trades)
    bought = add(c["Bought"] for c in conversions if c["Buy"] == currency)
    sold = add(c["Amount"] for c in conversions if c["Sell"] == currency)
    exchanged = add((bought, negative(sold)))
    after = add((row["Before"], sells, negative(buys), negative(costs), exchanged))
    planned = row["PlanAfter"]
    sums = {"Sells": sells, "Buys": buys, "Costs": costs, "Exchanged": exchanged, "After": after}
    return {**row, **sums, "Check": _verdict(after, planned)}


def _verdict(after: Number, planned: Value) -> Value:
    if isinstance(after, CellError):
        return after
    target = number(planned)
    if target is None:
        return ""
    if round(after - target, 2):
        return "DIFFERS"
    return "NEGATIVE" if after < 0 else "OK"


@dataclass(frozen=True, slots=True)
class Figures:
    """Every table's rows with the values of their formulas, and the named cells."""

    tables: Mapping[str, Rows]
    total: Number
    holdings_value: Number
    cash_value: Number
    cash_flow: Decimal
    target_sum: Decimal
    cash_target: Decimal

    @property
    def optional_columns(self) -> frozenset[str]:
        """Return the columns that not every workbook needs and this one does.

        Those about volatility, where a target has a relative band of its own or a band follows volatility; fixed
        months of reviews; what targets that are goals need, and exposures to classes.
        """
        rows = (*self.tables["Targets"], *self.tables["Rules"])
        owned = any(row["RelativeBand"] is not None for row in self.tables["Targets"])
        follows = owned or any(row["RelativeBandHigh"] is not None for row in rows)
        used = {"Months"} if any(row["Months"] is not None for row in self.tables["Rules"]) else set()
        exposed = (*self.tables["Holdings"], *self.tables["Instruments"])
        used |= {"Exposure"} if any(row["Exposure"] is not None for row in exposed) else set()
        used |= VOLATILITY_COLUMNS if follows else set()
        return frozenset(used | (GOAL_COLUMNS if self.tables["Goals"] else set()))


def evaluate(report: BookReport, lang: Lang) -> Figures:
    """Return the rows of all tables, formulas included, and the totals."""
    return _Evaluation(report, lang).figures()


class _Evaluation:
    def __init__(self, report: BookReport, lang: Lang) -> None:
        self.report = report
        self.portfolio: Portfolio = report.portfolio
        self.settings: Settings = self.portfolio.settings
        self.say: Callable[[str], str] = lambda key: say(f"label.check.{key}", lang)
        self.lang = lang
        self.prices = priced_rows(report)
        self.quotes = {row["Ticker"]: number(row.get("Price")) for row in self.prices}
        self.names = {row["Ticker"]: row.get("Name") for row in reversed(self.prices)}
        self.rate_rows = tuple(self._rate(row) for row in rate_inputs(report))
        self.rates = {row["Currency"]: row["Rate"] for row in reversed(self.rate_rows) if row["Currency"]}
        self.own = {row["Ticker"] for row in instrument_rows(self.portfolio, lang)}
        self.sections = {symbol: s.name for s, t in reversed(list(self.portfolio.targets())) for symbol in t.named}
        self.wanted = GoalBook.of(self.portfolio) if goaled(self.portfolio) else None
        if self.wanted:
            self.sections = {**self.wanted.sections, **self.sections}
        self.exposed: set[str] = set()
        self.rules = {s.name: s.rule for s in self.portfolio.sections} | {"all": self.portfolio.untargeted_rule}

    def figures(self) -> Figures:
        cash = tuple(self._cash(row) for row in cash_inputs(self.portfolio))
        holdings = [self._holding(holding) for holding in self.portfolio.holdings]
        held, purse = add(r["Value"] for r in holdings), add(r["Value"] for r in cash)
        flow = self.settings.cash_flow
        total, in_cash = add((held, purse, flow)), add((purse, flow))
        values: dict[str, list[Value]] = {}
        for row in holdings:
            row["Weight"] = share(row["Value"], total)
            values.setdefault(str(row["Ticker"]), []).append(row["Value"])
        locked = {h.symbol for h in self.portfolio.holdings if h.locked}
        # SUMPRODUCT runs over the whole column: one error anywhere is an error everywhere.
        broken = isinstance(held, CellError)
        targets = []
        for section, target in self.portfolio.targets():
            members = self.wanted.members(target.symbol) if self.wanted else {target.symbol: Decimal(1)}
            value = (
                NA if broken else add(product(part, add(values.get(symbol, ()))) for symbol, part in members.items())
            )
            fixed = target.symbol in locked if target.kind == "instrument" else self._locked(members)
            targets.append(self._target(section, target, value, total, locked=fixed))
        rules = tuple(self._rule(name, rule, targets) for name, rule in self.rules.items())
        weights = {symbol: share(add(worth), total) for symbol, worth in values.items()}
        tables: dict[str, Rows] = {
            "Holdings": tuple(holdings),
            "Cash": cash,
            "Targets": tuple(targets),
            "Groups": tuple(_group(row, weights, broken=broken) for row in group_rows(self.portfolio)),
            "Rules": rules,
            "Accounts": tuple(self._account(row, holdings, cash) for row in account_rows(self.portfolio)),
            "Settings": setting_rows(self.portfolio, self.lang),
            "Costs": cost_rows(self.portfolio),
            "FxRates": self.rate_rows,
            "Instruments": instrument_rows(self.portfolio, self.lang),
            "Classes": class_rows(self.portfolio),
            "Preferences": preference_rows(self.portfolio, self.lang),
            "Prices": self.prices,
            "History": self.report.history,
            "Ledger": self.report.ledger,
        }
        target_sum = sum((s.weight for s in self.portfolio.sections), ZERO)
        tables["Goals"] = ()
        if self.wanted:
            # One error among the holdings is one in every sum over them.
            held_of = {symbol: NA if broken else add(worth) for symbol, worth in values.items()}
            names = {str(symbol): str(name) for symbol, name in self.names.items() if name}
            made = GoalTable(self.portfolio, self.wanted, self.lang, names)
            tables["Goals"] = made.rows(held_of, targets, total, in_cash, max(1 - target_sum, ZERO))
        for name in _AS_GIVEN:
            tables[name] = self.report.rows(name)
        tables["Trades"] = tuple(self._trade(row) for row in tables["Trades"])
        tables["Reconcile"] = tuple(reconcile(self.report, row) for row in self.report.rows("Reconcile"))
        return Figures(tables, total, held, in_cash, flow, target_sum, max(1 - target_sum, ZERO))

    def _rate(self, row: Row) -> Row:
        base, manual, market = self.portfolio.base_currency, number(row.get("ManualRate")), row.get("MarketRate")
        rate: Value = "" if market is None else market
        if manual is not None and row["Pair"] == f"{row['Currency']}{base}":
            rate = manual
        elif manual is not None and row["Pair"] == f"{base}{row['Currency']}":
            rate = 1 / manual
        return {**row, "Rate": rate if row["Currency"] else ""}

    def _rate_of(self, currency: str, amount: Decimal) -> Value:
        if currency == self.portfolio.base_currency:
            return 1
        rate = self.rates.get(currency, "")
        return rate if rate != "" else NA if amount else ""

    def _holding(self, holding: Holding) -> dict[str, Value]:
        instrument = self.portfolio.instruments[holding.symbol]
        price: Value = holding.price
        if price is None:
            price = self.quotes.get(holding.symbol)
        if price is None:
            price = NA if holding.quantity else ""
        rate = self._rate_of(instrument.currency, holding.quantity)
        fault = "no-price" if isinstance(price, CellError) else "no-rate" if isinstance(rate, CellError) else ""
        own = holding.symbol in self.own
        first = holding.symbol not in self.exposed
        self.exposed.add(holding.symbol)
        return {
            "Account": holding.account,
            "Ticker": holding.symbol,
            "Name": self._name(holding.symbol),
            "Class": instrument.asset_type if own and instrument.asset_type != UNKNOWN_TYPE else None,
            "Market": instrument.market if own else None,
            "Currency": instrument.currency if own else None,
            "Section": self.sections.get(holding.symbol, "–"),
            "Quantity": holding.quantity,
            "AverageCost": holding.average_cost,
            "ManualPrice": holding.price,
            "Locked": True if holding.locked else None,
            "Exposure": exposure_text(self.portfolio, holding.symbol, self.lang) if first else None,
            "@currency": instrument.currency,
            "Price": price,
            "FX": rate,
            "Value": product(holding.quantity, price, rate) if holding.quantity else ZERO,
            "Check": self.say(fault) if fault else "",
        }

    def _name(self, symbol: str) -> Value:
        """Return the name that stands beside the price, as the formula finds it."""
        return self.names.get(symbol) or ""

    def _trade(self, row: Row) -> Row:
        amount, cost = (number(row[name]) or ZERO for name in ("Amount", "Cost"))
        rates = [self._rate_of(str(row["Currency"]), one) for one in (amount, cost)]
        sums = {"BaseAmount": product(amount, rates[0]), "BaseCost": product(cost, rates[1])}
        return {**row, "SideCode": row["Side"], **sums}

    def _cash(self, row: Row) -> Row:
        amount = number(row["Amount"]) or ZERO
        rate = self._rate_of(str(row["Currency"]), amount)
        return {**row, "FX": rate, "Value": product(amount, rate) if amount else ZERO}

    def _target(self, section: Section, target: Target, value: Number, total: Number, *, locked: bool) -> Row:
        rule = section.rule.of(target)
        low, high = band(target.weight, rule)
        unbanded = rule.absolute_band is None and rule.relative_band is None
        weight = share(value, total)
        broken = isinstance(weight, CellError)
        status: Value = weight if broken else _status(weight, low, high, total)
        status = "LOCKED" if locked else "DISABLED" if not target.enabled else status
        goal = {} if self.wanted is None else self.wanted.columns(target, weight)
        called = spoken("class", target.asset_class or "", self.lang)
        named = goal.get("Goal") or str(called) or goal.get("Members")
        return {
            **goal,
            "Section": section.name,
            "Ticker": target.symbol if target.kind == "instrument" else None,
            "Key": target.symbol,
            "Name": named or self._name(target.symbol),
            "Role": target.role,
            "Target": target.weight if target.share is None else None,
            "Wanted": target.weight,
            "Min": target.minimum,
            "Max": target.maximum,
            "Enabled": target.enabled,
            "Benchmark": target.benchmark,
            "ThesisValid": target.thesis_valid,
            "RelativeBand": target.relative_band,
            "RelativeBandHigh": target.relative_band_high_volatility,
            "Volatility": HIGH if target.high_volatility else None,
            "TER": self._fee(target),
            "Value": value,
            "Weight": weight,
            "Drift": weight if isinstance(weight, CellError) else weight - target.weight,
            "Band": NO_BAND if unbanded else high - target.weight,
            "Low": low,
            "High": high,
            "Signal": status if isinstance(status, CellError) else _SIGNALS.get(str(status), "–"),
            "Status": status,
            "Check": "",
            "SectionCode": section.name,
        }

    def _locked(self, members: Iterable[str]) -> bool:
        """Tell whether something is held of a goal's members, and all of it is locked."""
        held = [row for row in self.portfolio.holdings if row.quantity and row.symbol in set(members)]
        return bool(held) and all(row.locked for row in held)

    def _fee(self, target: Target) -> Value:
        """Return the expense ratio of a target's instrument; of equivalents, that of the one liked best."""
        found = self.portfolio.instruments.get(next(iter(target.named), ""))
        return found.expense_ratio if found else None

    def _rule(self, name: str, rule: Rule, targets: Iterable[Row]) -> Row:
        members = [row for row in targets if row["Section"] == name and row.get("Leaf", 1) == 1]
        target = add(row["Wanted"] for row in members)
        # Like the targets' values: an error of any row reaches every sum over the column.
        errors = [row["Weight"] for row in targets if isinstance(row["Weight"], CellError)]
        weight = errors[0] if errors else add(row["Weight"] for row in members)
        row: dict[str, Value] = {
            "Section": name,
            "Schedule": rule.schedule,
            "Months": ", ".join(map(str, rule.months)) or None,
            "AbsoluteBand": rule.absolute_band,
            "RelativeBand": rule.relative_band,
            "RelativeBandHigh": rule.relative_band_high_volatility,
            "MinTrade": rule.min_trade,
            "LastRebalanced": rule.last_rebalanced,
            "Target": target,
            "Weight": weight,
            "Drift": weight,
            "Status": weight,
            "SectionCode": name,
        }
        if isinstance(weight, Decimal) and isinstance(target, Decimal):
            width = rule.absolute_band
            if width is None:
                width = Decimal(NO_BAND) if rule.relative_band is None else rule.relative_band * target
            drift = weight - target
            beyond = round_digits(abs(drift) - width) > 0
            row["Drift"] = drift
            row["Status"] = ("OVER" if drift > 0 else "UNDER") if beyond else "OK"
        return row

    def _account(self, row: Row, holdings: Iterable[Row], cash: Iterable[Row]) -> Row:
        held, purse = list(holdings), list(cash)
        errors = [r["Value"] for r in (*held, *purse) if isinstance(r["Value"], CellError)]
        worth = add(r["Value"] for r in (*held, *purse) if r["Account"] == row["Name"])
        return {**row, "Value": errors[0] if errors else worth}


#: What stands before a status for whoever sees no colours.
_SIGNALS = {"OVER": "▲", "UNDER": "▼", "OK": "●"}
#: Tables that hold nothing but what the engine wrote.
_AS_GIVEN = (
    "Trades", "Conversions", "Summary", "Allocation", "Drift", "Limits", "Comparison", "Review", "Alerts",
    "Correlation", "Calendar", "Performance", "Periods", "Course", "Problems",
)  # fmt: skip


def _status(weight: Number, low: Decimal, high: Decimal, total: Number) -> str:
    if isinstance(weight, CellError) or isinstance(total, CellError) or total <= 0:
        return "OK"
    if round_digits(weight - high) > 0:
        return "OVER"
    return "UNDER" if round_digits(low - weight) > 0 else "OK"


def _group(row: Row, weights: Mapping[str, Number], *, broken: bool) -> Row:
    members = [name.strip() for name in str(row["Members"]).split(",")]
    weight = NA if broken else add(weights.get(name, ZERO) for name in members)
    if isinstance(weight, CellError):
        return {**row, "Weight": weight, "Status": weight}
    high, low = number(row["Max"]), number(row["Min"])
    over = high is not None and round_digits(weight - high) > 0
    under = low is not None and round_digits(low - weight) > 0
    return {**row, "Weight": weight, "Status": "OVER" if over else "UNDER" if under else "OK"}
