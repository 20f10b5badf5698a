"""A server whose answer is the question, so that one can tell whose answer it is."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

KEY = "key-of-the-tests"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024  # of five, a busy machine resets some of those who connect at once


class EchoServer:
    """Streams the ``input`` of a response back in two deltas, or refuses it: "refuse 400" is answered so.

    "flaky ..." is refused with 503 the first time, "die ..." by a closed connection every time; to "half" the answer
    ends in half a character.

    Attributes:
        url: its address.
        asked: the inputs, as they came.
        most: how many requests were open at the same time, at most.
    """

    def __init__(self, delay: float = 0.0) -> None:
        self.asked: list[str] = []
        self.most = 0
        self.delay = delay
        self._open = 0
        self._lock = threading.Lock()
        echo = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                echo._answer(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> EchoServer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        said = str(body.get("input"))
        with self._lock:
            again = said in self.asked
            self.asked.append(said)
            self._open += 1
            self.most = max(self.most, self._open)
        try:
            time.sleep(self.delay)
            if handler.headers["authorization"] != f"Bearer {KEY}":
                _refuse(handler, 401)
            elif said.startswith("refuse"):
                _refuse(handler, int(said.split()[1]))
            elif said.startswith("flaky") and not again:
                _refuse(handler, 503)
            elif said.startswith("die"):
                handler.close_connection = True
            else:
                _stream(handler, said.replace("half", "half \ud83d"))
        finally:
            with self._lock:
                self._open -= 1


def _refuse(handler: BaseHTTPRequestHandler, status: int) -> None:
    said = json.dumps({"error": {"code": f"code_{status}", "message": f"no: {status}"}}).encode()
    handler.send_response(status)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(said)))
    handler.end_headers()
    handler.wfile.write(said)


def _stream(handler: BaseHTTPRequestHandler, said: str) -> None:
    half = len(said) // 2
    part = {"type": "output_text", "text": said, "annotations": []}
    message = {"type": "message", "role": "assistant", "content": [part]}
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    final = {"id": "resp_1", "object": "response", "status": "completed", "output": [message], "usage": usage}
    events: list[dict[str, Any]] = [
        {"type": "response.output_text.delta", "delta": said[:half]},
        {"type": "response.output_text.delta", "delta": said[half:]},
        {"type": "response.completed", "response": final},
    ]
    stream = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)
    handler.send_response(200)
    handler.send_header("content-type", "text/event-stream")
    handler.send_header("content-length", str(len(stream)))
    handler.end_headers()
    handler.wfile.write(stream)
