"""The ribbon's buttons, each a function over an xlwings Book, on Windows and on a Mac.

A button first works out every change, then makes them all or none (`edits`), with a restore point before (`restore`).
"""

from xl_addin.buttons.press import COMMANDS, press

__all__ = ["COMMANDS", "press"]
