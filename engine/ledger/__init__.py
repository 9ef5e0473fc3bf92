"""What happened to a portfolio, entry by entry: the record, what follows from it, and what it returned."""
