"""A server that answers what a test says."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = "certctl_abcdefgh_secret"
ME = (200, {"Content-Type": "application/json"}, b'{"username": "alice", "role_cap": "viewer"}')


class Answers(BaseHTTPRequestHandler):
    """Answers with what the test says; keeps what it was asked."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        status, headers, body = self.server.answers.pop(0) if self.server.answers else (
            200, {"Content-Type": "application/json"}, b"{}",
        )  # fmt: skip
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *args):
        pass


def serve(context=None):
    server = HTTPServer(("127.0.0.1", 0), Answers)
    server.asked, server.answers = [], []
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
