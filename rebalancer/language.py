"""The language of reports and workbooks: English or Korean."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping

from engine.words import LANGUAGES, Lang

__all__ = ["LANGUAGES", "Lang", "default_language"]


def default_language(environ: Mapping[str, str] = os.environ) -> Lang:
    """Return Korean where the locale in LC_ALL, LC_MESSAGES or LANG (the first one set) is Korean, else English.

    Where none is set, as on Windows, the system's own locale counts.
    """
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(name):
            return "ko" if value.lower().startswith("ko") else "en"
    return "ko" if (locale.getlocale()[0] or "").lower().startswith("ko") else "en"
