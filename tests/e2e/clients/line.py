"""A line to a gateway that can be cut or fall silent: every connection through it, and how many requests passed."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

POST = b"POST /graphql"
LARGEST = 1 << 16


class Line:
    """A TCP proxy on a port of its own; closed by `with`."""

    def __init__(self, url: str) -> None:
        host, port = urlsplit(url).netloc.split(":")
        self.source = "127.0.0.1"
        """The address that the gateway sees; of connections that are made from now on."""
        self.requests = 0
        self.connections = 0
        self.lets_through: int | None = None
        """So many requests more, then every connection is cut and none is taken; None: all."""
        self.swallows_answers = False
        """Cut each connection at the first byte of an answer: the request has arrived."""
        self._target = (host, int(port))
        self._open: list[socket.socket] = []
        self._silent: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def cut(self) -> None:
        """End all connections, as a cable that is pulled and put in again."""
        with self._lock:
            ending, self._open = self._open, []
        for each in ending:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def silence(self) -> None:
        """Let nothing through on all connections, and tell nobody: a machine that is gone. The next ones go through."""
        with self._lock:
            self._silent |= set(self._open)

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            if self.lets_through == 0:
                caller.close()
                continue
            gateway = socket.create_connection(self._target, source_address=(self.source, 0))
            with self._lock:
                self.connections += 1
                self._open += [caller, gateway]
            for pump, one, other in ((self._ask, caller, gateway), (self._answer, gateway, caller)):
                thread = threading.Thread(target=pump, args=(one, other), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _ask(self, caller: socket.socket, gateway: socket.socket) -> None:
        with caller, suppress(OSError):
            while data := caller.recv(LARGEST):
                if POST in data:
                    if self.lets_through == 0:
                        break
                    with self._lock:
                        self.requests += 1
                        if self.lets_through is not None:
                            self.lets_through -= 1
                if gateway not in self._silent:
                    gateway.sendall(data)
        with suppress(OSError):
            gateway.shutdown(socket.SHUT_RDWR)

    def _answer(self, gateway: socket.socket, caller: socket.socket) -> None:
        with gateway, suppress(OSError):
            while data := gateway.recv(LARGEST):
                if self.swallows_answers:
                    break
                if caller not in self._silent:
                    caller.sendall(data)
        with suppress(OSError):
            caller.shutdown(socket.SHUT_RDWR)
