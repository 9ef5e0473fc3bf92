"""A plan as the JSON document that scripts may rely on: numbers are JSON numbers, and never NaN."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal

from engine.documents import Document, number, problem_list
from engine.plan import CashState, Conversion, Plan, Position, SectionState, TaxEstimate, Trade
from xl_addin.show.text import reason_sentence


def plan_document(plan: Plan) -> Document:
    """Return the plan as the documented JSON object, in plain dicts, lists, numbers and strings."""
    return {
        "as_of": plan.as_of.isoformat(),
        "base_currency": plan.base_currency,
        "total_value": number(plan.total_value),
        "needs_rebalancing": plan.needs_rebalancing,
        "drift": number(plan.drift),
        "positions": [_position(position) for position in plan.positions],
        "sections": [_section(section) for section in plan.sections],
        "trades": [_trade(trade) for trade in plan.trades],
        "conversions": [_conversion(conversion) for conversion in plan.conversions],
        "cash": _cash(plan.cash),
        "quality": {
            "objective": number(plan.quality.objective),
            "bound": number(plan.quality.bound),
            "gap": number(plan.quality.gap),
            "method": plan.quality.method,
            "seconds": number(plan.quality.seconds),
        },
        "tax": _tax(plan.tax),
        "problems": problem_list(plan.problems),
    }


def dump(document: Document) -> str:
    """Return the document as indented JSON text, ending in a newline."""
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _amounts(amounts: Mapping[str, Decimal]) -> Document:
    return {name: number(amount) for name, amount in amounts.items()}


def _moment(moment: dt.datetime | dt.date | None) -> str | None:
    return moment.isoformat() if moment else None


def _position(position: Position) -> Document:
    return {
        "symbol": position.symbol,
        "name": position.name,
        "section": position.section,
        "market": position.market,
        "asset_type": position.asset_type,
        "quantity": number(position.quantity),
        "accounts": _amounts(position.accounts),
        "price": number(position.price),
        "currency": position.currency,
        "fx": number(position.fx),
        "price_source": position.price_source,
        "price_as_of": _moment(position.price_as_of),
        "stale": position.stale,
        "value": number(position.value),
        "weight": number(position.weight),
        "target": number(position.target),
        "drift": number(position.drift),
        "band": [number(position.low), number(position.high)],
        "status": position.status,
    }


def _section(section: SectionState) -> Document:
    return {
        "section": section.section,
        "target": number(section.target),
        "weight": number(section.weight),
        "drift": number(section.drift),
        "due": section.due,
        "next_due": _moment(section.next_due),
        "status": section.status,
        "breaches": list(section.breaches),
    }


def _trade(trade: Trade) -> Document:
    return {
        "account": trade.account,
        "symbol": trade.symbol,
        "side": trade.side,
        "quantity": number(trade.quantity),
        "price": number(trade.price),
        "currency": trade.currency,
        "amount": number(trade.amount),
        "cost": number(trade.cost),
        "tax": number(trade.tax),
        "reason": reason_sentence(trade.reason),
        "weight_after": number(trade.weight_after),
    }


def _conversion(conversion: Conversion) -> Document:
    return {
        "sell": conversion.sell,
        "buy": conversion.buy,
        "amount": number(conversion.amount),
        "rate": number(conversion.rate),
        "cost": number(conversion.cost),
        # Beyond the documented five: without these a reader could not reconcile the cash.
        "account": conversion.account,
        "bought": number(conversion.bought),
    }


def _cash(cash: CashState) -> Document:
    names = dict.fromkeys([*cash.accounts_before, *cash.accounts_after])
    return {
        "before": _amounts(cash.before),
        "after": _amounts(cash.after),
        "target_weight": number(cash.target_weight),
        "accounts": {
            name: {
                "before": _amounts(cash.accounts_before.get(name, {})),
                "after": _amounts(cash.accounts_after.get(name, {})),
            }
            for name in names
        },
    }


def _tax(tax: TaxEstimate) -> Document:
    values = {field.name: getattr(tax, field.name) for field in dataclasses.fields(tax)}
    return {
        name: number(value) if isinstance(value, Decimal) else list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
    }
