"""The spreadsheets that show the functions, one package each; Excel's is `xl_addin.hosts.excel`."""
