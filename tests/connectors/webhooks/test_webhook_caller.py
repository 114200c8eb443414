"""Who is called, and how long they are listened to: a rude server costs its own message some seconds, and no more."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from onecard.connectors.webhooks import addresses, caller
from onecard.connectors.webhooks.caller import Away
from onecard.connectors.webhooks.protocol import Request
from onecard.foundation.errors import Unavailable

HERE = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
Serve = Callable[[socket.socket], None]


@contextmanager
def a_server(serve: Serve, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that does this with its one connection."""
    with ExitStack() as open_things:
        listening = open_things.enter_context(socket.create_server(("127.0.0.1", 0)))
        over = threading.Event()

        def run() -> None:
            try:
                taken, _ = listening.accept()
                with context.wrap_socket(taken, server_side=True) if context else taken as speaking:
                    serve(speaking)
                    over.wait(30)
            except OSError:
                pass  # the caller went away, as it should

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        open_things.callback(over.set)
        yield listening.getsockname()[1]


def called(port: int, *, scheme: str = "http", host: str = "127.0.0.1", answer_s: float = 20.0) -> int:
    request = Request("POST", f"{scheme}://{host}:{port}/onecard", b"{}", {"Content-Type": "application/json"})
    return caller.send(request, HERE, answer_s)


def says(answer: bytes) -> Serve:
    return lambda taken: taken.sendall(answer)


def trickles(head: bytes, part: bytes) -> Serve:
    def serve(taken: socket.socket) -> None:
        taken.sendall(head)
        while True:
            taken.sendall(part)
            threading.Event().wait(0.05)

    return serve


def test_the_status_is_the_answer() -> None:
    with a_server(says(b"HTTP/1.1 204 No Content\r\n\r\n")) as port:
        assert called(port) == 204


@pytest.mark.parametrize(
    "serve",
    [says(b""), trickles(b"HTTP/1.1 ", b"2"), trickles(b"", b"HTTP/1.1 100 Continue\r\n\r\n")],
    ids=["silent", "trickle", "for_ever_continuing"],
)
def test_who_takes_too_long_is_left(serve: Serve) -> None:
    """Without an end to it this would hang, and not just take long."""
    with a_server(serve) as port, pytest.raises(Away, match="no answer in time"):
        called(port, answer_s=1.0)


def test_who_said_that_it_took_it_need_not_end() -> None:
    with a_server(trickles(b"HTTP/1.1 204 No Content\r\nX: ", b"y")) as port:
        assert called(port, answer_s=1.0) == 204


def test_what_the_other_side_writes_is_not_repeated() -> None:
    with a_server(says(b"gibberish \x00 \xff\r\n\r\n")) as port, pytest.raises(Away, match=r"^BadStatusLine$"):
        called(port)


def test_who_is_not_there_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Away, match="Connection refused"):
        called(port)
    with pytest.raises(Away):
        called(443, host="no-such-host.invalid")


def test_a_name_that_stands_for_an_address_inside_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is looked up once, and what was judged is what is called: a second answer is never asked for."""
    asked = []

    def resolved(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254" if len(asked) == 1 else "127.0.0.1", port))
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with pytest.raises(Away, match="may not send"):
        called(80, host="department.example")
    assert asked == ["department.example"]


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("1.1.1.1", True), ("2606:4700::1111", True), ("::ffff:1.1.1.1", True), ("64:ff9b::1.1.1.1", True),
        ("127.0.0.1", False), ("0.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False), ("255.255.255.255", False),
        ("::1", False), ("::", False), ("fe80::1%eth0", False), ("fd00::1", False), ("ff02::1", False),
        ("::ffff:127.0.0.1", False), ("::ffff:10.1.2.3", False), ("64:ff9b::a01:203", False),
        ("2002:a01:203::1", False), ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False), ("::127.0.0.1", False),
        ("64:ff9b:1::a01:203", False), ("::ffff:0:10.1.2.3", False), ("fec0::1", False), ("5f00::1", False),
        ("192.0.0.192", False), ("192.88.99.1", False), ("3fff::1", False),
    ],
)  # fmt: skip
def test_only_public_addresses_are_sent_to(address: str, may: bool) -> None:
    assert addresses.may_be_sent_to(address, ()) is may


def test_networks_inside_are_sent_to_where_they_are_named() -> None:
    inside = addresses.inside({addresses.SETTING: "10.20.0.0/16, fd00:1::/64,"})
    assert addresses.may_be_sent_to("10.20.255.1", inside)
    assert addresses.may_be_sent_to("::ffff:10.20.0.1", inside)
    assert addresses.may_be_sent_to("fd00:1::7", inside)
    assert not addresses.may_be_sent_to("10.21.0.1", inside)
    assert not addresses.may_be_sent_to("127.0.0.1", inside)
    assert addresses.inside({}) == ()
    for wrong in ("10.20.0.0/33", "inside", "10.20.0.1/16"):
        with pytest.raises(Unavailable, match="MESSAGE_NETWORKS_MALFORMED"):
            addresses.inside({addresses.SETTING: wrong})


@pytest.fixture
def certified(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS for the name localhost, and the file of its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    certificate, secret = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    return context, certificate


ANSWER = says(b"HTTP/1.1 204 No Content\r\n\r\n")


def test_over_tls_the_name_has_to_be_proven(
    certified: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, certificate = certified
    with a_server(ANSWER, context) as port, pytest.raises(Away, match="certificate"):
        called(port, scheme="https", host="localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with a_server(ANSWER, context) as port:
        assert called(port, scheme="https", host="localhost") == 204
    with a_server(ANSWER, context) as port, pytest.raises(Away):
        called(port, scheme="https", host="127.0.0.1")


def test_who_is_silent_at_the_handshake_is_left() -> None:
    with a_server(says(b"")) as port, pytest.raises(Away, match="no answer in time"):
        called(port, scheme="https", host="localhost", answer_s=1.0)
