"""The words that cells hold in place of codes: what a status, a side, a section is called in each language.

English workbooks hold the codes themselves, as functions and JSON do; another language's hold its words, and both are
understood in either. A word is the message `word.<kind>.<code>`, or of the catalogue's older entries in `_KEYS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import get_args

from engine.ledger.kinds import KINDS as ENTRY_KINDS
from engine.market import catalogue
from engine.portfolio import ACCOUNT_TYPES, ASSET_TYPES, MARKETS, TRAITS
from engine.settings import Schedule, Settings, setting_fields
from engine.text import fold
from engine.words import LANGUAGES, Lang, known, say

STATUSES = ("OK", "OVER", "UNDER", "NO_TARGET", "LOCKED", "DISABLED")
SECTIONS = ("core", "satellite", "all")
SCHEDULES: tuple[str, ...] = get_args(Schedule)
#: The classes that everyone knows, as drop-downs offer them.
CLASSES = tuple(catalogue.asset_classes())
ASSET_CLASSES = ("equity", "bond", "commodity", "cash", "mixed")
#: What stands for "no restriction" where an empty cell means the default of the account's type.
ANY, NONE = "any", "none"
#: What stands beside a target whose band high volatility has widened.
HIGH = "high"
SUMMARY_KEYS = (
    "as_of", "total_value", "cash", "drift", "needs_rebalancing", "next_due", "weighted_ter", "objective", "bound",
    "gap", "method", "misplaced", "rung", "transaction_tax", "overseas_tax", "dividend_tax", "problems", "acts",
)  # fmt: skip

#: The figures of the Performance sheet, in their order.
MEASURES = (
    "from", "to", "value", "paid_in", "gain", "time_weighted", "time_weighted_yearly", "money_weighted", "benchmark",
    "benchmark_yearly", "dividends", "costs", "taxes", "realised_average", "realised_fifo", "turnover", "drift",
    "days_outside",
)  # fmt: skip

RULES = (
    "maximum", "minimum", "group-maximum", "group-minimum", "leveraged-total", "leveraged-fund", "gross-exposure",
    "single-name", "core-minimum", "core-maximum", "core-fee", "core-aum", "core-tracking-error", "core-total-return",
    "portfolio-fee", "volatility-band", "risk-asset-cap", "banned", "overseas-allowance", "isa-year", "isa-total",
    "pension-year",
)  # fmt: skip
SCOPES = ("portfolio", "core", "company", "rotation")

#: The codes of each kind of word, in the order in which they are offered.
KINDS: Mapping[str, tuple[str, ...]] = {
    "side": ("buy", "sell"),
    "status": STATUSES,
    "section": (*SECTIONS, "tax", "dividends", "strategy"),
    "schedule": SCHEDULES,
    "asset_type": ASSET_TYPES,
    "asset_class": ASSET_CLASSES,
    "class": CLASSES,
    "preference": ("rule", *CLASSES),
    "market": (*MARKETS, ANY, NONE),
    "account_type": ACCOUNT_TYPES,
    "trait": (*TRAITS, NONE),
    "restriction": (ANY, NONE),
    "volatility": (HIGH,),
    "cash": ("OK", "DIFFERS", "NEGATIVE"),
    "check": ("OK", "CHECK", "PROBLEM"),
    "rule": RULES,
    "scope": SCOPES,
    "limit": ("OK", "BREACH", "UNKNOWN"),
    "verdict": ("HOLD", "REVIEW", "REPLACE"),
    "due": ("due",),
    "severity": ("error", "warning", "info"),
    "price": ("fresh", "manual", "sample", "stale", "doubtful", "missing"),
    "source": ("manual", "sample", "none"),
    "summary": SUMMARY_KEYS,
    "entry": ENTRY_KINDS,
    "measure": MEASURES,
    "method": ("proven", "bounded", "unproven"),
    "setting": ("name", "base_currency", *(one.name for one in fields(Settings) if one.name != "costs")),
    **{f"setting.{name}": tuple(one["choices"]) for name, one in setting_fields().items() if one["choices"]},
}
_KEYS = {"side": "side", "status": "status", "rule": "rule", "scope": "scope", "section": "section",
         "setting.fractional": "word.market", "entry": "entry-kind"}  # fmt: skip
#: Kinds of words that are the classes of the catalogue, in its names.
_CLASSED = ("class", "preference")


def spoken(kind: str, code: object, lang: Lang) -> object:
    """Return what a cell holds for a code: its word in a language, or what was given where it has none."""
    if lang == LANGUAGES[0] or not kind or not isinstance(code, str):
        return code
    return _words(kind, lang).get(code) or _pieces(kind, code, lang)


def meant(kind: str, text: str) -> str:
    """Return the code that a word of any language means; a text that is no word of the kind stays as it is.

    >>> meant("setting.mode", "Buy only")
    'buy-only'
    """
    found = _meanings(kind).get(fold(text))
    if found is None and kind in _CLASSED:
        return catalogue.class_named(text) or text
    if found is None and kind == "summary":
        head, _, tail = text.partition(" ")
        acts = _meanings(kind).get(fold(head), head)
        return f"acts.{meant('section', tail)}" if acts == "acts" and tail else text
    return text if found is None else found


def choices(kind: str, codes: Sequence[str], lang: Lang) -> tuple[str, ...]:
    """Return what a drop-down offers for some codes."""
    return tuple(str(spoken(kind, code, lang)) for code in codes)


def every_word(kind: str, code: str) -> tuple[str, ...]:
    """Return the code and its words in every language but English, whose cells hold the code."""
    return tuple(dict.fromkeys(str(spoken(kind, code, lang)) for lang in LANGUAGES))


def _pieces(kind: str, code: str, lang: Lang) -> str:
    """Return a code of several words: a list, or the decision of a section."""
    if kind == "summary" and code.startswith("acts."):
        return f"{_words(kind, lang)['acts']} {spoken('section', code.removeprefix('acts.'), lang)}"
    if ", " in code:
        return ", ".join(str(spoken(kind, part, lang)) for part in code.split(", "))
    return code


@cache
def _words(kind: str, lang: Lang) -> Mapping[str, str]:
    if kind in _CLASSED:
        named = {one.name: one.called(lang) for one in catalogue.asset_classes().values()}
        return named if kind == "class" else {"rule": say("word.preference.rule", lang), **named}
    keys = {code: f"{_KEYS.get(kind, f'word.{kind}')}.{code}" for code in KINDS[kind]}
    return {code: say(key, lang) for code, key in keys.items() if known(key)}


@cache
def _meanings(kind: str) -> Mapping[str, str]:
    found = {fold(code): code for code in KINDS[kind]}
    for lang in LANGUAGES:
        for code, word in _words(kind, lang).items():
            found.setdefault(fold(word), code)
    if kind == "entry":
        from engine.data.brokers.transactions import kinds_by_word

        found = {word: code for word, code in kinds_by_word().items() if code in ENTRY_KINDS} | found
    return found
