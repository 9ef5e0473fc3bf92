"""The workbook with macros, built once for all of these tests."""

from __future__ import annotations

import io
import zipfile

import pytest

from xl_addin.hosts.excel.package import sample_workbook


@pytest.fixture(scope="session")
def xlsm() -> bytes:
    return sample_workbook()


@pytest.fixture(scope="session")
def parts(xlsm: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(xlsm)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
