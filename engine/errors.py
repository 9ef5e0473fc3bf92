"""One tree of errors, and the problem that a person can mend.

RebalancerError
├── InputError              the person's input cannot be used; carries every problem found
│   ├── ImpossibleError     the request is well-formed but no plan can satisfy it
│   └── PlanNotFoundError   no plan was found for it, and none is proven to be impossible
└── MarketDataError         a price, rate, history or fact could not be had (or trusted)
    ├── SymbolUnknown       the source does not know the symbol
    ├── NoData              the source knows the symbol but has nothing for it
    ├── RateLimited         too many requests; `retry_after` says when
    ├── AuthRequired        the source wants a login and none is configured
    ├── AuthFailed          the login was refused
    ├── Blocked             the source has shut this address out
    ├── Transient           the network or the source failed; later may work
    ├── SchemaChanged       the answer no longer has the shape it had
    ├── Stale               there is a price, but too old to act on
    └── Doubtful            there is a price, but what is known speaks against it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from engine.phrase import Audience, Phrase, phrase, place

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do about it.

    `code` is a stable kebab-case name for programs; `where` names file or sheet, row and column (or the path
    inside a document), a plain name where it is only data; `message` carries the value, the permitted range and the
    repair. `str()` of either is English.
    """

    severity: Severity
    code: str
    where: str | Phrase
    message: Phrase

    def said(self, lang: str, audience: Audience = "") -> str:
        """Return the message in a language."""
        return self.message.told(lang, audience)

    def placed(self, lang: str) -> str:
        """Return where it is, in a language."""
        return self.where.told(lang) if isinstance(self.where, Phrase) else self.where

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: {self.message} [{self.code}]"


def error(key: str, where: str | Phrase, **values: object) -> Problem:
    """Return a problem that stops: `key` is its message's key, whose part before the first point is its code."""
    return _problem("error", key, where, values)


def warning(key: str, where: str | Phrase, **values: object) -> Problem:
    """Return a problem to look at before acting; see `error`."""
    return _problem("warning", key, where, values)


def note(key: str, where: str | Phrase, **values: object) -> Problem:
    """Return something worth knowing; see `error`."""
    return _problem("info", key, where, values)


def _problem(severity: Severity, key: str, where: str | Phrase, values: Mapping[str, object]) -> Problem:
    return Problem(severity, key.partition(".")[0], where, phrase(key, **values))


class RebalancerError(Exception):
    """The root of every error that this project raises on purpose."""


class InputError(RebalancerError):
    """Input that cannot be used, with every problem found in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ImpossibleError(InputError):
    """A well-formed request that no plan can satisfy: which constraint stops it, and by how much."""


class PlanNotFoundError(InputError):
    """A well-formed request for which the search ended without a plan, and without a proof that there is none."""


class MarketDataError(RebalancerError):
    """Market data that could not be had; `problems` lists every symbol concerned, where there are several.

    `retry_after` is in seconds.
    """

    def __init__(
        self,
        message: Phrase,
        *,
        symbol: str = "",
        source: str = "",
        retry_after: float | None = None,
        problems: Iterable[Problem] = (),
    ) -> None:
        self.message = message
        self.symbol = symbol
        self.source = source
        self.retry_after = retry_after
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(message)

    def __str__(self) -> str:
        return str(self.message)

    def said(self, lang: str, audience: Audience = "") -> str:
        """Return the message in a language."""
        return self.message.told(lang, audience)

    def listed(self) -> tuple[Problem, ...]:
        """Return its list of problems, or itself as one, whose code is the error's name."""
        if self.problems:
            return self.problems
        code = re.sub("(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()
        where = " ".join(part for part in (self.source, self.symbol) if part) or place("market-data")
        if self.retry_after is None:
            return (Problem("error", code, where, self.message),)
        return (Problem("error", code, where, phrase("try-again", what=self.message, seconds=self.retry_after)),)


class SymbolUnknown(MarketDataError):
    """A symbol that the source does not know."""


class NoData(MarketDataError):
    """A known symbol without data."""


class RateLimited(MarketDataError):
    """Too many requests; `retry_after` is in seconds."""


class AuthRequired(MarketDataError):
    """A missing login."""


class AuthFailed(MarketDataError):
    """A refused login."""


class Blocked(MarketDataError):
    """An address that the source has shut out."""


class Transient(MarketDataError):
    """A failure that may pass by itself."""


class SchemaChanged(MarketDataError):
    """An answer of an unexpected shape."""


class Stale(MarketDataError):
    """Data too old to act on."""


class Doubtful(MarketDataError):
    """A price that what is known speaks against: not to be traded on before a person or a second source confirms it."""
