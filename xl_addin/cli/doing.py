"""What a person sees of a step that takes long, and how Ctrl-C ends a search with the best plan so far."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.words import Lang, say
from xl_addin.show.terminal import stoppable, waiting

if TYPE_CHECKING:
    from engine.trades.highs import Watch


@contextmanager
def doing(what: str, lang: Lang) -> Iterator[Watch | None]:
    """Show on a terminal what is being done ("prices", "plan", "pdf"); for a plan, give what watches the search."""
    with waiting(say(f"doing.{what}", lang)) as show:
        if what != "plan":
            yield None
            return
        with stoppable() as stopped:
            yield _watch(show, stopped, lang)


def _watch(show: Callable[[str], None], stopped: Callable[[], bool], lang: Lang) -> Watch:
    """Return what shows how far a search is, in as many digits as one reads, and ends it when that is wanted."""
    shown = ""

    def watch(best: float, bound: float) -> bool:
        nonlocal shown
        if stopped():
            show(say("doing.plan.stopping", lang))
            return True
        gap = (best - max(bound, 0.0)) / best if 0 < best < math.inf else math.inf
        text = say("doing.plan.gap", lang, gap=max(gap, 0.0)) if gap < 1 else say("doing.plan.stoppable", lang)
        if text != shown:
            shown = text
            show(text)
        return False

    return watch
