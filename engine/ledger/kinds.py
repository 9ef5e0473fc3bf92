"""What may happen to a portfolio: the kinds of a ledger's entries. Nothing else is imported for them."""

from __future__ import annotations

from typing import Literal, get_args

EntryKind = Literal[
    "opening", "buy", "sell", "deposit", "withdrawal", "dividend", "interest", "fee", "exchange-out", "exchange-in",
    "split", "correction", "snapshot", "undo",
]  # fmt: skip
KINDS: tuple[EntryKind, ...] = get_args(EntryKind)
