"""Located rows into records, with every problem found: portfolios, prices, closes; from files, text or data."""

from engine.data.document import parse_portfolio, portfolio_from_data, read_portfolio
from engine.data.write import dump_portfolio

__all__ = ["dump_portfolio", "parse_portfolio", "portfolio_from_data", "read_portfolio"]
