"""Sends one request and hears its answer, all within a time limit. Follows nobody elsewhere and reads no body."""

import errno
import http.client
import socket
import ssl
import threading
import time
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from onecard.connectors.webhooks import addresses
from onecard.connectors.webhooks.addresses import Network
from onecard.connectors.webhooks.protocol import Request

ANSWER_S = 5.0


class Away(Exception):
    """No answer came in time. Whether the message was taken is unknown, so it comes again."""


def send(request: Request, inside: tuple[Network, ...], answer_s: float = ANSWER_S) -> int:
    """The status of the answer; `inside` are the networks that may be sent to besides public addresses. Raises Away."""
    until = time.monotonic() + answer_s
    parts = urlsplit(request.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port)
    try:
        connection.sock = _connected(parts, connection.port, inside, until)
        # A limit for each read is none for all of them: who sends a byte now and then would keep us for ever.
        cut = threading.Timer(until - time.monotonic(), _cut, (connection.sock,))
        cut.daemon = True
        cut.start()
        try:
            return _answer(connection, request, parts)
        finally:
            cut.cancel()
    except (OSError, http.client.HTTPException, ValueError) as error:  # UnicodeError is a ValueError
        raise Away("no answer in time" if time.monotonic() >= until else _reason(error)) from None
    finally:
        connection.close()


def _answer(connection: http.client.HTTPConnection, request: Request, parts: SplitResult) -> int:
    if isinstance(connection.sock, ssl.SSLSocket):
        connection.sock.do_handshake()
    connection.request(request.method, parts.path or "/", request.body, request.headers)
    return connection.getresponse().status


def _connected(parts: SplitResult, port: int, inside: tuple[Network, ...], until: float) -> socket.socket:
    """A connection to the first address of a host that is reached and may be. It is judged and called by number: a name
    that is asked for twice may stand for two things.
    """
    host = parts.hostname or ""
    found = dict.fromkeys(each[4][0] for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    allowed = [str(address) for address in found if addresses.may_be_sent_to(str(address), inside)]
    refused = OSError(errno.EACCES, "this node may not send to its address")
    for address in allowed:
        try:
            plain = socket.create_connection((address, port), _left(until))
        except OSError as error:
            refused = error
            continue
        plain.settimeout(_left(until))
        if parts.scheme != "https":
            return plain
        context = ssl.create_default_context()
        return context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    raise refused


def _reason(error: Exception) -> str:
    """What a client may read: the system's own words, and nothing that the other side chose."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def _left(until: float) -> float:
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _cut(connected: socket.socket) -> None:
    """End a connection from outside: whoever reads from it hears that it ended. Past TLS, which would say good-bye."""
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
