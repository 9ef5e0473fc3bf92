"""What each type of account may hold, as dated rows; a document may say otherwise for its own accounts."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class AccountRule:
    """What one type of account may hold: markets None means all, `risk_cap` the largest share of risk assets bought."""

    type: str
    markets: tuple[str, ...] | None
    risk_cap: Decimal | None
    banned: tuple[str, ...]
    source: str
    checked_on: dt.date


@lru_cache(maxsize=1)
def load() -> Mapping[str, AccountRule]:
    """Return the rule of every account type, read once from `account_rules.csv`."""
    text = resources.files("engine.costs").joinpath("account_rules.csv").read_text(encoding="utf-8")
    return {row["type"]: _rule(row) for row in csv.DictReader(text.splitlines())}


def _rule(row: dict[str, str]) -> AccountRule:
    return AccountRule(
        type=row["type"],
        markets=tuple(row["markets"].split("|")) if row["markets"] else None,
        risk_cap=Decimal(row["risk_cap"]) if row["risk_cap"] else None,
        banned=tuple(row["banned"].split("|")) if row["banned"] else (),
        source=row["source"],
        checked_on=dt.date.fromisoformat(row["checked_on"]),
    )
