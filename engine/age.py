"""Whether a dated price is too old for the day of a plan, whoever it comes from."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from engine.quote import Quote
from engine.text import Bilingual

#: Calendar days before the plan's day beyond which a price is stale. KRX and NYSE never close for longer: the longest
#: closures, those of Lunar New Year and Chuseok with the weekends around them, are shorter.
LONGEST_CLOSURE_DAYS = 10


def aged(quote: Quote, as_of: dt.date) -> Quote:
    """Return the quote, marked stale where its own day is too long before `as_of`.

    A reason that it already has stays, and so does a quote without a date: nothing says how old it is.
    """
    if quote.as_of is None or quote.stale:
        return quote
    day = quote.as_of.date()
    days = (as_of - day).days
    if days <= LONGEST_CLOSURE_DAYS:
        return quote
    reason = Bilingual(
        f"of {day}, {days:,} days before the plan's day, {as_of}",
        f"{day} 시세, 계획 기준일 {as_of}보다 {days:,}일 전",
    )
    return replace(quote, stale_reason=reason)
