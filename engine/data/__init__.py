"""Located rows into records, with every problem found: portfolios, prices, closes; from files, text or plain data."""
