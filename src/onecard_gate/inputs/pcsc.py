"""PC/SC by the system's own library, libpcsclite.so.1 (pcscd), through ctypes: the one that PyPI's binding would be
compiled against, and patched with the system. Readers, waiting for a card, and commands to it.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, Structure, byref, c_char, c_char_p, c_long, c_ubyte, c_ulong, c_void_p, create_string_buffer
from functools import cache
from typing import Any, Final

from onecard_gate.asked import CardGone

LIBRARY: Final = "libpcsclite.so.1"
_ANSWER_BYTES: Final = 258 + 2
_SCOPE_SYSTEM, _SHARE_SHARED, _RESET_CARD = 2, 2, 1
_T0, _T1 = 1, 2
_UNAWARE, _PRESENT, _MUTE = 0x0000, 0x0020, 0x0200
_OK, _TIMEOUT = 0, 0x8010000A
_NO_READERS: Final = frozenset({0x8010002E, 0x80100017})
_NAMES: Final = {0x8010001D: "pcscd is not running", 0x8010002E: "there is no reader", 0x80100017: "there is no reader"}


class PcscError(Exception):
    """The library or pcscd says no; `code` is PC/SC's."""

    def __init__(self, code: int) -> None:
        super().__init__(_NAMES.get(code, f"PC/SC error {code:#010x}"))
        self.code = code


class _State(Structure):
    _fields_ = [
        ("reader", c_char_p), ("user", c_void_p), ("current", c_ulong), ("event", c_ulong), ("atr_size", c_ulong),
        ("atr", c_ubyte * 33),
    ]  # fmt: skip


class _Header(Structure):
    _fields_ = [("protocol", c_ulong), ("size", c_ulong)]


@cache
def _library() -> Any:
    """The library with its functions' types. Raises OSError when it is not installed."""
    library = ctypes.CDLL(LIBRARY)
    handle, number, numbers = c_long, c_ulong, POINTER(c_ulong)
    types = {
        "SCardEstablishContext": (number, c_void_p, c_void_p, POINTER(handle)),
        "SCardReleaseContext": (handle,),
        "SCardCancel": (handle,),
        "SCardListReaders": (handle, c_char_p, POINTER(c_char), numbers),
        "SCardGetStatusChange": (handle, number, POINTER(_State), number),
        "SCardConnect": (handle, c_char_p, number, number, POINTER(handle), numbers),
        "SCardDisconnect": (handle, number),
        "SCardTransmit": (handle, POINTER(_Header), c_char_p, number, c_void_p, POINTER(c_ubyte), numbers),
    }
    for name, arguments in types.items():
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, c_long
    return library


def is_installed() -> bool:
    try:
        _library()
    except OSError:
        return False
    return True


def _call(name: str, *arguments: Any) -> None:
    """Raises PcscError for everything but success."""
    code = getattr(_library(), name)(*arguments) & 0xFFFFFFFF
    if code != _OK:
        raise PcscError(code)


class Context:
    """A connection to pcscd. Use it in a ``with``. Raises OSError without the library, PcscError without pcscd."""

    def __init__(self) -> None:
        self._handle = c_long()

    def __enter__(self) -> "Context":
        _call("SCardEstablishContext", _SCOPE_SYSTEM, None, None, byref(self._handle))
        return self

    def __exit__(self, *_: object) -> None:
        _library().SCardReleaseContext(self._handle)

    def readers(self) -> list[str]:
        """The names of the readers that are plugged in."""
        size = c_ulong(0)
        try:
            _call("SCardListReaders", self._handle, None, None, byref(size))
            names = create_string_buffer(size.value)
            _call("SCardListReaders", self._handle, None, names, byref(size))
        except PcscError as error:
            if error.code in _NO_READERS:
                return []
            raise
        return [name.decode("utf-8", "replace") for name in names.raw.split(b"\0") if name]

    def wait(self, reader: str, is_present: bool, within_ms: int) -> bool:
        """Wait until a card is there, or is gone; False when the time is over before."""
        state = _State(reader=reader.encode(), current=_UNAWARE)
        try:
            _call("SCardGetStatusChange", self._handle, 0, byref(state), 1)
            if self._fits(state, is_present):
                return True
            state.current = state.event
            _call("SCardGetStatusChange", self._handle, within_ms, byref(state), 1)
        except PcscError as error:
            if error.code == _TIMEOUT:
                return False
            raise
        return self._fits(state, is_present)

    @staticmethod
    def _fits(state: _State, is_present: bool) -> bool:
        return bool(state.event & _PRESENT and not state.event & _MUTE) == is_present

    @contextmanager
    def card(self, reader: str) -> Iterator["Card"]:
        """The card on a reader. Raises CardGone when there is none any more."""
        handle, protocol = c_long(), c_ulong()
        try:
            _call(
                "SCardConnect", self._handle, reader.encode(), _SHARE_SHARED, _T0 | _T1, byref(handle), byref(protocol)
            )  # fmt: skip
        except PcscError as error:
            raise CardGone(str(error)) from None
        try:
            yield Card(handle, protocol.value)
        finally:
            _library().SCardDisconnect(handle, _RESET_CARD)


class Card:
    """A card that answers."""

    def __init__(self, handle: c_long, protocol: int) -> None:
        self._handle, self._protocol = handle, protocol

    def transmit(self, command: bytes) -> bytes:
        """Its answer, with the two status bytes. Raises CardGone."""
        header = _Header(self._protocol, ctypes.sizeof(_Header))
        answer, size = (c_ubyte * _ANSWER_BYTES)(), c_ulong(_ANSWER_BYTES)
        try:
            _call(
                "SCardTransmit", self._handle, byref(header), command, len(command), None, answer, byref(size)
            )  # fmt: skip
        except PcscError as error:
            raise CardGone(str(error)) from None
        return bytes(answer[: size.value])
