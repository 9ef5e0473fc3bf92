"""LibreOffice Calc: an extension made from the registry, which asks this Python for every answer.

The extension runs inside LibreOffice, in whatever Python that has, with nothing but the standard library; the answers
come from a child process of the interpreter that `rebalancer install --libreoffice` was run with (`serve`).
"""

from xl_addin.hosts.libreoffice.book import build_ods, sample_ods
from xl_addin.hosts.libreoffice.install import install, unopkg_command
from xl_addin.hosts.libreoffice.names import in_file
from xl_addin.hosts.libreoffice.package import build_oxt

__all__ = ["build_ods", "build_oxt", "in_file", "install", "sample_ods", "unopkg_command"]
