"""The check that a plan's cash adds up: what the formulas of the table Reconcile come to."""

from __future__ import annotations

from templates.arithmetic import Number, add, negative, number
from templates.report import CellError, Report, Row, Value


def reconcile(report: Report, row: Row) -> Row:
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
