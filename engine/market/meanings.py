"""What the codes and names that people write mean: from the catalogue, else from a source's list of ETFs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence

from engine.errors import MarketDataError, SymbolUnknown
from engine.market.catalogue import Catalogue
from engine.market.listing import Listing, resolve
from engine.market.provider import Deadline
from engine.market.store import Store

#: Seconds between two fetches of the list of ETFs.
LIST_AGE = 86400.0


class Meanings:
    """Remember what codes and names mean; `etfs` fetches a source's list, where there is one."""

    def __init__(
        self, store: Store, catalogue: Catalogue, etfs: Callable[[Deadline], Iterable[Listing]] | None
    ) -> None:
        self._store, self._catalogue, self._etfs = store, catalogue, etfs
        self._known: dict[str, Listing] = {}

    def listing(self, text: str) -> Listing:
        """Return what a code or name means; raises SymbolUnknown."""
        if text not in self._known:
            self._known[text] = resolve(text, self._catalogue, self._store.listed)
        return self._known[text]

    def resolved(
        self, symbols: Sequence[str], now: dt.datetime, deadline: Deadline, *, offline: bool
    ) -> tuple[dict[str, Listing], dict[str, MarketDataError]]:
        """Return what each code or name means, and an error for each that means nothing."""
        listings: dict[str, Listing] = {}
        failed: dict[str, MarketDataError] = {}
        for text in symbols:
            try:
                listings[text] = self.listing(text)
            except SymbolUnknown as error:
                failed[text] = error
        if failed and not offline and self._extend(now, deadline):
            for text in list(failed):
                try:
                    listings[text] = self.listing(text)
                    del failed[text]
                except SymbolUnknown:
                    continue
        return listings, failed

    def forget(self) -> None:
        """Forget every meaning: it is looked up again."""
        self._known = {}

    def _extend(self, now: dt.datetime, deadline: Deadline) -> bool:
        """Fetch the list of Korean ETFs, once a day, when a name is not in the catalogue; tell whether it was."""
        age = self._store.listings_age(now)
        if self._etfs is None or (age is not None and 0 <= age < LIST_AGE):
            return False
        try:
            self._store.put_listings(self._etfs(Deadline(deadline.left / 2)), now)
            self._known = {}
        except MarketDataError:
            return False  # the name stays unknown, and the error already names the nearest ones
        return True
