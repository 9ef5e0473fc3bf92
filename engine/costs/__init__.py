"""Dated tables of commissions, taxes and ticks, and the arithmetic on them."""
