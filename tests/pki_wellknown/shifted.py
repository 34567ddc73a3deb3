"""The web server's application, in a process whose clock was set an hour back."""

import time_machine

_hour_ago = time_machine.travel(-3600, tick=True)
_hour_ago.start()

from certctl.wsgi import application  # noqa: E402 - the clock first

__all__ = ["application"]
