"""JSON text, as scripts read it."""

from __future__ import annotations

import json

<<<<<<< HEAD
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
=======
from engine.documents import Document
>>>>>>> main


def dump(document: Document) -> str:
    """Return the document as indented JSON text, ending in a newline."""
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
