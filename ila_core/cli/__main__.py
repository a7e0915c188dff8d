"""`python -m ila_core.cli`."""

import sys

from ila_core.cli import main

sys.exit(main())
