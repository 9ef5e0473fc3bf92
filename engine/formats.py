"""The versions of the forms in which a person's data is kept, in one place.

A version grows where older data would mean something else now, or where an older program would misread newer data.
Older data is read as it is meant today, and what that changes is told once; data of a newer version than the program's
is refused. Data that says no version is of today's.

- Portfolio file: `format:`. 2 is of version 0.2.0: `trigger` is `due` where a file does not say it; before, every
  section acted at every plan (`always`).
- Ledger: the column `format`. 1 is the first.
"""

PORTFOLIO, LEDGER = 2, 1
