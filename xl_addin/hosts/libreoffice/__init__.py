"""LibreOffice Calc: an extension made from the functions, which asks this Python for every answer.

The extension runs inside LibreOffice, in whatever Python that has, with nothing but the standard library; the answers
come from a child process of the interpreter that `rebalancer install --libreoffice` was run with (`serve`).
"""

from xl_addin.hosts.libreoffice.book import build_ods, sample_ods
from xl_addin.hosts.libreoffice.extension import build_oxt, in_file, install, unopkg_command

__all__ = ["build_ods", "build_oxt", "in_file", "install", "sample_ods", "unopkg_command"]
