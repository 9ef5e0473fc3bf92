"""Commands killed between any two system calls that change a file, and several at once: `python killing.py FOLDER`.

Each command runs in a child under ptrace, which is killed with SIGKILL before its n-th such call, for every n until it
comes to its end; after each, what is in the folder is judged. The calls are those of Linux on x86_64 and aarch64.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

_TRACEME, _SYSCALL, _SETOPTIONS, _SYSCALL_INFO = 0, 24, 0x4200, 0x420E
#: A stop at a system call has this bit in its signal; the child dies with its tracer.
_GOOD, _EXITKILL = 1, 0x100000
#: write, ftruncate, rename, unlink, fsync, fdatasync, pwrite64, writev, renameat, renameat2, unlinkat; and openat.
_CHANGING = {
    "x86_64": ({1, 77, 82, 87, 74, 75, 18, 20, 264, 316, 263}, 257),
    "aarch64": ({64, 46, 82, 83, 68, 66, 38, 276, 35}, 56),
}
_FOR_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class SyscallInfo(ctypes.Structure):
    """What the kernel says about a stop: at the entry of a call (`op` 1) its number and arguments."""

    _fields_ = (
        ("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32), ("ip", ctypes.c_uint64),
        ("sp", ctypes.c_uint64), ("nr", ctypes.c_uint64), ("args", ctypes.c_uint64 * 6),
    )  # fmt: skip


_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_LIBC.ptrace.restype = ctypes.c_long


def _changes(pid: int) -> bool:
    """Tell whether a stopped child is about to change a file."""
    info = SyscallInfo()
    size = _LIBC.ptrace(_SYSCALL_INFO, pid, ctypes.c_void_p(ctypes.sizeof(info)), ctypes.addressof(info))
    if size <= 0 or info.op != 1:
        return False
    changing, opening = _CHANGING[platform.machine()]
    writes = info.nr in changing and not (info.nr in (1, 64) and info.args[0] in (1, 2))  # what is only said
    return bool(writes or (info.nr == opening and info.args[2] & _FOR_WRITING))


def killed_before(number: int, act: Callable[[], object]) -> bool:
    """Run something in a child that is killed before its n-th call that changes a file; tell whether it was."""
    child = os.fork()
    if not child:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        if _LIBC.ptrace(_TRACEME, 0, None, None):
            os._exit(77)
        os.kill(os.getpid(), signal.SIGSTOP)
        try:
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSTOPPED(status):
        raise SystemExit(77)
    _LIBC.ptrace(_SETOPTIONS, child, None, _GOOD | _EXITKILL)
    count, passed = 0, 0
    while True:
        _LIBC.ptrace(_SYSCALL, child, None, passed)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            return False
        passed = 0 if os.WSTOPSIG(status) & 0x7F == signal.SIGTRAP else os.WSTOPSIG(status)
        if os.WSTOPSIG(status) == signal.SIGTRAP | 0x80 and _changes(child):
            count += 1
            if count == number:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return True


def _restore(folder: Path, files: dict[str, bytes]) -> None:
    for path in folder.iterdir():
        path.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def judged(folder: Path, command: Sequence[str]) -> dict[str, object]:
    """Return at how many points a command was killed, after how many it was done, and what was wrong afterwards."""
    import rebalancer
    from engine.ledger.account import differences
    from rebalancer.ledgers import read_ledger
    from xl_addin.cli import main

    file = folder / "my.yaml"
    files = {path.name: path.read_bytes() for path in folder.iterdir()}

    def state() -> tuple[object, ...]:
        portfolio, kinds = rebalancer.load(file), [(one.kind, one.symbol) for one in read_ledger(file).standing]
        assert not differences(read_ledger(file).books(portfolio.base_currency), portfolio)
        return file.read_bytes(), kinds

    before = state()
    assert main(list(command)) == 0, command
    after = state()
    wrong: list[str] = []
    number = done = 0
    while True:
        number += 1
        _restore(folder, files)
        if not killed_before(number, lambda: main(list(command))):
            return {"points": number - 1, "done": done, "wrong": wrong}
        # The next command: it finishes what was begun, and has nothing to correct.
        if main(["record", str(file), "--correct"]):
            wrong.append(f"{number}: the next command failed")
        elif state() not in (before, after):
            wrong.append(f"{number}: neither as before nor as after")
        done += state() == after
        if left := [path.name for path in folder.iterdir() if path.name.endswith((".pending.json", ".kept.json"))]:
            wrong.append(f"{number}: {left} left behind")


def _begin(folder: Path) -> Path:
    """Return a portfolio with a ledger."""
    from xl_addin.cli import main

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    file = folder / "my.yaml"
    file.write_text(
        "portfolio:\n  base_currency: USD\n  holdings:\n    - {symbol: VTI, quantity: 10, average_cost: 200}\n"
        "  cash: {USD: 5000}\n  targets:\n    - {ticker: VTI, weight: 0.7}\n",
        encoding="utf-8",
    )
    (folder / "fills.csv").write_text("symbol,side,quantity,price\nVTI,buy,3,310\n", encoding="utf-8")
    assert main(["record", str(file), "--correct", "--date", "2026-01-01"]) == 0
    return file


def run(folder: Path) -> dict[str, dict[str, object]]:
    """Return what became of each command."""
    from xl_addin.cli import main

    export = Path(__file__).parents[1] / "import_files" / "transactions" / "schwab.csv"
    commands = {
        "record": ["--fills", "fills.csv"],
        "events": ["--deposit", "100", "--split", "VTI=2"],
        "import": ["import", str(export), "--into", "my.yaml", "--ledger", "-o", "my.yaml"],
        "undo": ["--undo"],
    }
    found = {}
    for name, options in commands.items():
        file = _begin(folder)
        if name == "undo":
            assert main(["record", str(file), "--deposit", "100"]) == 0
        place = {"my.yaml": str(file), "fills.csv": str(folder / "fills.csv")}
        given = [place.get(one, one) for one in options]
        found[name] = judged(folder, given if given[0] == "import" else ["record", str(file), *given])
    return found


def together(folder: Path, rounds: int) -> dict[str, object]:
    """Return what became of rounds of three commands at once: all three are booked, file and ledger agree."""
    import rebalancer
    from engine.ledger.account import differences
    from rebalancer.ledgers import read_ledger
    from xl_addin.cli import main

    file, wrong = _begin(folder), []
    for number in range(1, rounds + 1):
        commands = (["--deposit", f"{number}"], ["--fee", f"0.{number:02}"], ["--dividend", f"VTI=2.{number:02}"])
        children = []
        for options in commands:
            child = os.fork()
            if not child:
                os._exit(main(["record", str(file), *options]) or 0)
            children.append(child)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        portfolio, ledger = rebalancer.load(file), read_ledger(file)
        if any(codes) or len(ledger.standing) != 2 + 3 * number:
            wrong.append(f"{number}: {codes}, {len(ledger.standing)} entries")
        if differences(ledger.books("USD"), portfolio):
            wrong.append(f"{number}: file and ledger differ")
    return {"points": rounds, "done": rounds, "wrong": wrong}


if __name__ == "__main__":
    answer = os.dup(1)
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    told = run(Path(sys.argv[1])) | {"together": together(Path(sys.argv[1]), 12)}
    os.write(answer, json.dumps(told).encode())
