"""The same portfolio on several computers."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from engine.errors import Problem, warning
from engine.merging import Change
from engine.words import Lang, say
from xl_addin.cli.frame import OneOf, argument, command, option
from xl_addin.cli.options import lang_option, portfolio_file
from xl_addin.show.terminal import paint_for, problem_lines


@command("sync")
@portfolio_file
@argument("url", metavar="[URL]", required=False, default="")
@option("--take", type=OneOf(("mine", "theirs")), default=None)
@option("--copies", type=OneOf(("merge", "leave")), default=None)
@lang_option
def sync(*, file: Path, url: str, take: str | None, copies: str | None, lang: Lang) -> None:
    """Bring the file and what is at the URL to the same state, and say what that took."""
    from rebalancer.shelf import passphrase_of
    from rebalancer.syncing import remembered_url, whole_place
    from rebalancer.syncing import sync as bring_together

    side = "mine" if take == "mine" else "theirs" if take == "theirs" else ""
    merged = _copies(file, side, copies, lang)
    url = whole_place(url) or remembered_url(file)
    if merged and not url:
        return
    done = bring_together(file, url, take=side, passphrase=passphrase_of(url), lang=lang)
    kind = "both" if done.sent and done.taken else "sent" if done.sent else "taken" if done.taken else "same"
    sys.stdout.write(say(f"said.synced-{kind}", lang, path=file, url=url, number=done.number) + "\n")
    _show(done.changes, done.problems, lang)


def _copies(file: Path, take: str, wanted: str | None, lang: Lang) -> bool:
    """Merge what a cloud put beside the file, where that is wanted; return whether anything was."""
    from rebalancer.copies import copies_of, merge_copy

    if wanted == "leave" or not file.is_file():
        return False
    merged = False
    for copy in copies_of(file):
        agreed = wanted == "merge"
        if wanted is None and sys.stdin.isatty() and sys.stdout.isatty():
            agreed = click.confirm(say("said.sync-copy-ask", lang, file=copy.name, path=file.name), default=False)
        if not agreed:
            _show((), [warning("sync-copy-found", str(file), file=copy.name)], lang)
            continue
        changed, kept = merge_copy(file, copy, take=take, lang=lang)
        sys.stdout.write(say("said.sync-copy", lang, file=copy.name, path=file, kept=kept.name) + "\n")
        _show(changed, (), lang)
        merged = True
    return merged


def _show(changed: Iterable[Change], problems: Iterable[Problem], lang: Lang) -> None:
    sys.stdout.writelines(f"  {one.told.told(lang)}\n" for one in changed)
    sys.stderr.writelines(f"{line}\n" for line in problem_lines(list(problems), lang, paint_for(sys.stderr)))
