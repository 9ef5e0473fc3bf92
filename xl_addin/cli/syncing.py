"""The same portfolio on several computers."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.words import Lang, say
from xl_addin.cli.frame import OneOf, argument, command, option
from xl_addin.cli.options import lang_option, portfolio_file


@command("sync")
@portfolio_file
@argument("url", metavar="URL")
@option("--take", type=OneOf(("mine", "theirs")), default=None)
@lang_option
def sync(*, file: Path, url: str, take: str | None, lang: Lang) -> None:
    """Bring the file and what is at the URL to the same state, and say what that took."""
    from rebalancer.syncing import passphrase_of
    from rebalancer.syncing import sync as bring_together

    side = "mine" if take == "mine" else "theirs" if take == "theirs" else ""
    done = bring_together(file, url, take=side, passphrase=passphrase_of(url), lang=lang)
    kind = "both" if done.sent and done.taken else "sent" if done.sent else "taken" if done.taken else "same"
    sys.stdout.write(say(f"said.synced-{kind}", lang, path=file, url=url, number=done.number) + "\n")
