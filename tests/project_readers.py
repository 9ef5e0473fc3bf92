"""oletools as the second reader of a VBA project."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it still uses old names of pyparsing
    from oletools import olevba


def read_modules(data: bytes) -> dict[str, str]:
    """Return the text of every module by its file name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parser = olevba.VBA_Parser("vbaProject.bin", data=data)
        try:
            return {name: code for _, _, name, code in parser.extract_macros()}
        finally:
            parser.close()


def decompress(data: bytes) -> bytes:
    """Return what a compressed container holds."""
    return bytes(olevba.decompress_stream(bytearray(data)))
