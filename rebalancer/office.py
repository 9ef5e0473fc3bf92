"""LibreOffice as a program of its own: found, run with what it needs around it, and asked to save a file as another."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from engine.errors import InputError, error
from engine.phrase import Phrase, phrase

_PATIENCE = 120
#: Where its own Python is looked for first: the first python3 on the path becomes its home, and that of a virtual
#: environment, or of one's own making, has no `uno`. LibreOffice then ends with std::bad_alloc.
_SYSTEM = ("/usr/bin", "/bin")
_OF_PYTHON = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE")


def office() -> str | None:
    """Return the program, None where it is not on the path."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment in which LibreOffice finds its own Python, whatever Python this is."""
    kept = {name: value for name, value in environ.items() if name not in _OF_PYTHON}
    if os.name == "posix":
        others = (folder for folder in environ.get("PATH", "").split(os.pathsep) if folder not in _SYSTEM)
        kept["PATH"] = os.pathsep.join((*_SYSTEM, *others))
    return kept


def converted(program: str, data: bytes, suffix: str, wanted: str, *, where: str) -> bytes:
    """Return a file's bytes as LibreOffice saves it in another format ("pdf", "ods"); `suffix` is that of the bytes.

    Raises InputError, about `where`, where it cannot.
    """
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / f"book{suffix}"
        book.write_bytes(data)
        profile = (Path(folder) / "profile").as_uri()
        command = [program, f"-env:UserInstallation={profile}", "--headless", "--norestore", "--convert-to", wanted]
        try:
            subprocess.run(  # noqa: S603 - a program found on the path, with our own arguments
                [*command, "--outdir", folder, str(book)],
                capture_output=True, timeout=_PATIENCE, check=False, env=environment(),
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as fault:
            raise _not_made(where, wanted, str(fault)) from fault
        made = book.with_suffix(f".{wanted}")
        if not made.exists():
            raise _not_made(where, wanted, phrase("no-file-given"))
        return made.read_bytes()


def _not_made(where: str, wanted: str, reason: str | Phrase) -> InputError:
    return InputError([error(f"{wanted}-not-made", where, reason=reason)])
