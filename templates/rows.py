"""A portfolio's records as rows of the tables; in those of inputs, exactly what a person could have typed."""

from __future__ import annotations

from dataclasses import fields

from engine.market import catalogue
from engine.portfolio import Portfolio
from engine.settings import Settings, setting_fields
from engine.words import say
from templates.labels import label
from templates.report import Report, Row, Rows, Value
from templates.schema import Lang

#: What stands for "no restriction" where an empty cell means the default of the account's type.
ANY, NONE = "any", "none"


def cash_inputs(portfolio: Portfolio) -> Rows:
    """Return cash by account and currency."""
    rows: list[Row] = [
        {"Account": account.name, "Currency": currency, "Amount": amount}
        for account in portfolio.accounts
        for currency, amount in account.cash.items()
    ]
    return tuple(rows)


def account_rows(portfolio: Portfolio) -> Rows:
    """Return the declared accounts, with every restriction spelled out."""
    if not portfolio.accounts_declared:
        return ()
    return tuple(
        {
            "Name": account.name,
            "Type": account.type,
            "Markets": ANY if account.markets is None else ", ".join(account.markets) or NONE,
            "RiskCap": NONE if account.risk_cap is None else account.risk_cap,
            "Banned": ", ".join(account.banned) or NONE,
            "CashBuffer": account.cash_buffer,
        }
        for account in portfolio.accounts
    )


def group_rows(portfolio: Portfolio) -> Rows:
    """Return the limits over several instruments."""
    return tuple(
        {"Name": g.name, "Members": ", ".join(g.members), "Min": g.minimum, "Max": g.maximum} for g in portfolio.groups
    )


def cost_rows(portfolio: Portfolio) -> Rows:
    """Return the overrides of the cost table."""
    return tuple(
        {"Key": key, "Commission": cost.commission, "Minimum": cost.minimum, "SellTax": cost.sell_tax}
        for key, cost in portfolio.settings.costs.items()
    )


def rate_inputs(report: Report) -> Rows:
    """Return a row per currency in use, with the rate given by hand and the engine's, then the other manual pairs."""
    portfolio = report.portfolio
    base, manual = portfolio.base_currency, dict(portfolio.fx)
    market = {str(row["Currency"]): row for row in report.rows("FxRates") if row.get("Currency")}
    rows: list[Row] = []
    for currency in dict.fromkeys((*portfolio.currencies[1:], *market)):
        if currency == base:
            continue
        pair = next((p for p in (f"{currency}{base}", f"{base}{currency}") if p in manual), f"{currency}{base}")
        known = market.get(currency, {})
        row: dict[str, Value] = {"Currency": currency, "Pair": pair, "ManualRate": manual.pop(pair, None)}
        row |= {name: known.get(name) for name in ("MarketRate", "AsOf", "Source", "Status")}
        if row["ManualRate"] is not None:
            row |= {"Source": "manual", "Status": "manual", "AsOf": None}
        rows.append(row)
    rows.extend({"Currency": None, "Pair": pair, "ManualRate": rate} for pair, rate in manual.items())
    return tuple(rows)


def setting_rows(portfolio: Portfolio, lang: Lang) -> Rows:
    """Return every setting with its value, its choices or unit, and its meaning."""
    rows: list[Row] = [
        {"Key": "name", "Value": portfolio.name, "Meaning": label("setting.name", lang)},
        {"Key": "base_currency", "Value": portfolio.base_currency, "Meaning": label("setting.base_currency", lang)},
    ]
    known = setting_fields()
    for field in fields(Settings):
        if field.name == "costs":
            continue
        value = getattr(portfolio.settings, field.name)
        meta = known[field.name]
        rows.append(
            {
                "Key": field.name,
                "Value": (", ".join(value) or None) if isinstance(value, tuple) else value,
                "Choices": " / ".join(meta["choices"]) or (meta["unit"] and say(f"unit.{meta['unit']}", lang)),
                "Meaning": say(f"setting.{field.name}", lang),
            }
        )
    return tuple(rows)


def instrument_rows(portfolio: Portfolio) -> Rows:
    """Return the instruments that the catalogue does not have, or has otherwise, with all that is known of them."""
    known = catalogue.load()
    rows: list[Row] = []
    for symbol, instrument in portfolio.instruments.items():
        entry = known.get(symbol)
        if entry is not None and entry.instrument == instrument:
            continue
        rows.append(
            {
                "Ticker": symbol,
                "Name": instrument.name,
                "Market": instrument.market,
                "Currency": instrument.currency,
                "Class": instrument.asset_type,
                "AssetClass": instrument.asset_class,
                "Leverage": instrument.leverage,
                "Futures": instrument.futures,
                "TER": instrument.expense_ratio,
                "Lot": instrument.lot,
                "NameEn": instrument.name_en or None,
            }
        )
    return tuple(rows)


def price_rows(report: Report) -> Rows:
    """Return the prices written by the engine, and a row without a price for every symbol that has none."""
    found = {str(row["Ticker"]): row for row in report.rows("Prices")}
    rows: list[Row] = []
    for symbol in report.portfolio.symbols:
        instrument = report.portfolio.instruments[symbol]
        blank: Row = {
            "Ticker": symbol,
            "Name": instrument.name,
            "Price": None,
            "Currency": instrument.currency,
            "Status": "missing",
        }
        rows.append(found.pop(symbol, blank))
    return (*rows, *found.values())
