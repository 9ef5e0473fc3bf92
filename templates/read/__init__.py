"""From a workbook that a person has changed back to a portfolio, with every problem and the cell it is in."""
