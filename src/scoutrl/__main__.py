"""`python -m scoutrl` is `scout`."""

import sys

from scoutrl.cli import main

sys.exit(main())
