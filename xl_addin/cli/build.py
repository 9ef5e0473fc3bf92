"""`rebalancer build [--check]`: rebalancer.xlsm from source; or whether the committed file is just that."""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from engine.errors import InputError, Problem
from rebalancer.files import write_whole

EXIT_DIFFERS = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the file differs by a byte")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the workbook (default: rebalancer.xlsm in this clone)"
    )


def run(args: argparse.Namespace) -> int:
    """Build, and write or compare."""
    path = args.output or _committed()
    if args.check and not path.is_file():
        message, ko = "no such file: run `rebalancer build`", "파일이 없습니다: `rebalancer build`를 실행하세요"
        raise InputError([Problem("error", "no-file", str(path), message, ko)])
    from xl_addin.hosts.excel.package import sample_workbook

    built = sample_workbook()
    if args.check:
        return _compare(path, built)
    write_whole(path, built)
    sys.stdout.write(f"Written: {path}\n")
    return 0


def _committed() -> Path:
    from xl_addin.hosts.excel.package import NAME

    root = Path(__file__).resolve().parents[2]
    if not (root / "pyproject.toml").is_file():
        message = "not in a clone of the repository: say where with -o"
        ko = "저장소를 복제한 폴더가 아닙니다: -o로 만들 곳을 적으세요"
        raise InputError([Problem("error", "no-clone", "command line", message, ko)])
    return root / NAME


def _compare(path: Path, built: bytes) -> int:
    data = path.read_bytes()
    if data == built:
        sys.stdout.write(f"{path.name} is what its source gives.\n")
        return 0
    parts = ", ".join(different_parts(data, built)) or "the archive itself"
    sys.stderr.write(f"{path.name} differs from its source in: {parts}. Run `rebalancer build` and commit the file.\n")
    return EXIT_DIFFERS


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
