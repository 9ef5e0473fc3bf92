"""LibreOffice Calc: an extension made from the functions, which asks this Python for every answer.

The extension runs inside LibreOffice, in whatever Python that has, with nothing but the standard library; the answers
come from a child process of the interpreter that `rebalancer install --libreoffice` was run with (`serve`). That child
imports this package before anything else, so nothing is imported here.
"""
