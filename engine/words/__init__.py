"""Everything that is said to people: a catalogue of messages for each language, by key, and their one loader.

`en.po` and `ko.po` beside this file are the catalogues (gettext's format; `en.mo` and `ko.mo` are compiled from them).
A message has placeholders as `str.format` has them, with their number form: `{weight:.2%}`, `{amount:,}`,
`{day:%Y-%m-%d}`; what fills them may be another phrase, told in the same language. `{days:day|days}` is a number with
the word for one or for many behind it; a message with a plural of its own is chosen by the value `count`. What is said
in other words in a workbook stands under `KEY@workbook`. A third language is one more file.

Nothing that computes imports this: it is for whoever shows something (and for `str()` of a phrase).
"""

from __future__ import annotations

import gettext
import string
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import cache
from importlib import resources
from typing import Any

from engine.phrase import Audience, Phrase
from engine.words.korean import in_large_units, with_particles

Lang = str
#: English first: what another language lacks is said in it.
LANGUAGES: tuple[Lang, ...] = ("en", "ko")
#: What is done with a sentence once its placeholders are filled.
_FINISHED = {"ko": with_particles}
#: How a language writes amounts of many digits, in placeholders such as `{amount:large}`.
_LARGE: Mapping[str, Callable[[Any], str]] = {"ko": in_large_units}


def say(key: str, lang: Lang, **values: object) -> str:
    """Return the message `key` in a language, its placeholders filled. Raises KeyError for an unknown key."""
    return _filled(key, values, lang)


def tell(thing: object, lang: Lang, audience: Audience = "") -> str:
    """Return anything in a language: a phrase in its words, a tuple one after the other, a name or number as it is."""
    if isinstance(thing, Phrase):
        return _filled(thing.key, thing.values, lang, audience)
    if isinstance(thing, tuple):
        return ", ".join(tell(part, lang, audience) for part in thing)
    if isinstance(thing, Decimal):
        return f"{thing:f}"
    return str(thing)


def known(key: str) -> bool:
    """Tell whether there is a message of this key."""
    return _text(key, LANGUAGES[0], None) is not None


def messages(lang: Lang) -> Mapping[str, str]:
    """Return every message of a language by its key; of a plural, the form for many."""
    return {key if isinstance(key, str) else key[0]: text for key, text in _entries(lang).items() if key}


def _filled(key: str, values: Mapping[str, object], lang: Lang, audience: Audience = "") -> str:
    if audience and known(own := f"{key}@{audience}"):
        key = own
    count = values.get("count")
    number = int(count) if isinstance(count, (int, Decimal)) else None
    text = _text(key, lang, number)
    if text is None:
        text = _text(key, LANGUAGES[0], number)
    if text is None:
        raise KeyError(key)
    if not values:
        return text
    with localcontext(rounding=ROUND_HALF_UP):
        said = _Formatter(lang, audience).vformat(text, (), values)
    finish = _FINISHED.get(lang)
    return finish(said) if finish else said


class _Formatter(string.Formatter):
    """The placeholders of a message, filled in one language."""

    def __init__(self, lang: Lang, audience: Audience) -> None:
        self._lang, self._audience = lang, audience

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 - any value can be said
        if format_spec == "large":
            return _LARGE.get(self._lang, "{:,.0f}".format)(value)
        one, several, many = format_spec.partition("|")
        if several:
            return f"{value:,} {one if value == 1 else many}"
        return format(value, format_spec) if format_spec else tell(value, self._lang, self._audience)


def _text(key: str, lang: Lang, count: int | None) -> str | None:
    catalogue = _catalogue(lang)
    if count is not None:
        found = catalogue.ngettext(key, key, count)
        if found != key:
            return found
    found = catalogue.gettext(key)
    return None if found == key and key not in _entries(lang) else found


def _entries(lang: Lang) -> dict[Any, str]:
    entries: dict[Any, str] = _catalogue(lang)._catalog  # type: ignore[attr-defined]  # noqa: SLF001
    return entries


@cache
def _catalogue(lang: Lang) -> gettext.GNUTranslations:
    with (resources.files(__name__) / f"{lang}.mo").open("rb") as file:
        return gettext.GNUTranslations(file)
