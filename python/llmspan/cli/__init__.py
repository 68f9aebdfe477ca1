"""The command ``llmspan``: records in the terminal, as a report, and in the formats of other tools.

Exit codes: 0 it is done, also when whoever read the output stopped early; 1 an input could not be read, an output could
not be written, or nothing fits; 2 the command line was wrong; 130 it was interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
"""128 and the number of SIGINT, as shells report it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, of ``sys.argv`` unless arguments are given, and give its exit code.

    Raises ``SystemExit`` after ``--help``, and with 2 for a wrong command line.
    """
    from llmspan.cli.errors import CommandError  # noqa: PLC0415 - nothing is imported before it is needed
    from llmspan.cli.parser import parser  # noqa: PLC0415

    try:
        options = parser().parse_args(arguments)
        options.run(options)
        sys.stdout.flush()
    except CommandError as error:
        sys.stderr.write(f"llmspan: {error}\n")
        return 1
    except BrokenPipeError:
        # Whoever read the output has seen enough. What is left goes nowhere, or the interpreter complains at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0
