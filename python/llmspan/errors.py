"""What goes wrong when the API is misused. Whatever a server sends never raises: it is counted in the record."""


class Error(Exception):
    """The base of all exceptions of llmspan.

    ``code`` is the stable name of the kind of error, the same in every language.
    """

    code: str

    def __init__(self, message: str, code: str) -> None:
        """Make an error of a message and a code."""
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type["Error"], tuple[str, str]]:
        """Pickle the error with its code."""
        return type(self), (str(self), self.code)


class InvalidConfigError(Error, ValueError):
    """A configuration value is out of its range, unknown, or contradicts another."""


class InvalidEventError(Error, ValueError):
    """An event is not in the form of the event log."""


class InvalidRecordError(Error, ValueError):
    """A serialized record cannot be read."""


class InvalidSnapshotError(Error, ValueError):
    """A snapshot cannot be read."""


class TooLargeError(Error, ValueError):
    """Serialized input is larger than its cap."""


class UnknownCallError(Error, LookupError):
    """No call with this id is open."""


class UnknownProfileError(Error, LookupError):
    """No profile has this name."""


class UnknownProtocolError(Error, LookupError):
    """No protocol has this name."""


class UnsupportedVersionError(Error, ValueError):
    """The version byte names a version that this release does not read."""
