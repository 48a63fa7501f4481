"""What can go wrong, named by what whoever catches it has to do.

ForeshockError
├── Transient           try again, after `retry_after_s` where it is told
│   └── Refused         a venue wants to be left alone for a while
│       └── Unavailable it does not serve the place that we ask from: other hosts, or without it
├── Permanent           trying again cannot help: dead letter, count, go on
├── SettingsInvalid     the operator has to change the settings it lists
├── PortInUse           the operator has to free the port, or choose another
├── DeadLetterLimit     too much cannot be read: a bad deploy, stop
├── DrainTimeout        a clean stop took too long
└── CutShort            what was to be done once was told to stop before the end

Anything else is a bug and ends the process.
"""


class Stopped(Exception):
    """The service was told to stop before it could start: no error, only an end."""


class ForeshockError(Exception):
    """The root of all errors that are expected."""


class Transient(ForeshockError):
    """May succeed if tried again."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Refused(Transient):
    """A venue answered 403, 418, 429 or 451: ask it nothing before `retry_after_s`."""

    def __init__(self, message: str, status: int, retry_after_s: float) -> None:
        super().__init__(message, retry_after_s)
        self.status = status


class Unavailable(Refused):
    """A venue does not serve the place that we ask from."""


class Permanent(ForeshockError):
    """Fails the same way however often it is tried."""


class SettingsInvalid(ForeshockError):
    """Settings are missing or wrong; `problems` has a line for each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PortInUse(ForeshockError):
    """A port that was asked for is taken; `holder` is the process that has it, if known."""

    def __init__(self, port: int, holder: str | None = None) -> None:
        by = f" by {holder}" if holder else ""
        super().__init__(f"port {port} is in use{by}: stop that, or choose another port")
        self.port = port


class DeadLetterLimit(ForeshockError):
    """Too many records of a topic cannot be read."""


class DrainTimeout(ForeshockError):
    """The service did not stop within its grace period."""


class CutShort(ForeshockError):
    """A replay was told to stop before its end."""


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """Return the errors in a group and in the groups within it."""
    found: list[BaseException] = []
    for each in group.exceptions:
        found += leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found
