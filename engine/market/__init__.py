"""Prices, rates, history and fund facts: the only part of the engine that may reach the network."""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())
