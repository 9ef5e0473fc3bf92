"""Portfolio documents: text, files or plain data into a Portfolio with every problem found, and back into text."""

from engine.data.parse import parse_portfolio, portfolio_from_data, read_portfolio
from engine.data.write import dump_portfolio

__all__ = ["dump_portfolio", "parse_portfolio", "portfolio_from_data", "read_portfolio"]
