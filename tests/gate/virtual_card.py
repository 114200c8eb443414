"""A virtual card behind a real PC/SC stack: Debian's pcscd with vpcd, whose reader it plugs itself into.

It speaks docs/card-interface.md from the card's side; of the gate it takes only the way to pcscd. vpcd's protocol is
two bytes of length and a message: one byte long, a control (off, on, reset, ATR); longer, a command.
"""

import contextlib
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator

from tests.gate import debian

from onecard_gate.inputs import pcsc
from onecard_kit import chips

PORT = 35963
ATR = bytes.fromhex("3B00")
AID = bytes.fromhex("F04F4E454341524401")
OK, NO_FILE, WRONG, TOO_FAR = b"\x90\x00", b"\x6a\x82", b"\x6d\x00", b"\x6b\x00"


class VirtualCard:
    """One card: its number, its key, a counter that only grows, and its file. `says` may break what it answers."""

    def __init__(self, number: str = "C20260001", key: bytes = bytes(16), file: str = "", counter: int = 6) -> None:
        self.number, self.key, self.counter = number, key, counter
        self.file = len(file).to_bytes(2, "big") + file.encode()
        self.is_selected = False
        self.asked: list[bytes] = []
        self.breaks: bytes | None = None

    def reset(self) -> None:
        self.is_selected = False

    def answer(self, command: bytes) -> bytes:
        self.asked.append(command)
        if self.breaks is not None:
            return self.breaks
        if command[:4] == b"\x00\xa4\x04\x00":
            self.is_selected = command[5 : 5 + command[4]] == AID
            return OK if self.is_selected else NO_FILE
        if not self.is_selected:
            return WRONG
        if command[:2] == b"\x00\xb0":
            return self._read(int.from_bytes(command[2:4], "big"), command[4])
        if command[:4] == b"\x80\x88\x00\x00":
            return self._sign(command[5 : 5 + command[4]])
        return WRONG

    def _read(self, at: int, size: int) -> bytes:
        return TOO_FAR if at > len(self.file) else self.file[at : at + size] + OK

    def _sign(self, asked: bytes) -> bytes:
        terminal, journal, sequence = asked.decode().split("|")
        self.counter += 1
        shown = chips.cryptogram(self.key, self.number, self.counter, terminal, journal, int(sequence))
        return self.number.encode() + self.counter.to_bytes(4, "big") + shown + OK


@contextlib.contextmanager
def on_the_reader(card: VirtualCard) -> Iterator[VirtualCard]:
    """The card lies on vpcd's reader until the block ends."""
    line = socket.create_connection(("127.0.0.1", PORT), timeout=30)
    line.settimeout(None)
    thread = threading.Thread(target=_serve, args=(card, line), daemon=True)
    thread.start()
    try:
        yield card
    finally:
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        line.close()
        thread.join(10)
        _until_gone()


def _until_gone() -> None:
    """Until pcscd has seen that the card left: it looks now and then, and would give out the next one for this one."""
    with pcsc.Context() as context:
        for reader in context.readers():
            assert context.wait(reader, is_present=False, within_ms=10_000), f"a card stays on {reader}"


def _serve(card: VirtualCard, line: socket.socket) -> None:
    with contextlib.suppress(OSError, EOFError):
        while True:
            (size,) = struct.unpack(">H", _exactly(line, 2))
            message = _exactly(line, size)
            if size != 1:
                answer = card.answer(message)
            elif message == b"\x04":
                answer = ATR
            else:
                card.reset()
                continue
            line.sendall(struct.pack(">H", len(answer)) + answer)


def _exactly(line: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        part = line.recv(size - len(read))
        if not part:
            raise EOFError
        read += part
    return read


@contextlib.contextmanager
def pcscd() -> Iterator[None]:
    """The daemon with vpcd's reader: the one that runs, or one of our own. Skips where there can be none."""
    debian.need("pcscd", "vsmartcard-vpcd", "libpcsclite1")
    if _listens():
        yield
        return
    daemon = subprocess.Popen(["pcscd", "--foreground"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not _listens():
            assert daemon.poll() is None, "pcscd ended"
            assert time.monotonic() < deadline, "pcscd does not listen"
            time.sleep(0.1)
        yield
    finally:
        daemon.terminate()
        daemon.wait(20)


def _listens() -> bool:
    """Whether vpcd listens; looked up, since a connection would be a card."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        local = [row.split() for row in table.readlines()[1:]]
    return any(row[1].endswith(f":{PORT:04X}") and row[3] == "0A" for row in local)
