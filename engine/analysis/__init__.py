"""What a portfolio is like: correlation, comparison, review, risk."""
