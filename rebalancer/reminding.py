"""Reminders: what a scheduler's check found, sent where a person reads it; and the line that has a computer check.

apprise sends (e-mail, webhooks, messengers, the desktop): each place is a URL. It is an extra that is not installed
unless asked for, and nothing is sent unless a place is named.
"""

from __future__ import annotations

import importlib.util
import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from engine.errors import Problem, error, warning
from engine.phrase import place


def reminder_problems(urls: Sequence[str]) -> tuple[Problem, ...]:
    """Return why reminders cannot be sent: apprise is not there, or a place is none; places are told by number only.

    A URL holds passwords: it is never shown.
    """
    if not urls:
        return ()
    where = place("command-line")
    if importlib.util.find_spec("apprise") is None:
        return (error("notify-missing", where),)
    import apprise

    return tuple(
        error("notify-unknown", where, number=number)
        for number, url in enumerate(urls, 1)
        if not apprise.Apprise().add(url)
    )


def send(urls: Sequence[str], title: str, body: str) -> Iterator[Problem]:
    """Send a reminder to every place; yield a warning for each that did not take it."""
    import apprise

    for number, url in enumerate(urls, 1):
        one = apprise.Apprise()
        if not one.add(url) or not one.notify(title=title, body=body):
            yield warning("notify-failed", place("command-line"), number=number)


def schedule(platform: str, python: str, files: Sequence[PurePath], urls: Sequence[str] = ()) -> str:
    """Return what to paste so that a computer checks portfolios every Monday at nine, and sends what it finds.

    That is a command for Windows' Task Scheduler, a property list for launchd on a Mac, and a line of cron's table
    elsewhere.
    """
    notify = [word for url in urls for word in ("--notify", url)]
    words = [python, "-m", "xl_addin", "plan", *map(str, files), "--check", "--brief", *notify]
    name = files[0].stem
    if platform == "win32":
        inner = " ".join(f'\\"{word}\\"' if " " in word or "\\" in word else word for word in words)
        return f'schtasks /Create /TN "Rebalancer {name}" /SC WEEKLY /D MON /ST 09:00 /TR "{inner}"'
    if platform == "darwin":
        arguments = "".join(f"    <string>{_xml(word)}</string>\n" for word in words)
        return _LAUNCHD.format(name=_xml(name), arguments=arguments)
    return f"0 9 * * 1 {' '.join(shlex.quote(word).replace('%', chr(92) + '%') for word in words)}"


def _xml(text: str) -> str:
    from xml.sax.saxutils import escape

    return escape(text)


_LAUNCHD = """<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0">
<dict>
  <key>Label</key><string>rebalancer.{name}</string>
  <key>ProgramArguments</key>
  <array>
{arguments}  </array>
  <key>StartCalendarInterval</key>
  <dict><key>Weekday</key><integer>1</integer><key>Hour</key><integer>9</integer><key>Minute</key><integer>0</integer></dict>
</dict>
</plist>
"""
