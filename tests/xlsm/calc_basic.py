"""Open a workbook in LibreOffice with its macros allowed and write what its cells show. A program for LibreOffice's
own Python: `calc_basic.py PROFILE FILE SHEET AREA`.
"""

import json
import os
import subprocess
import sys
import time

import uno
from com.sun.star.beans import PropertyValue

profile, path, sheet, area = sys.argv[1:]
pipe = f"rebalancerbasic{os.getpid()}"
office = subprocess.Popen(
    ["soffice", "--headless", "--norestore", "--nologo", f"-env:UserInstallation=file://{profile}",
     f"--accept=pipe,name={pipe};urp;"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)  # fmt: skip
local = uno.getComponentContext()
resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
for _ in range(240):
    try:
        context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        break
    except Exception:  # noqa: BLE001 - it is still starting
        time.sleep(0.25)
else:
    raise TimeoutError("LibreOffice did not start")
desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
options = []
for name, value in (("Hidden", True), ("MacroExecutionMode", 4)):
    option = PropertyValue()
    option.Name, option.Value = name, value
    options.append(option)
document = desktop.loadComponentFromURL(f"file://{path}", "_blank", 0, tuple(options))
document.calculateAll()
cells = document.Sheets.getByName(sheet).getCellRangeByName(area)
rows = [[cells.getCellByPosition(x, y).String for x in range(cells.Columns.Count)] for y in range(cells.Rows.Count)]
sys.stdout.write(json.dumps(rows))
sys.stdout.flush()
document.close(True)
try:
    desktop.terminate()
except Exception:  # noqa: BLE001 - it has gone already
    office.terminate()
office.wait(timeout=20)
