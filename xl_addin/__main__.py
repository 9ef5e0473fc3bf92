"""Run the command line as `python -m xl_addin`."""

import sys

from xl_addin.cli import main

sys.exit(main())
