"""An HTTP server on loopback that can have bad days: a fixture's own, or in front of a program that answers.

What it answers is a function from `Request` to `Answer`; `passing_on` makes one that asks another server. Whatever the
trouble is, every request that was read completely is in `requests`.
"""

import http.client
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: Headers that belong to one connection.
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Request:
    """What somebody asked."""

    method: str
    path: str
    headers: http.client.HTTPMessage
    body: bytes
    at: float


@dataclass
class Answer:
    """What they are told."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Trouble:
    """What goes wrong, for so many requests."""

    #: The connection is reset before anything is done.
    RESET = "reset"
    #: It is done, and the answer breaks off in its middle.
    HALF = "half"
    #: It is done, and the answer says that it was not.
    STORED_500 = "stored_500"
    #: It is not done.
    UNAVAILABLE = "unavailable"
    #: It is not done, and the answer says when to come back.
    BUSY = "busy"
    #: It is done, late.
    SLOW = "slow"
    #: It is done, and nothing is answered at all.
    SILENT = "silent"


@dataclass
class Spell:
    """A trouble that lasts for so many of the requests that it is about."""

    trouble: str
    left: float
    concerns: Callable[[Request], bool]


class Door:
    """Listens on a port of its own, which stays the same while it is shut."""

    def __init__(self, answer: Callable[[Request], Answer], tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.tls = tls
        self.requests: list[Request] = []
        self.connections = 0
        self.spells: list[Spell] = []
        self.seconds_slow = 3.0
        self.lock = threading.Lock()
        self.server: ThreadingHTTPServer | None = None
        self.open_sockets: set[socket.socket] = set()
        self.port = 0
        self.up()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Takes connections (again)."""
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def setup(self) -> None:
                if door.tls:
                    self.request = door.tls.wrap_socket(self.request, server_side=True)
                with door.lock:
                    door.connections += 1
                    door.open_sockets.add(self.request)
                super().setup()

            def finish(self) -> None:
                with door.lock:
                    door.open_sockets.discard(self.request)
                try:
                    super().finish()
                except OSError:
                    pass

            def log_message(self, *_: object) -> None:
                pass

            def handle_any(self) -> None:
                door.serve(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = handle_any

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64
            # A reset or an unknown certificate is what some tests are about.
            handle_error = staticmethod(lambda *_: None)

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def down(self) -> None:
        """Refuses connections, and drops those that there are."""
        if self.server is None:
            return
        self.server.shutdown()
        self.server.server_close()
        self.server = None
        with self.lock:
            for connection in list(self.open_sockets):
                reset(connection)
            self.open_sockets.clear()

    def trouble(self, trouble: str, times: float = float("inf"), concerns: Callable[[Request], bool] = lambda _: True) -> None:
        """The next requests that it is about go wrong; all of them until `calm`, when no number is given."""
        with self.lock:
            self.spells.append(Spell(trouble, times, concerns))

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        with self.lock:
            self.spells.clear()

    def spell(self, request: Request) -> str | None:
        with self.lock:
            self.requests.append(request)
            for spell in self.spells:
                if spell.left > 0 and spell.concerns(request):
                    spell.left -= 1
                    return spell.trouble
        return None

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        request = Request(handler.command, handler.path, handler.headers, body_of(handler), time.time())
        trouble = self.spell(request)
        if trouble == Trouble.RESET:
            handler.close_connection = True
            return reset(handler.request)
        if trouble == Trouble.UNAVAILABLE:
            return send(handler, Answer(503, b"unavailable"))
        if trouble == Trouble.BUSY:
            return send(handler, Answer(429, b"busy", {"Retry-After": "1"}))
        answer = self.answer(request)
        if trouble == Trouble.STORED_500:
            return send(handler, Answer(500, b"stored, and broken afterwards"))
        if trouble == Trouble.SLOW:
            # The only pause that is not a wait for something: being slow is what is asked for.
            time.sleep(self.seconds_slow)
        if trouble == Trouble.SILENT:
            handler.close_connection = True
            return None
        return send(handler, answer, half=trouble == Trouble.HALF)


def reset(connection: socket.socket) -> None:
    """Ends a connection with RST instead of FIN."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    except OSError:
        pass


def body_of(handler: BaseHTTPRequestHandler) -> bytes:
    """The body, whichever way it is framed."""
    if "chunked" in handler.headers.get("Transfer-Encoding", "").lower():
        parts = []
        while size := int(handler.rfile.readline().split(b";")[0], 16):
            parts.append(handler.rfile.read(size))
            handler.rfile.readline()
        while handler.rfile.readline().strip():
            pass
        return b"".join(parts)
    return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))


def send(handler: BaseHTTPRequestHandler, answer: Answer, half: bool = False) -> None:
    """Writes an answer, or the first half of one."""
    length = answer.headers.get("content-length") if handler.command == "HEAD" else None
    lines = [f"HTTP/1.1 {answer.status} {http.client.responses.get(answer.status, 'Whatever')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items() if name.lower() not in HOP]
    lines.append(f"Content-Length: {length or len(answer.body)}")
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    body = b"" if handler.command == "HEAD" else answer.body
    if half:
        whole = head + body
        handler.wfile.write(whole[: len(whole) // 2])
        handler.wfile.flush()
        handler.close_connection = True
        return
    handler.wfile.write(head + body)
    handler.wfile.flush()


def passing_on(port: int) -> Callable[[Request], Answer]:
    """Asks the server on that port of loopback the same thing."""

    def ask(request: Request) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():
            if name.lower() not in HOP:
                connection.putheader(name, value)
        if request.body or request.method in ("POST", "PUT"):
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body or None)
        got = connection.getresponse()
        answer = Answer(got.status, got.read(), {name.lower(): value for name, value in got.getheaders()})
        connection.close()
        return answer

    return ask
