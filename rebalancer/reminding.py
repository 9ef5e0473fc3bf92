"""Reminders: what a scheduler's check found, sent where a person reads it; and the line that has a computer check.

apprise sends (e-mail, webhooks, messengers, the desktop): each place is a URL. It is an extra that is not installed
unless asked for, and nothing is sent unless a place is named.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from subprocess import list2cmdline

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


def schedule(platform: str, python: str, files: Sequence[PurePath], urls: Sequence[str] = (), lang: str = "en") -> str:
    """Return what to paste so that a computer checks portfolios every Monday at nine, and sends what it finds.

    That is a command of PowerShell for Windows' Task Scheduler, commands of the shell that write launchd's property
    list on a Mac, and a line of cron's table elsewhere. None of these knows the person's language: it is named.
    """
    notify = [word for url in urls for word in ("--notify", url)]
    words = ["-m", "xl_addin", "plan", *map(str, files), "--check", "--brief", "--lang", lang, *notify]
    name = files[0].stem
    if platform == "win32":
        return _WINDOWS.format(
            name=_powershell(f"Rebalancer {name}"),
            python=_powershell(python),
            arguments=_powershell(list2cmdline(words)),
        )
    if platform == "darwin":
        arguments = "".join(f"    <string>{_xml(word)}</string>\n" for word in (python, *words))
        plist = _LAUNCHD.format(name=_xml(name), arguments=arguments)
        return _MAC.format(file=shlex.quote(f"rebalancer.{name}.plist"), plist=plist)
    return f"0 9 * * 1 {' '.join(shlex.quote(word).replace('%', chr(92) + '%') for word in (python, *words))}"


def _powershell(text: str) -> str:
    """Return a text as PowerShell takes it literally: it ends at typographic quotes too."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"


def _xml(text: str) -> str:
    from xml.sax.saxutils import escape

    return escape(text)


#: Made up for when the computer was off; on batteries too.
_WINDOWS = (
    "Register-ScheduledTask -Force -TaskName {name} -Action (New-ScheduledTaskAction -Execute {python} "
    "-Argument {arguments}) -Trigger (New-ScheduledTaskTrigger -Weekly -DaysOfWeek Monday -At 09:00) -Settings "
    "(New-ScheduledTaskSettingsSet -StartWhenAvailable -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries)"
)
_MAC = """mkdir -p ~/Library/LaunchAgents
cat > ~/Library/LaunchAgents/{file} <<'END'
{plist}END
launchctl load -w ~/Library/LaunchAgents/{file}
"""
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
