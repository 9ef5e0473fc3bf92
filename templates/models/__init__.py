"""The model portfolios: each a portfolio document with what it says of itself; read from `templates/models`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Any

from engine.data.document import portfolio_from_data
from engine.errors import InputError, error
from engine.goals import carried
from engine.money import ZERO
from engine.phrase import place
from engine.portfolio import Holding, Portfolio
from engine.text import nearest
from templates.report import ModelFacts, weighted_fee

#: In the order in which they are listed.
KEYS = (
    "stable-growth",
    "growth",
    "all-weather",
    "tech-rotation",
    "low-volatility",
    "equal-sector",
    "cap-against-equal",
    "sixty-forty",
    "three-fund",
    "three-fund-equivalents",
    "all-weather-equivalents",
    "core-satellite-equivalents",
    "blank",
)


@dataclass(frozen=True, slots=True)
class ModelPortfolio:
    """A model portfolio, and what it says of itself."""

    facts: ModelFacts
    portfolio: Portfolio

    @property
    def weighted_fee(self) -> tuple[Decimal | None, Decimal]:
        """Return the fee weighted over the targets whose fee is known, and the weight that is known; a year."""
        known = self.portfolio.instruments
        targets = carried(self.portfolio).targets()
        return weighted_fee((t.weight, known[t.symbol].expense_ratio) for _, t in targets)

    def ready(self) -> Portfolio:
        """Return the portfolio with a row for every target, so that only quantities have to be filled in."""
        held = {holding.symbol for holding in self.portfolio.holdings}
        rows = tuple(Holding(symbol, ZERO) for symbol in self.portfolio.symbols if symbol not in held)
        return replace(self.portfolio, holdings=self.portfolio.holdings + rows)


def load(key: str) -> ModelPortfolio:
    """Return a model; raises InputError for an unknown key, naming the known ones."""
    if key not in KEYS:
        near = nearest(key, KEYS)
        variant = "unknown-model.near" if near else "unknown-model.all"
        raise InputError([error(variant, place("command-line"), model=key, near=near, models=KEYS)])
    return _load(key)


def load_all() -> tuple[ModelPortfolio, ...]:
    """Return every model, in order."""
    return tuple(_load(key) for key in KEYS)


@lru_cache(maxsize=len(KEYS))
def _load(key: str) -> ModelPortfolio:
    import yaml

    text = (resources.files("templates") / "models" / f"{key}.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    said = data.pop("model")
    facts = ModelFacts(key, _number(said.get("expected_return")), _number(said.get("drawdown")))
    portfolio, problems = portfolio_from_data(data, f"model {key}")
    if portfolio is None:
        raise InputError(problems)
    return ModelPortfolio(facts, portfolio)


def _number(value: object) -> Decimal | None:
    return None if value is None else Decimal(repr(value))
