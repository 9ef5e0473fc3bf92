"""From a workbook that a person has changed back to a portfolio, with every problem and the cell it is in."""

from templates.reading.book import ReadBook, read_book, read_portfolio_book

__all__ = ["ReadBook", "read_book", "read_portfolio_book"]
