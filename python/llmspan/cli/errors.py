"""What ends a command with a message."""

from __future__ import annotations


class CommandError(Exception):
    """Something that the user can mend; its text is the message."""
