"""The one clock: whatever depends on the day asks here, and tests need to stop one clock only."""

from __future__ import annotations

import datetime as dt


def today() -> dt.date:
    """Return this computer's date."""
    return dt.datetime.now().astimezone().date()
