"""`rebalancer install`, `doctor` and `build`: set Excel or LibreOffice up, say what is wrong, make the workbook."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, error
from engine.phrase import place
from engine.words import Lang, say, tell
from xl_addin.cli.frame import argument, command, option
from xl_addin.cli.options import FILE, lang_option, output_options

if TYPE_CHECKING:
    from xl_addin.checkup import HealthCheck

EXIT_DIFFERS = 1
_STYLES = {"ok": "green", "note": "cyan", "wrong": "red"}


@command("install")
@option("--dry-run", is_flag=True)
@option("--libreoffice", is_flag=True)
@option("--remove", is_flag=True)
@lang_option
def install(*, dry_run: bool, libreoffice: bool, remove: bool, lang: Lang) -> None:
    """Write the user's xlwings configuration, and say what was written; where there is no Excel, only say it."""
    if remove:
        _remove(lang, libreoffice=libreoffice, dry_run=dry_run)
        return
    if libreoffice:
        _libreoffice(lang, dry_run=dry_run)
        return
    from xl_addin.hosts.excel.setup import config_text, this_setup, write_config

    setup = this_setup()
    if dry_run or not setup.excel_runs_here:
        if not setup.excel_runs_here:
            _say(say("said.no-excel-for", lang, platform=setup.platform))
        _say(f"{setup.config}:\n{config_text(setup).rstrip()}")
        return
    for path in write_config(setup):
        _say(say("said.written", lang, path=path))
    _say(say("said.open-workbook", lang))


def _remove(lang: Lang, *, libreoffice: bool, dry_run: bool) -> None:
    """Take back what `install` has written, and say what else there is to delete."""
    from engine.market import store
    from engine.settings import MarketSettings
    from rebalancer.files import state_folder
    from xl_addin.hosts.excel.setup import remove_config, this_setup

    if not dry_run and libreoffice:
        from xl_addin.hosts.libreoffice.extension import remove as removed

        _say(tell(removed(), lang))
    elif not dry_run:
        for path in remove_config(this_setup()):
            _say(say("said.removed", lang, path=path))
    folders = (store.folder(MarketSettings.from_environment(os.environ)), state_folder())
    left = [str(folder) for folder in dict.fromkeys(folders) if folder.is_dir()]
    _say(say("said.removed-rest", lang, folders=[*left, sys.prefix]))


def _libreoffice(lang: Lang, *, dry_run: bool) -> None:
    """Add functions and buttons to LibreOffice, and write the workbook for it here."""
    from rebalancer.files import free_name, write_whole
    from xl_addin.hosts.libreoffice.book import sample_ods
    from xl_addin.hosts.libreoffice.extension import install as installed

    _say(tell(installed(dry_run=dry_run), lang))
    if not dry_run:
        path = free_name(Path(), "rebalancer", ".ods")
        write_whole(path, sample_ods(lang))
        _say(say("said.written", lang, path=path))


@command("doctor")
@argument("workbook", type=FILE, metavar="WORKBOOK", required=False)
@option("--live", is_flag=True)
@output_options
def doctor(*, workbook: Path | None, live: bool, as_json: bool, lang: Lang) -> int:
    """Print every check as it is done; status 3 where a source fails, 1 where anything else is wrong."""
    from xl_addin.checkup import excel_checks, live_checks, local_checks

    here = _shown(chain(local_checks(), excel_checks(workbook)), lang, as_json=as_json)
    there = _shown(live_checks(), lang, as_json=as_json) if live else []
    if as_json:
        from xl_addin.show.json import dump

        checks = [
            {"check": str(one.title), "status": one.status, "message": str(one.message), "mend": str(one.mend)}
            for one in here + there
        ]
        sys.stdout.write(dump({"checks": checks, "problems": []}))
    if any(one.status == "wrong" for one in here):
        return 1
    return 3 if any(one.status == "wrong" for one in there) else 0


def _shown(checks: Iterable[HealthCheck], lang: Lang, *, as_json: bool) -> list[HealthCheck]:
    """Return the checks; unless for JSON, print each as soon as it is done."""
    from xl_addin.show.terminal import pad, paint_for, wrap

    done = []
    for one in checks:
        done.append(one)
        if not as_json:
            status = paint_for(sys.stdout)(pad(say(f"doctor.{one.status}", lang), 5), _STYLES[one.status])
            _say(f"{status} {tell(one.title, lang)}: {tell(one.message, lang)}")
            if one.mend:
                for line in wrap(f"-> {tell(one.mend, lang)}", paint_for(sys.stdout).sentence - 6, "   "):
                    _say(f"      {line}")
            sys.stdout.flush()
    return done


@command("build")
@option("--check", is_flag=True)
@option("-o", "--output", type=FILE, metavar="FILE")
@lang_option
def build(*, check: bool, output: Path | None, lang: Lang) -> int:
    """Build rebalancer.xlsm, and write it or compare it with the file."""
    path = output or _committed()
    if check and not path.is_file():
        raise InputError([error("no-file.build", str(path))])
    from rebalancer.files import write_whole
    from xl_addin.hosts.excel.package import sample_workbook

    built = sample_workbook()
    if not check:
        write_whole(path, built)
        _say(say("said.written", lang, path=path))
        return 0
    data = path.read_bytes()
    if data == built:
        _say(say("said.same-as-source", lang, name=path.name))
        return 0
    parts = ", ".join(different_parts(data, built)) or say("said.archive", lang)
    sys.stderr.write(say("said.differs-from-source", lang, name=path.name, parts=parts) + "\n")
    return EXIT_DIFFERS


def _committed() -> Path:
    from xl_addin.hosts.excel.package import NAME

    root = Path(__file__).resolve().parents[2]
    if not (root / "pyproject.toml").is_file():
        raise InputError([error("no-clone", place("command-line"))])
    return root / NAME


def different_parts(data: bytes, built: bytes) -> list[str]:
    """Return the names of the parts that are not the same in two workbooks."""
    one, other = _parts(data), _parts(built)
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _parts(data: bytes) -> Mapping[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile:
        return {}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
