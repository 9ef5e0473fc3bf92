"""A Portfolio back into the text of a document that reads as an equal Portfolio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

import yaml

from engine.data.classes import coarse_of
from engine.data.instruments import DESCRIPTION
from engine.data.sections import SECTION_KEYS
from engine.goals import tree_of
from engine.market import catalogue
from engine.portfolio import JOINT, UNKNOWN_TYPE, Account, Group, Holding, Instrument, Portfolio, Rule, Target
from engine.settings import CostOverride, Settings

Row = dict[str, object]


class _Writer(yaml.SafeDumper):
    """YAML with a row on one line, numbers plainly, codes of digits in quotes, nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002
        return True

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:  # noqa: ANN401, FBT001
        node = super().represent_mapping(tag, mapping, flow_style)
        node.flow_style = all(isinstance(value, yaml.ScalarNode) for _, value in node.value)
        return node


def _number(writer: yaml.SafeDumper, number: Decimal) -> yaml.ScalarNode:
    text = f"{number:f}"
    return writer.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)


def _text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style='"' if text[:1].isdigit() else None)


_Writer.add_representer(Decimal, _number)
_Writer.add_representer(str, _text)


def dump_portfolio(portfolio: Portfolio) -> str:
    """Return YAML text that parses to an equal portfolio.

    Raises ValueError where a document cannot say what the record says: a rule of "all" other than the one for
    untargeted holdings, or rules on the account of a portfolio that declares none. What the catalogue knows of an
    instrument and the record leaves open (None) reads as the catalogue's.
    """
    body: Row = {"name": portfolio.name, "base_currency": portfolio.base_currency}
    if portfolio.expected:
        body["expected"] = dict(portfolio.expected)
    described: set[str] = set()
    body["holdings"] = [
        _holding(holding) | _description(holding.symbol, portfolio, described) for holding in portfolio.holdings
    ]
    body |= _accounts(portfolio)
    keys = {name: key for key, name in SECTION_KEYS.items()}
    own: Row = {}
    for section in portfolio.sections:
        targets = [_target(target) | _described(target, portfolio, described) for target in section.targets]
        if section.name in keys:
            body[keys[section.name]] = targets
        else:
            own[section.name] = targets
    if own:
        body["sections"] = own
    body["rules"] = _rules(portfolio)
    if portfolio.classes:
        body["classes"] = _classes(portfolio.classes)
    if portfolio.prefer:
        body["prefer"] = {key: places[0] if key == "rule" else list(places) for key, places in portfolio.prefer.items()}
    if portfolio.groups:
        body["groups"] = [_group(group) for group in portfolio.groups]
    document: Row = {"portfolio": body}
    if portfolio.fx:
        document["fx"] = dict(portfolio.fx)
    if settings := _settings(portfolio.settings):
        document["settings"] = settings
    return yaml.dump(document, Dumper=_Writer, allow_unicode=True, sort_keys=False, default_flow_style=None, width=110)


def _without(row: Row, *unset: object) -> Row:
    """Return the row without the values that are left out when unset."""
    return {key: value for key, value in row.items() if not any(value is none or value == none for none in unset)}


def _holding(holding: Holding) -> Row:
    amount = {"quantity": holding.quantity} if holding.value is None else {"value": holding.value}
    row: Row = {"symbol": holding.symbol, **amount}
    row |= _without({"average_cost": holding.average_cost, "cost_fx": holding.cost_fx, "price": holding.price}, None)
    return (
        row | ({"account": holding.account} if holding.account else {}) | ({"locked": True} if holding.locked else {})
    )


def _classes(classes: Mapping[str, str]) -> Row:
    """Return the tree as wider classes with what is in each; a widest one alone has nothing beside it."""
    found: Row = {}
    for name, wider in classes.items():
        inner = found.setdefault(wider or name, [])
        if wider and isinstance(inner, list):
            inner.append(name)
    return {name: inner or None for name, inner in found.items()}


def _goal(target: Target) -> Row:
    """Return what a target names."""
    if target.kind == "instrument":
        return {"ticker": target.symbol}
    if target.kind == "any":
        named = {} if target.symbol == JOINT.join(target.members) else {"name": target.symbol}
        return {"any": list(target.members), **named}
    return {"class": target.asset_class, **({} if target.symbol == target.asset_class else {"name": target.symbol})}


def _target(target: Target) -> Row:
    row: Row = {
        **_goal(target),
        "weight": target.weight if target.share is None else None,
        "share": target.share,
        "consolidate": True if target.consolidate else None,
        "role": target.role or None,
        "min": target.minimum,
        "max": target.maximum,
        "benchmark": target.benchmark,
        "thesis_valid": target.thesis_valid,
        "enabled": None if target.enabled else False,
        "relative_band": target.relative_band,
        "relative_band_high_volatility": target.relative_band_high_volatility,
    }
    return _without(row, None)


def _described(target: Target, portfolio: Portfolio, described: set[str]) -> Row:
    """Return what a reader could not know of a target's instrument; only one of its own is described in its row."""
    return _description(target.symbol, portfolio, described) if target.kind == "instrument" else {}


def _description(symbol: str, portfolio: Portfolio, described: set[str]) -> Row:
    """Return what a reader could not know of an instrument, the first time that its symbol is written."""
    if symbol in described:
        return {}
    described.add(symbol)
    instrument = portfolio.instruments[symbol]
    classing = _classing(portfolio, symbol)
    entry = catalogue.load().get(symbol)
    if entry is not None:
        row = {key: getattr(instrument, key) for key in DESCRIPTION if _differs(instrument, entry.instrument, key)}
    else:
        market = catalogue.market_of_currency(instrument.currency)
        plain = Instrument(symbol, symbol, market, instrument.currency, UNKNOWN_TYPE)
        row = {"currency": instrument.currency}
        row |= {key: getattr(instrument, key) for key in DESCRIPTION if _differs(instrument, plain, key)}
    if classing and coarse_of(portfolio.exposures[symbol], tree_of(portfolio)) == row.get("asset_class"):
        row.pop("asset_class", None)  # the class says it
    return row | classing


def _classing(portfolio: Portfolio, symbol: str) -> Row:
    """Return what the document says of the classes that an instrument is in."""
    exposure = portfolio.exposures.get(symbol)
    if exposure is None:
        return {}
    return {"class": next(iter(exposure))} if list(exposure.values()) == [1] else {"exposure": dict(exposure)}


def _differs(instrument: Instrument, known: Instrument, key: str) -> bool:
    value = getattr(instrument, key)
    return value is not None and value != getattr(known, key)


def _accounts(portfolio: Portfolio) -> Row:
    if portfolio.accounts_declared:
        return {"accounts": [_account(account) for account in portfolio.accounts]}
    (account,) = portfolio.accounts
    if account != Account("", cash=account.cash):
        raise ValueError("a document without accounts has only cash: declare the account to give it rules")
    return {"cash": dict(account.cash)}


def _account(account: Account) -> Row:
    row: Row = {
        "name": account.name,
        "type": account.type,
        "cash": dict(account.cash),
        "markets": None if account.markets is None else list(account.markets),
        "risk_cap": account.risk_cap,
        "banned": list(account.banned),
    }
    return row | ({} if account.cash_buffer is None else {"cash_buffer": account.cash_buffer})


def _rules(portfolio: Portfolio) -> Row:
    rules = {section.name: section.rule for section in portfolio.sections}
    if rules.get("all", portfolio.untargeted_rule) != portfolio.untargeted_rule:
        raise ValueError('the section "all" and the holdings without a target share one rule in a document')
    rules["all"] = portfolio.untargeted_rule
    # What a section of a person's own naming leaves out, it has from the rule of all.
    wide = any(rule.relative_band_high_volatility is not None for rule in rules.values())
    return {name: _rule(rule, wide=wide) for name, rule in rules.items()}


def _rule(rule: Rule, *, wide: bool) -> Row:
    row: Row = {field.name: getattr(rule, field.name) for field in fields(rule)}
    if not row.pop("min_trade_given"):
        del row["min_trade"]
    if rule.last_rebalanced is None:
        del row["last_rebalanced"]
    if not wide:
        del row["relative_band_high_volatility"]
    row["months"] = list(rule.months)
    if not rule.months:
        del row["months"]
    return row


def _group(group: Group) -> Row:
    bounds: Row = {"max": group.maximum, "min": group.minimum}
    return {"name": group.name, "members": list(group.members), **_without(bounds, None)}


def _settings(settings: Settings) -> Row:
    default = Settings()
    row: Row = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value != getattr(default, field.name):
            row[field.name] = _setting(value)
    return row


def _setting(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return {key: _cost(part) if isinstance(part, CostOverride) else part for key, part in value.items()}
    return value


def _cost(override: CostOverride) -> Row:
    return _without({field.name: getattr(override, field.name) for field in fields(override)}, None)
