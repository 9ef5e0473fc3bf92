"""A plan as JSON, as terminal text, as a workbook."""
