"""What the functions do: from the cells of a call to the rows of its answer, without a spreadsheet in sight."""

from xl_addin.bodies.calls import call

__all__ = ["call"]
