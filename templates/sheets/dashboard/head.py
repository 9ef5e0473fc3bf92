"""The head of the Dashboard: a banner that says what is wrong, where the prices are from, alerts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from engine.market.quote import SAMPLE_SOURCE
from templates.sheets import checks
from templates.sheets.dashboard.pen import Line, Pen
from templates.sheets.tables import coloured
from templates.styles import PALE_RED, RED

_BANNER_ROW, _ALERT_ROW = 3, 4


def banner(pen: Pen) -> None:
    """Write the lines above the figures."""
    failed = next((c for c in checks.checks(pen.figures, pen.lang) if c.outcome == "PROBLEM"), None)
    value = pen.say("banner.ok")
    if failed is not None:
        value = f"{pen.say('banner.fail')}{pen.say(f'checks.{failed.key}')} – {failed.text}"
    found = 'MATCH("PROBLEM",Checks_Result,0)'
    text = f'{{!banner.fail}}&INDEX(Checks_Check,{found})&" – "&INDEX(Checks_Detail,{found})'
    pen.write(_BANNER_ROW, 2, Line(f"IF(ChecksFailed=0,{{!banner.ok}},{text})", value), "banner")
    pen.sheet.row_dimensions[_BANNER_ROW].height = 22
    rule = coloured(f'LEFT($B${_BANNER_ROW},1)="✖"', RED, PALE_RED)
    pen.sheet.conditional_formatting.add(f"B{_BANNER_ROW}:N{_BANNER_ROW}", rule)
    pen.put(2, 2, _provenance(pen), "band")
    alerts = list(_alerts(pen))
    if alerts:
        for column in range(2, 15):
            pen.put(_ALERT_ROW, column, None, "alert")
        pen.put(_ALERT_ROW, 2, "   ".join(alerts), "alert")


def _provenance(pen: Pen) -> str:
    parts = []
    if pen.report.as_of:
        parts.append(f"{pen.say('as-of')} {pen.report.as_of}")
    sources: dict[str, list[str]] = {}
    for row in pen.figures.tables["Prices"]:
        if row.get("Source"):
            dates = sources.setdefault(str(row["Source"]), [])
            moment = row.get("AsOf")
            if isinstance(moment, dt.date):
                dates.append(f"{moment:%Y-%m-%d}")
    if sources:
        told = (f"{name} {min(dates)}" if dates else name for name, dates in sources.items())
        parts.append(f"{pen.say('prices-of')} {', '.join(told)}")
    if pen.canvas.literal:
        parts.append(pen.say("weights-only-note" if pen.canvas.rounded else "share-note"))
    return "  ·  ".join(parts)


def _alerts(pen: Pen) -> Iterator[str]:
    prices = pen.figures.tables["Prices"]
    if any(row.get("Source") == SAMPLE_SOURCE for row in prices):
        yield pen.say("sample-prices")
    stale = [str(row["Ticker"]) for row in prices if row.get("Status") == "stale"]
    if stale:
        yield f"{pen.say('stale-prices')}: {', '.join(stale[:8])}{' …' if len(stale) > 8 else ''}"
