"""Where problems are gathered, each at a path of the document such as portfolio.holdings[2].quantity."""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import Problem, Severity
from engine.places import place

#: The keys and item numbers (from 0) that lead to a place in a document.
Path = tuple[str | int, ...]
#: Tells in a person's words where a path is: file and line, or sheet, row and column.
Locate = Callable[[Path], str]


def dotted(path: Path) -> str:
    """Return a path in writing: ("portfolio", "holdings", 2) is `portfolio.holdings[2]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class Report:
    """Gather problems; `locate` turns each path into the words of its `where`."""

    def __init__(self, source: str, locate: Locate | None = None) -> None:
        self.source = source
        self.locate = locate
        self.problems: list[Problem] = []

    def where(self, path: Path, line: int | None = None) -> str:
        """Return the words for a place: `locate`'s, or source, line where known, and dotted path."""
        if self.locate is not None and line is None:
            return self.locate(path)
        start = self.source if line is None else f"{self.source} line {line}"
        return f"{start}: {dotted(path)}" if path else start

    def where_ko(self, path: Path) -> str:
        """Return the Korean words for a place."""
        return place(self.where(path), "ko")

    def add(self, severity: Severity, path: Path, code: str, message: str, ko: str, line: int | None = None) -> None:
        """Add one problem, in English and Korean."""
        self.problems.append(Problem(severity, code, self.where(path, line), message, ko))

    def error(self, path: Path, code: str, message: str, ko: str, line: int | None = None) -> None:
        """Add a problem that keeps the document from being used."""
        self.add("error", path, code, message, ko, line)

    def warning(self, path: Path, code: str, message: str, ko: str) -> None:
        """Add a problem that a person should look at before acting."""
        self.add("warning", path, code, message, ko)

    def info(self, path: Path, code: str, message: str, ko: str) -> None:
        """Add something a person should know."""
        self.add("info", path, code, message, ko)

    @property
    def failed(self) -> bool:
        """Tell whether any problem is an error."""
        return any(problem.severity == "error" for problem in self.problems)
