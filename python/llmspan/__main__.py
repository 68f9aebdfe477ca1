"""The command line: ``python -m llmspan``."""

from __future__ import annotations

import sys

from llmspan.cli import main

if __name__ == "__main__":
    sys.exit(main())
