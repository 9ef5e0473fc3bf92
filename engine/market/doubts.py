"""What speaks against a price, or against its being the newest.

A price is held against what is known before anybody trades on it: the last one that was believed, else the close before
that its source names; a rate at least against its order of magnitude. One that moved further than its market lets it
in a session is doubtful, until another vendor says the same. Two sources that are far apart about the same session
make it doubtful too; one that was never tried live (`UNVERIFIED`) may confirm a price, but not stop it.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from importlib import resources

from engine.errors import Problem, warning
from engine.market import calendars
from engine.market.catalogue import Listing, load
from engine.market.provider import Said
from engine.phrase import Phrase, phrase
from engine.quote import Quote, Split
from engine.settings import MarketSettings
from engine.text import fold

#: Sources whose shapes are known from others' reading alone: `rebalancer doctor --live` tries them.
UNVERIFIED = frozenset({"ecb", "frankfurter", "naver-rates", "naver-world", "cnbc", "naver-charts"})
#: Largest plausible move in a session: of Korea's exchange by rule (times the leverage), of others by custom; of rates.
LIMIT, RATE_LIMIT = Decimal("0.30"), Decimal("0.10")
#: What a Korean share may be worth on its first day, as parts of its offer: 60 % to 400 % since 2023-06-26.
FIRST_DAY = (Decimal("0.6"), Decimal(4))
#: For how long a split is told: somebody may still hold the quantity of before it in a file.
SPLIT_TOLD = dt.timedelta(days=15)
#: However many sessions passed, a factor beyond this is told; the second where the price before is older than `OLD`.
FAR, FARTHEST, OLD = Decimal(3), Decimal(8), dt.timedelta(days=60)
#: Factor by which a rate may differ from the bundled order of magnitude.
MAGNITUDE = Decimal(3)
#: Ratios that splits, and slips of the decimal point, leave; and how near one counts as it.
SPLITS, SLIPS, NEAR = (2, 3, 4, 5, 20, 50), (10, 100, 1000), Decimal("0.06")
#: Days within which two sources' rates are of the same time: a reference rate is one a day, weekends aside.
SAME_RATE = dt.timedelta(days=4)


def judged(
    one: Listing,
    quote: Quote,
    known: Quote | None,
    check: Quote | None,
    settings: MarketSettings,
    events: Mapping[dt.date, Decimal] | None = None,
) -> Quote:
    """Return the quote with what speaks against it, and with the split that it or an earlier one has seen.

    `known` is the last price believed, `check` another vendor's, `events` the splits that a source names.
    """
    split = recent(events or {}, quote) or quote.split or _carried(known, quote)
    quote = replace(quote, doubt=None, split=split)
    if check is not None and _comparable(one, quote, check):
        if _apart(quote, check) <= settings.doubtful:
            return replace(quote, split=split or likely_split(one, quote, known))
        if check.source not in UNVERIFIED and _same_session(quote, check):
            said = phrase("doubt.other-source", source=check.source)
            return _doubtful(one, quote, check.price, said, phrase("cause.sources"))
    if _is_first_day(one, quote, check):
        return _on_first_day(one, quote)
    if known is not None and known.currency == quote.currency and known.as_of and known.price > 0:
        if _is_far(one, quote, known):
            said = phrase("doubt.known", source=known.source, day=known.as_of.date())
            return _doubtful(one, quote, known.price, said, _cause(one, quote.price / known.price, split))
    elif quote.previous and _beyond(quote.price / quote.previous, limit(one, quote), 1):
        said = phrase("doubt.close-before")
        cause = _cause(one, quote.price / quote.previous, split, first=known is None)
        return _doubtful(one, quote, quote.previous, said, cause)
    usual = _magnitude(one.symbol) if one.market == "FX" else None
    if usual is not None and not 1 / MAGNITUDE < quote.price / usual < MAGNITUDE:
        about = Decimal(f"{Decimal(f'{usual:.3g}'):f}")
        inverted = abs(quote.price * usual - 1) < 1 - 1 / MAGNITUDE
        cause = phrase("cause.inverted") if inverted else _cause(one, quote.price / usual)
        return _doubtful(one, quote, about, phrase("doubt.magnitude"), cause)
    return quote


def likely_split(one: Listing, quote: Quote, known: Quote | None) -> Split | None:
    """Return the split that the ratio to a price of lately looks like, where the market does not move that far."""
    if known is None or known.currency != quote.currency or quote.as_of is None or one.market == "FX":
        return None
    ratio = known.price / quote.price
    if _days(known, quote) > SPLIT_TOLD or not _is_far(one, quote, known):
        return None
    times = next((n for n in (*SPLITS, *SLIPS) if abs(max(ratio, 1 / ratio) / n - 1) <= NEAR), None)
    if times is None:
        return None
    return Split(_day_of(one.market, quote.as_of), Decimal(times) if ratio > 1 else 1 / Decimal(times), named=False)


def recent(events: Mapping[dt.date, Decimal], quote: Quote) -> Split | None:
    """Return the last of the splits that is of the two weeks before a price, None where there is none."""
    if quote.as_of is None:
        return None
    last = quote.as_of.date() + dt.timedelta(days=1)
    days = [day for day in events if last - SPLIT_TOLD <= day <= last]
    return Split(max(days), events[max(days)]) if days else None


def _carried(known: Quote | None, quote: Quote) -> Split | None:
    """Return the split that the last price has seen, while that is worth telling."""
    split = known.split if known is not None else None
    return split if split is not None and recent({split.day: split.ratio}, quote) else None


def _is_first_day(one: Listing, quote: Quote, check: Quote | None) -> bool:
    """Tell whether a price is of the first day of trading; on it, Korean funds have the limits of any day."""
    day = quote.as_of and _day_of(one.market, quote.as_of)
    first = day is not None and day in (quote.listed, check.listed if check is not None else None)
    return first and not (one.market == "KR" and _is_fund(one, quote, check))


def _on_first_day(one: Listing, quote: Quote) -> Quote:
    """Judge a price of the first day of trading: Korean shares have limits of their own, others none."""
    base = quote.previous
    if one.market != "KR" or not base:
        return quote
    lowest, highest = FIRST_DAY
    if lowest * base <= quote.price <= highest * base:
        return quote
    return _doubtful(one, quote, base, phrase("doubt.offer"), _cause(one, quote.price / base))


def _is_fund(one: Listing, quote: Quote, check: Quote | None) -> bool:
    entry = load().get(one.symbol)
    kinds = (entry.instrument.asset_type if entry else "", quote.kind, check.kind if check is not None else "")
    return any(kind in ("etf", "etn", "fund") for kind in kinds)


def _day_of(market: str, moment: dt.datetime) -> dt.date:
    return calendars.local_date(market, moment) if market in calendars.REGULAR else moment.date()


def limit(one: Listing, quote: Quote) -> Decimal:
    """Return the largest plausible move of a session: 30 %, times the leverage of a leveraged fund; 10 % of a rate."""
    if one.market == "FX":
        return RATE_LIMIT
    entry = load().get(one.symbol)
    if entry is not None:
        times = abs(entry.instrument.leverage)
    else:
        name = fold(f"{one.name} {quote.name}")
        times = max((number for word, number in _leverage_words().items() if word in name), default=Decimal(1))
    return LIMIT * max(times, Decimal(1))


def manual(symbol: str, price: Decimal, known: Quote) -> Problem | None:
    """Return the warning that a price given by hand is far from the market's last one, None where it is not."""
    if price <= 0 or known.price <= 0 or not _beyond(price / known.price, LIMIT, 1):
        return None
    one = Listing(symbol, "OTHER")
    day = known.as_of.date() if known.as_of else None
    values = {"price": price, "other": known.price, "currency": known.currency, "source": known.source, "day": day}
    return warning("manual-price-far", symbol, **values, cause=_cause(one, price / known.price))


def _doubtful(one: Listing, quote: Quote, other: Decimal, against: Phrase, cause: Phrase) -> Quote:
    values = {"symbol": one.symbol, "source": quote.source, "price": quote.price, "currency": quote.currency}
    key = "doubt.rate" if one.market == "FX" else "doubt"
    return replace(quote, doubt=phrase(key, **values, against=against, other=other, cause=cause))


def _is_far(one: Listing, quote: Quote, known: Quote) -> bool:
    """Tell whether a price is further from an earlier one than its market makes in the sessions between them."""
    ratio, farthest = quote.price / known.price, FARTHEST if _days(known, quote) > OLD else FAR
    sessions = max(_sessions(one.market, known, quote), 1)
    return not 1 / farthest < ratio < farthest or _beyond(ratio, limit(one, quote), sessions)


def _beyond(ratio: Decimal, most: Decimal, sessions: int) -> bool:
    """Tell whether a ratio is beyond what so many sessions in a row can make; a fall by all of it is always."""
    least = max(1 - most, Decimal("0.05")) ** min(sessions, 100)
    return ratio <= least or ratio >= (1 + most) ** min(sessions, 100)


def _cause(one: Listing, ratio: Decimal, split: Split | None = None, *, first: bool = False) -> Phrase:
    """Return what most likely made a ratio of two prices; `first` says that the symbol was never priced before."""
    times = max(ratio, 1 / ratio)
    if split is not None and abs(ratio * split.ratio - 1) <= NEAR:
        return phrase("cause.split-event", **split_values(split))
    for slip in SLIPS:
        if abs(times / slip - 1) <= NEAR:
            return phrase("cause.slip" if one.market == "FX" or slip == 1000 else "cause.slip-or-split", times=slip)
    for whole in SPLITS:
        if one.market != "FX" and abs(times / whole - 1) <= NEAR:
            return phrase("cause.split", times=whole)
    if first and one.market == "KR" and FIRST_DAY[0] <= ratio <= FIRST_DAY[1]:
        return phrase("cause.jump-or-first-day", move=ratio - 1)
    return phrase("cause.jump", move=ratio - 1)


def split_values(split: Split) -> dict[str, object]:
    """Return a split as a message says it: so many new shares for so many old ones, from a day on."""
    new, old = Fraction(split.ratio).limit_denominator(1000).as_integer_ratio()
    return {"new": new, "old": old, "day": split.day}


def _sessions(market: str, known: Quote, quote: Quote) -> int:
    """Return how many sessions lie between two prices, at most 60; without a calendar the days."""
    days = min(_days(known, quote).days, 90)
    if market not in calendars.REGULAR or known.as_of is None or quote.as_of is None:
        return min(days, 60)
    first = calendars.local_date(market, known.as_of)
    last = calendars.local_date(market, quote.as_of)
    passed = (first + dt.timedelta(days=number) for number in range(1, min((last - first).days, 90) + 1))
    return sum(calendars.trading_day(market, day) is not None for day in passed)


def _days(known: Quote, quote: Quote) -> dt.timedelta:
    return abs(quote.as_of - known.as_of) if quote.as_of and known.as_of else dt.timedelta(0)


@lru_cache(maxsize=1)
def _leverage_words() -> Mapping[str, Decimal]:
    """Return the words in a fund's name that say its leverage."""
    return {fold(row["word"]): Decimal(row["times"]) for row in _rows("leverage_words.csv")}


def _magnitude(pair: str) -> Decimal | None:
    """Return about what a pair of currencies costs, None where nobody wrote it down."""
    per_dollar = {row["currency"]: Decimal(row["per_dollar"]) for row in _rows("magnitudes.csv")}
    first, second = per_dollar.get(pair[:3]), per_dollar.get(pair[3:])
    return second / first if first and second else None


@lru_cache(maxsize=2)
def _rows(name: str) -> tuple[Mapping[str, str], ...]:
    text = resources.files("engine.market").joinpath(name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def about(one: Listing, quote: Quote, check: tuple[str, Quote] | None, settings: MarketSettings) -> list[Problem]:
    """Return what is to be said beside a price: its doubt, another name than ours, a second source a little off."""
    problems = []
    if quote.doubt is not None:
        problems.append(warning("doubtful", one.symbol, doubt=quote.doubt))
    if quote.split is not None:
        key = "split-recent" if quote.split.named else "split-recent.likely"
        problems.append(warning(key, one.symbol, **split_values(quote.split)))
    if one.name and quote.name and not _same_name(one.name, quote.name):
        names = {"source": quote.source, "symbol": one.symbol, "theirs": quote.name, "ours": one.name}
        problems.append(warning("name-mismatch", one.symbol, **names))
    if check is not None and _comparable(one, quote, check[1]):
        second = check[1]
        apart = _apart(quote, second)
        if apart > settings.cross_check and quote.doubt is None:
            problems.append(
                warning(
                    "sources-disagree",
                    one.symbol,
                    first=quote.source,
                    price=quote.price,
                    second=second.source,
                    other=second.price,
                    currency=quote.currency,
                    apart=apart,
                )
            )
    return problems


def unrefreshed(found: Said, ok: Mapping[str, Quote], listings: Mapping[str, Listing]) -> list[Problem]:
    """Return one problem for each reason for which stored prices are shown instead of new ones."""
    reasons: dict[object, list[str]] = {}
    for text in ok:
        symbol = listings[text].symbol
        if symbol in found.errors and symbol not in found.prices:
            reasons.setdefault(found.error(symbol).message, []).append(text)
    return [warning("stored-price", ", ".join(texts), error=error) for error, texts in reasons.items()]


def _apart(quote: Quote, check: Quote) -> Decimal:
    return abs(quote.price - check.price) / quote.price


def _comparable(one: Listing, first: Quote, second: Quote) -> bool:
    """Tell whether two sources' prices are of the same day at the exchange; older ones differ rightly."""
    if first.source == second.source or first.as_of is None or second.as_of is None or first.price <= 0:
        return False
    if first.currency != second.currency:
        return False
    if one.market in calendars.REGULAR:
        return calendars.local_date(one.market, first.as_of) == calendars.local_date(one.market, second.as_of)
    return abs(first.as_of - second.as_of) <= SAME_RATE


def _same_session(first: Quote, second: Quote) -> bool:
    """Tell whether neither price is of hours in which the other's source shows none."""
    return first.session == second.session or not {first.session, second.session} & {"pre", "after"}


def _same_name(ours: str, theirs: str) -> bool:
    first, second = fold(ours), fold(theirs)
    return first in second or second in first
