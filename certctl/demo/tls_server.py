"""A real TLS server for the demo: serves what the file target holds, whatever that is just now.

Run as `python -m certctl.demo.tls_server FOLDER PORT`; reads fullchain.pem and key.pem there.
"""

import socket
import ssl
import sys
import threading
from pathlib import Path

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 24\r\nConnection: close\r\n\r\nserved by certctl's demo\n"
)


class Server:
    """Listens on 127.0.0.1; refuses handshakes until there is a certificate."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self.context: ssl.SSLContext | None = None
        self.loaded = 0

    def reload(self) -> None:
        """Take what the folder holds if it has changed; keep the old where it cannot be loaded."""
        try:
            changed = (self.folder / "fullchain.pem").stat().st_mtime_ns
            if changed == self.loaded:
                return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.load_cert_chain(self.folder / "fullchain.pem", self.folder / "key.pem")
        except (OSError, ssl.SSLError) as error:
            print(f"nothing to serve yet: {error}", flush=True)  # noqa: T201
            return
        self.context, self.loaded = context, changed
        print("certificate loaded", flush=True)  # noqa: T201

    def run(self) -> None:
        """Serve for ever, a thread each."""
        while True:
            connection, _ = self.listener.accept()
            self.reload()
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        """Shake hands, say one sentence, close."""
        connection.settimeout(10)
        with connection:
            if self.context is None:
                return
            try:
                with self.context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(4096)
                    secure.sendall(ANSWER)
            except (OSError, ssl.SSLError):
                return


if __name__ == "__main__":
    Server(Path(sys.argv[1]), int(sys.argv[2])).run()
