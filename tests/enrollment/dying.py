"""The web server's application, in a process that dies by SIGKILL at a step of an enrollment.

The file that CERTCTL_TEST_DIES_AT names has the step in it; whoever comes to it takes the file away
and dies, so it is one process and one time. Granian serves `application` as it serves ours.
"""

import os
import pkgutil
import signal
from functools import wraps
from pathlib import Path

from certctl.wsgi import application
from tests.enrollment.steps import SERVED

__all__ = ["application"]

FILE = Path(os.environ["CERTCTL_TEST_DIES_AT"])


def _dies(at):
    """Have the process die where it would next call the function at that dotted path."""
    holder, _, name = at.rpartition(".")
    module = pkgutil.resolve_name(holder)
    step = getattr(module, name)

    @wraps(step)
    def or_dies(*args, **kwargs):
        try:
            if FILE.read_text() == at:
                FILE.unlink()  # somebody else may have been first: then it is their turn
                os.kill(os.getpid(), signal.SIGKILL)
        except FileNotFoundError:
            pass
        return step(*args, **kwargs)

    setattr(module, name, or_dies)


for _at in SERVED.values():
    _dies(_at)
