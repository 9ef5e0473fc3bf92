"""The user's own xlwings configuration: which Python answers Excel. Never in the workbook, so that it works for all."""

from __future__ import annotations

import csv
import io
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError, error
from rebalancer.files import write_whole

#: platform of Python: the key of xlwings for its interpreter.
INTERPRETERS: Mapping[str, str] = {"win32": "INTERPRETER_WIN", "darwin": "INTERPRETER_MAC"}


@dataclass(frozen=True, slots=True)
class Setup:
    """What is to be written for one Python on one system."""

    platform: str
    home: Path
    interpreter: str

    @property
    def excel_runs_here(self) -> bool:
        """Tell whether Excel exists for this system."""
        return self.platform in INTERPRETERS

    @property
    def config(self) -> Path:
        """Return the file that xlwings' VBA reads: Excel for Mac may read its own container only."""
        if self.platform == "darwin":
            return self.home / "Library/Containers/com.microsoft.Excel/Data/xlwings.conf"
        return self.home / ".xlwings" / "xlwings.conf"

    @property
    def script(self) -> Path | None:
        """Return where Excel for Mac looks for the script that starts Python; None elsewhere."""
        if self.platform != "darwin":
            return None
        import xlwings

        name = f"xlwings-{xlwings.__version__}.applescript"
        return self.home / "Library/Application Scripts/com.microsoft.Excel" / name

    @property
    def entries(self) -> Mapping[str, str]:
        """Return the keys to set."""
        return {INTERPRETERS.get(self.platform, "INTERPRETER_WIN"): self.interpreter}

    @property
    def encoding(self) -> str:
        """Return how VBA reads the file: in the system's own code page on Windows."""
        return "mbcs" if self.platform == "win32" and os.name == "nt" else "utf-8"


def this_setup() -> Setup:
    """Return the setup of this Python on this computer."""
    return Setup(sys.platform, Path.home(), sys.executable)


def read_config(setup: Setup) -> dict[str, str]:
    """Return the user's configuration, by key in capitals; nothing where there is none."""
    try:
        text = setup.config.read_text(encoding=setup.encoding, errors="replace")
    except OSError:
        return {}
    rows = csv.reader(io.StringIO(text), skipinitialspace=True)
    return {row[0].strip().upper(): row[1] for row in rows if len(row) > 1 and row[0].strip()}


def config_text(setup: Setup) -> str:
    """Return the file's new text: what is there, with our keys set."""
    merged = {**read_config(setup), **setup.entries}
    return "".join(f'"{key}","{value}"\n' for key, value in merged.items())


def write_config(setup: Setup) -> list[Path]:
    """Write the configuration (and, on a Mac, Excel's script), keeping a copy of what it replaces; returns the files.

    Raises InputError where a file cannot be written, or the path of Python cannot be told to VBA.
    """
    text = config_text(setup)
    try:
        data = text.encode(setup.encoding)
    except UnicodeEncodeError:
        raise InputError([error("path-unreadable", str(setup.config), path=setup.interpreter)]) from None
    try:
        setup.config.parent.mkdir(parents=True, exist_ok=True)
        if setup.config.exists() and setup.config.read_bytes() != data:
            shutil.copyfile(setup.config, setup.config.with_suffix(".conf.bak"))
        write_whole(setup.config, data)
        if setup.script is None:
            return [setup.config]
        import xlwings

        setup.script.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(xlwings.__file__).with_name(setup.script.name), setup.script)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise InputError([error("config-not-written", str(setup.config), reason=reason)]) from fault
    return [setup.config, setup.script]


def remove_config(setup: Setup) -> list[Path]:
    """Take our keys out of the configuration (and, on a Mac, Excel's script away); returns the files that changed.

    A configuration that held nothing else goes. Raises InputError where a file cannot be written.
    """
    kept = {key: value for key, value in read_config(setup).items() if key not in setup.entries}
    changed = []
    try:
        if setup.config.exists() and kept != read_config(setup):
            if kept:
                text = "".join(f'"{key}","{value}"\n' for key, value in kept.items())
                write_whole(setup.config, text.encode(setup.encoding))
            else:
                setup.config.unlink()
            changed.append(setup.config)
        if setup.script is not None and setup.script.exists():
            setup.script.unlink()
            changed.append(setup.script)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise InputError([error("config-not-written", str(setup.config), reason=reason)]) from fault
    return changed
