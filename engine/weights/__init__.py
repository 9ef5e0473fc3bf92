"""Target weights by rule: equal, capitalisation, equal sector."""
