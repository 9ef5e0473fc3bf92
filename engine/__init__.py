"""The calculation: knows no spreadsheet, no file format of one, no clock; the network only in `engine.market`."""
