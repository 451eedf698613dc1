"""A local server that speaks the chat-completions protocol, as told by a script of replies."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


class LlmServer:
    """What was asked of it, and how it replies to the n-th request (the last reply repeats)."""

    def __init__(self, replies: list[Reply]) -> None:
        self.replies = replies
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.is_over = threading.Event()
        self.url = ""

    def reply(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        number = len(self.requests)
        self.requests.append(body)
        self.headers.append({name.lower(): value for name, value in handler.headers.items()})
        self.paths.append(handler.path)
        self.replies[min(number, len(self.replies) - 1)](handler, body)


@contextmanager
def serving(*replies: Reply) -> Iterator[LlmServer]:
    told = LlmServer(list(replies))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.reply(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        told.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield told
        finally:
            told.is_over.set()
            server.shutdown()
            thread.join()


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def message(**content: Any) -> Reply:
    """Reply with a message of the assistant's."""

    def reply(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        reason = "tool_calls" if "tool_calls" in content else "stop"
        choice = {
            "index": 0,
            "finish_reason": reason,
            "message": {"role": "assistant", "content": None, **content},
        }
        answer = {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [choice],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
        send(handler, 200, json.dumps(answer).encode())

    return reply


def text(words: str) -> Reply:
    return message(content=words)


def calls(*tools: tuple[str, Any]) -> Reply:
    """Reply with calls of tools; arguments that are text are sent as they are."""
    made = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {
                "name": name,
                "arguments": given if isinstance(given, str) else json.dumps(given),
            },
        }
        for number, (name, given) in enumerate(tools)
    ]
    return message(tool_calls=made)


def status(code: int, body: bytes = b'{"error": {"message": "no"}}', **headers: str) -> Reply:
    return lambda handler, _: send(handler, code, body, **headers)


def raw(body: bytes) -> Reply:
    return lambda handler, _: send(handler, 200, body)
