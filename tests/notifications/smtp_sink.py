"""A mail server for tests, on this machine: it takes what it is given, or refuses as it is told."""

import socketserver
import threading
from contextlib import contextmanager


class Sink(socketserver.ThreadingTCPServer):
    """What came in: `letters` as (recipients, text); `refuse` maps a verb to an answer."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Talk)
        self.letters = []
        self.refuse = {}


class _Talk(socketserver.StreamRequestHandler):
    def handle(self):
        self._say("220 sink")
        recipients = []
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb in self.server.refuse:
                self._say(self.server.refuse[verb])
            elif verb == "RCPT":
                recipients.append(line.partition("<")[2].rstrip(">"))
                self._say("250 ok")
            elif verb == "DATA":
                self._say("354 go on")
                self.server.letters.append((recipients, self._data()))
                recipients = []
                self._say("250 taken")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _data(self):
        lines = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line.removeprefix("."))
        return "\n".join(lines)

    def _say(self, words):
        self.wfile.write(f"{words}\r\n".encode())


@contextmanager
def sink():
    """Run a mail server meanwhile."""
    with Sink() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
