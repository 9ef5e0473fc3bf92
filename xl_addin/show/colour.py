"""Colour on a terminal, and only there; what colour says is always said in words too."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "loud": "1;30;43"}


@dataclass(frozen=True, slots=True)
class Paint:
    """Colour text, or leave it as it is where `enabled` is false."""

    enabled: bool = False

    def __call__(self, text: str, style: str = "") -> str:
        """Return the text in the style: bold, dim, red, green, yellow, cyan, loud; "" is plain."""
        if not self.enabled or not style:
            return text
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


def paint_for(stream: IO[str], environ: Mapping[str, str] = os.environ) -> Paint:
    """Return the paint for a stream: colours on a terminal that can show them, unless NO_COLOR says otherwise."""
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb" or not stream.isatty():
        return Paint()
    # The old Windows console prints escape codes as text; these two variables tell the ones that do not.
    capable = sys.platform != "win32" or "WT_SESSION" in environ or "TERM" in environ
    return Paint(enabled=capable)
