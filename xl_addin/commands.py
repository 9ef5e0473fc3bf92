"""The name under which every workbook's VBA presses a button, those made by earlier versions too."""

from xl_addin.buttons import press

__all__ = ["press"]
