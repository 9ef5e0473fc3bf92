"""Files written whole or not at all, and never over a person's own without being asked."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path

from engine.errors import InputError, Problem, error


def output_problems(path: Path, suffix: str, *, force: bool) -> tuple[Problem, ...]:
    """Return why a result cannot be written to the path: wrong suffix, no such folder, or a file that is there."""
    found = []
    if path.suffix.lower() != suffix:
        found.append(error("output-suffix", str(path), suffix=suffix))
    if not path.parent.is_dir():
        found.append(error("output-folder", str(path.parent)))
    if path.is_dir():
        found.append(error("output-is-folder", str(path)))
    elif path.exists() and not force:
        found.append(error("output-exists", str(path)))
    return tuple(found)


def state_folder() -> Path:
    """Return the user's own folder for what has to outlive a run: restore points, runs that were interrupted."""
    import platformdirs

    return Path(os.environ.get("REBALANCER_STATE_DIR") or platformdirs.user_state_dir("rebalancer", appauthor=False))


def free_name(folder: Path, stem: str, suffix: str) -> Path:
    """Return the first of stem, stem-2, stem-3, … that does not exist in the folder."""
    path, number = folder / f"{stem}{suffix}", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}{suffix}", number + 1
    return path


def keep_copy(path: Path) -> Path | None:
    """Keep a copy of a file beside it, before it is written over for the first time; return it, None for a later time.

    Raises InputError where the folder cannot be written to.
    """
    kept = path.with_name(f"{path.stem}.before{path.suffix}")
    if kept.exists():
        return None
    write_whole(kept, path.read_bytes())
    return kept


def must_be_free(path: Path, suffix: str, *, force: bool) -> None:
    """Raise InputError where a result cannot be written to the path; see `output_problems`."""
    if problems := output_problems(path, suffix, force=force):
        raise InputError(problems)


def open_in(path: Path) -> str:
    """Return the name of what Excel or LibreOffice puts beside a file while it is open there, "" for none.

    Where the system lets a file be replaced that is open, saving it there would take back what was written here.
    """
    beside = (f"~${path.name}", f".~lock.{path.name}#")
    return next((name for name in beside if path.with_name(name).exists()), "")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: a temporary one in the same folder is put in its place in one step.

    Who may read it stays as it was, and a link stays one. Raises InputError where the folder or the file cannot be
    written to, or the file is open elsewhere.
    """
    path = path.resolve() if path.is_symlink() else path
    if path.exists() and not os.access(path, os.W_OK):
        raise InputError([error("output-not-written", str(path), reason=os.strerror(errno.EACCES))])
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(path, temporary)
        temporary.replace(path)
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise InputError([error("output-not-written", str(path), reason=reason)]) from fault
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
