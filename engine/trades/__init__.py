"""The trade problem: arrays, bound, search, exact solution, and the plan in exact money."""
