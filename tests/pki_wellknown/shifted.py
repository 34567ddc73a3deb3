"""certctl's application in a process whose wall clock a test sets: by a file with seconds in it."""

import os
import threading
import time
from pathlib import Path

import time_machine
from django.utils import timezone

from certctl.wsgi import application

__all__ = ["application"]

_FILE = Path(os.environ["CERTCTL_TEST_SHIFT"])


def _watch():
    while not _FILE.exists():
        time.sleep(0.05)
    shift = float(_FILE.read_text())
    time_machine.travel(timezone.now().timestamp() + shift, tick=True).start()


threading.Thread(target=_watch, daemon=True).start()
