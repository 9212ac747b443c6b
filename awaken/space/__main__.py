"""``python -m awaken.space check``."""

import sys

from awaken.space.lint import main

sys.exit(main())
