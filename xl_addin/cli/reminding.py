"""`plan --check --notify URL`: what a check found, and that one failed, told where a person reads it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from engine.errors import InputError, MarketDataError, Problem, error
from engine.phrase import place
from engine.plan import Plan
from engine.words import Lang, say


def check_notify(urls: Sequence[str], *, check: bool) -> tuple[str, ...]:
    """Return the places to tell: none without a check. Raises InputError where that cannot be."""
    if not check:
        if urls and _named_here():
            raise InputError([error("bad-argument.notify-without-check", place("command-line"))])
        return ()
    if urls:
        from rebalancer.reminding import reminder_problems

        if problems := reminder_problems(urls):
            raise InputError(problems)
    return tuple(urls)


def schedule_line(files: Sequence[Path], urls: Sequence[str], lang: Lang) -> str:
    """Return what to paste so that this computer checks portfolios every week, and where to paste it.

    Raises InputError for places that cannot be told: a scheduler would fail every week, unseen.
    """
    from rebalancer.reminding import reminder_problems, schedule

    given = urls if _named_here() else ()
    if problems := reminder_problems(given):
        raise InputError(problems)
    platform = sys.platform if sys.platform in ("win32", "darwin") else "cron"
    text = schedule(platform, sys.executable, [file.resolve() for file in files], given, lang)
    silent = "" if given else f"\n{say('said.schedule-silent', lang)}\n"
    return f"{say(f'said.schedule-{platform}', lang)}\n\n{text.rstrip()}\n{silent}"


def _named_here() -> bool:
    """Tell whether the places were named on the command line, not by the environment."""
    source = click.get_current_context().get_parameter_source("notify")
    return source is click.core.ParameterSource.COMMANDLINE


@contextmanager
def telling_failure(urls: Sequence[str], files: Sequence[Path], lang: Lang) -> Iterator[None]:
    """Tell the places, too, why a check could not be made: a scheduler's own report is read by nobody."""
    try:
        yield
    except (InputError, MarketDataError) as fault:
        problems = fault.problems if isinstance(fault, InputError) else fault.listed()
        told = [f"{one.placed(lang)}: {one.said(lang)}" for one in problems if one.severity == "error"]
        tell(urls, say("notify.failed", lang, file=", ".join(file.name for file in files)), "\n".join(told), lang)
        raise


def tell_need(urls: Sequence[str], made: Plan, file: Path, lang: Lang) -> None:
    """Tell the places what is to be done, and why."""
    from xl_addin.show.text import notice

    tell(urls, say("notify.needed", lang, name=made.name or file.stem), notice(made, lang), lang)


def tell(urls: Sequence[str], title: str, body: str, lang: Lang) -> None:
    """Send to every place; what does not go through is said on stderr, and fails nothing."""
    if not urls:
        return
    from rebalancer.reminding import send
    from xl_addin.show.terminal import paint_for, problem_lines

    problems: list[Problem] = list(send(urls, title, body))
    sys.stderr.writelines(f"{line}\n" for line in problem_lines(problems, lang, paint_for(sys.stderr)))
