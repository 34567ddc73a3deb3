"""What the command's exit status says, for scripts: docs/cli.md lists the same numbers."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit statuses of `certctl`; no other is used but 130 for Ctrl-C."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    CONFLICT = 5
    WAITING = 6


def exit_of(status: int) -> Exit:
    """Return the exit status for an answer with that HTTP status, which is no success."""
    match status:
        case 400 | 413 | 415 | 422:
            return Exit.USAGE
        case 401 | 403:
            return Exit.REFUSED
        case 404:
            return Exit.NOT_FOUND
        case 409 | 412:
            return Exit.CONFLICT
    return Exit.FAILED
