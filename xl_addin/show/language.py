"""The language that a reader is told things in, unless they say which."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping

from engine.words import LANGUAGES, Lang


def default_language(environ: Mapping[str, str] = os.environ) -> Lang:
    """Return the language of the locale in LC_ALL, LC_MESSAGES or LANG (the first one set), where there is one of ours.

    Where none is set, as on Windows, the system's own locale counts; what is not ours is told in English.
    """
    set_ones = (environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name))
    name = next(set_ones, None) or locale.getlocale()[0] or ""
    # Windows names Korean in full.
    return next((lang for lang in LANGUAGES if name.lower().startswith(lang)), LANGUAGES[0])
