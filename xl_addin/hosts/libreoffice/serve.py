"""The child process of the extension: a call per line on stdin, an answer per line on stdout, as JSON.

A call is {"name", "arguments"} and, where the function is to read the calling document, "tables" or "near", each
{title: rows}; or a pressed button, {"press", "document", "answers"}.
Dates come back as the day numbers that cells hold, None as an empty text.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from typing import Any, BinaryIO

from xl_addin.functions import function

_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's dates have no zone


def main() -> int:
    """Serve until stdin ends. What libraries print goes to stderr: stdout is for answers alone."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, answers)
    return 0


def serve(calls: BinaryIO, answers: BinaryIO) -> None:
    """Answer every call of a stream."""
    for line in calls:
        request = json.loads(line)
        answers.write(json.dumps({"answer": answer(request)}, allow_nan=False).encode() + b"\n")
        answers.flush()


def answer(request: dict[str, Any]) -> object:
    """Return what one call shows, or what a button does."""
    if "press" in request:
        return pressed(request)
    name, given = str(request["name"]), request["arguments"]
    arguments = list(given) if isinstance(given, list) else []
    spec = function(name)
    arguments.extend(request.get(hidden) for hidden in spec.hidden)
    return plain(spec.answer(arguments))


def pressed(request: dict[str, Any]) -> dict[str, Any]:
    """Return what a button does with a document, or what it has to ask first."""
    from xl_addin.buttons import press
    from xl_addin.hosts.libreoffice.document import Ask, Document

    document = Document(request["document"], request["answers"])
    try:
        press(str(request["press"]), document, formulas=False)
    except Ask as ask:
        return ask.question
    return document.answer()


def plain(value: object) -> object:
    """Return an answer as JSON has it."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dt.date):
        moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
        days = (moment - _EPOCH) / dt.timedelta(days=1)
        return int(days) if days == int(days) else days
    if isinstance(value, bool):
        return int(value)
    return "" if value is None else value


if __name__ == "__main__":
    sys.exit(main())
