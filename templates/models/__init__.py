"""The model portfolios: each a portfolio document with what it says of itself; read from `templates/models`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Any

from engine.data.document import portfolio_from_data
from engine.errors import InputError, Problem
from engine.money import ZERO
from engine.portfolio import Holding, Portfolio
from templates.report import ModelFacts
from templates.spec.schema import Text

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
    "blank",
)


@dataclass(frozen=True, slots=True)
class ModelPortfolio:
    """Hold a model portfolio and what it says of itself."""

    facts: ModelFacts
    portfolio: Portfolio

    @property
    def weighted_fee(self) -> tuple[Decimal | None, Decimal]:
        """Return the fee weighted over the targets whose fee is known, and the weight that is known; a year."""
        known = [
            (target.weight, self.portfolio.instruments[target.symbol].expense_ratio)
            for _, target in self.portfolio.targets()
        ]
        priced = [(weight, fee) for weight, fee in known if fee is not None]
        covered = sum((weight for weight, _ in priced), ZERO)
        return (sum((w * fee for w, fee in priced), ZERO) / covered if covered else None), covered

    def ready(self) -> Portfolio:
        """Return the portfolio with a row for every target, so that only quantities have to be filled in."""
        held = {holding.symbol for holding in self.portfolio.holdings}
        rows = tuple(Holding(t.symbol, ZERO) for _, t in self.portfolio.targets() if t.symbol not in held)
        return replace(self.portfolio, holdings=self.portfolio.holdings + rows)


def load(key: str) -> ModelPortfolio:
    """Return a model; raises InputError for an unknown key, naming the known ones."""
    if key not in KEYS:
        from engine.text import nearest

        near = nearest(key, KEYS)
        repair = f"did you mean {near}?" if near else f"there are {', '.join(KEYS)}"
        ko = f"혹시 {near}인가요?" if near else f"{', '.join(KEYS)} 중에서 고르세요"
        message, ko = f"no model {key!r}: {repair}", f"모르는 모델 {key!r}: {ko}"
        raise InputError([Problem("error", "unknown-model", "command line", message, ko)])
    return _load(key)


def load_all() -> tuple[ModelPortfolio, ...]:
    """Return every model, in order."""
    return tuple(_load(key) for key in KEYS)


@lru_cache(maxsize=len(KEYS))
def _load(key: str) -> ModelPortfolio:
    import yaml

    text = (resources.files("templates") / "models" / f"{key}.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    facts = _facts(key, data.pop("model"))
    portfolio, problems = portfolio_from_data(data, f"model {key}")
    if portfolio is None:
        raise InputError(problems)
    return ModelPortfolio(facts, portfolio)


def _facts(key: str, data: Mapping[str, Any]) -> ModelFacts:
    return ModelFacts(
        key,
        Text(**data["title"]),
        Text(**data["summary"]),
        _number(data.get("expected_return")),
        _number(data.get("drawdown")),
        tuple(Text(**rule) for rule in data.get("rules", ())),
    )


def _number(value: object) -> Decimal | None:
    return None if value is None else Decimal(repr(value))
