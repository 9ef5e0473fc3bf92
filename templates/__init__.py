"""Workbooks: which sheets, tables and names exist; writing and reading them with openpyxl."""
