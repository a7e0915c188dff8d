"""A labels server that behaves as a test says."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    """What the server answers; content None sends ``body`` as it is, status 0 hangs up."""

    content: str | None = '["sql", "joins"]'
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    body: bytes = b""

    def bytes(self) -> bytes:
        if self.content is None:
            return self.body
        usage = {"prompt_tokens": 100, "completion_tokens": 7}
        message = {"role": "assistant", "content": self.content}
        return json.dumps({"choices": [{"message": message}], "usage": usage}).encode()


@dataclass
class Server:
    """A real HTTP server; ``behave`` gets the number of the request and its JSON body."""

    behave: Callable[[int, dict], Reply] = lambda number, body: Reply()
    requests: list[dict] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self.now = 0
        self.lock = threading.Lock()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    @property
    def texts(self) -> list[str]:
        """The records asked for, in order of arrival."""
        return [r["messages"][-1]["content"].split("\n")[1] for r in self.requests]

    def _handler(server) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.path == "/v1/chat/completions"
                with server.lock:
                    number = len(server.requests)
                    server.requests.append(body)
                    server.times.append(time.monotonic())
                    server.keys.add(self.headers["Authorization"])
                    server.now += 1
                    server.most_at_once = max(server.most_at_once, server.now)
                reply = server.behave(number, body)
                time.sleep(reply.delay)
                with server.lock:
                    server.now -= 1
                if reply.status == 0:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                payload = reply.bytes()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
