"""A journal (流水簿) as text: what a gate without a line writes down, and what it uploads once the line is back.

    <mac> SP <previous> SP <json> LF
    mac = hex( HMAC( key, journal LF previous LF json ) )

`json` is a `JournalLine` in UTF-8 without a line end. `previous` is the mac of the line before, or the journal's id in
text where there is none. The HMAC is of the terminal's key `key_id`, with the algorithm of that key
(`requests.MACS`); hex in lower case. So each line shows by itself who wrote it and in which journal, wherever it
stands and whatever is missing around it, and a line that was altered, removed or moved shows in the chain.

    LineRefused     not a line of a journal; `flaw` says where it stops being one
"""

import hmac
import re
from typing import Annotated, Final

import msgspec

from onecard_kit.presentation import Chip, Presentation
from onecard_kit.requests import Mac
from onecard_kit.terms import Leg

LINE_BYTES_MAX: Final = 8192
SEQUENCE_MAX: Final = 2**63 - 1
MAC_CHARS: Final = 64
_INT64 = msgspec.Meta(ge=0, le=SEQUENCE_MAX)
# To the end of the year 9999, so that every clock's reading has a date.
_MOMENT_MS = msgspec.Meta(ge=0, le=253_402_300_799_999)
_SHIFT_MS = msgspec.Meta(ge=-253_402_300_799_999, le=253_402_300_799_999)
_NAME = msgspec.Meta(max_length=100)
_TEXT = msgspec.Meta(max_length=200)
_SHOWN = msgspec.Meta(max_length=2000)


class JournalLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One presentation as a gate decided it.

    sequence  its number in the journal; lines stand in ascending order, numbers may be left out
    at_ms     the moment as the gate knew it, Unix milliseconds: its wall clock, with `shift_ms`
    shift_ms  what it added to its wall clock after a time signal of the platform; None: it never had one
    item, code, card, amount_fen, leg   what was presented, as in a request
    card_file the signed file that was read from a physical card, in text; no part of the content
    verdict   the gate's own; `manual`: admitted by hand, whatever the verdict
    paid_fen  what the gate's terms came to
    lists     what it decided on: the moment at which each list was made (Unix seconds), by name
    reason    a word of the gate or of its staff, for whoever looks at the line
    """

    sequence: Annotated[int, _INT64]
    at_ms: Annotated[int, _MOMENT_MS]
    shift_ms: Annotated[int, _SHIFT_MS] | None
    key_id: Annotated[int, _INT64]
    item: Annotated[str, _NAME]
    code: Annotated[str, _SHOWN] | None = None
    card: Chip | None = None
    card_file: Annotated[str, _SHOWN] | None = None
    amount_fen: int | None = None
    leg: Leg | None = None
    verdict: Annotated[str, _NAME]
    paid_fen: Annotated[int, _INT64]
    manual: bool = False
    lists: Annotated[dict[Annotated[str, _NAME], Annotated[int, _INT64]], msgspec.Meta(max_length=20)] = {}
    reason: Annotated[str, _TEXT] | None = None

    @property
    def presentation(self) -> Presentation:
        """What was presented; its `content` is the same as that of the request that went online before."""
        return Presentation(self.item, self.code, self.card, self.amount_fen, self.leg)


class LineRefused(ValueError):
    """A text that is no line of a journal. `flaw` is a sentence in English for a log."""

    def __init__(self, flaw: str) -> None:
        super().__init__(flaw)
        self.flaw = flaw


class Written(msgspec.Struct, frozen=True, gc=False):
    """A line as it stands in a file or an upload; nobody has looked yet whether `mac` is right."""

    mac: str
    previous: str
    json: bytes
    line: JournalLine

    @property
    def raw(self) -> bytes:
        """The line as it stood, with its line end."""
        return b"%s %s %s\n" % (self.mac.encode(), self.previous.encode(), self.json)

    def is_of(self, journal: str, key: bytes, mac: Mac) -> bool:
        """Whether the holder of this key wrote it into this journal; compared in constant time."""
        return hmac.compare_digest(_mac(journal, self.previous, self.json, key, mac), self.mac)


# The mac of the line before, or a journal's id: a UUID in its usual text.
_PREVIOUS = r"[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_LINE: Final = re.compile(rf"([0-9a-f]{{64}}) ({_PREVIOUS}) (\{{[^\n]*\}})\n".encode())
_lines: Final = msgspec.json.Decoder(JournalLine)


def encode(line: JournalLine, journal: str, previous: str, key: bytes, mac: Mac) -> tuple[bytes, str]:
    """The line's text, and its mac, which is the `previous` of the next one.

    Raises LineRefused for a line that nobody would read: no presentation, or above 8,192 bytes.
    """
    try:
        json = msgspec.json.encode(line)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        raise LineRefused("it cannot be written as JSON") from None
    own = _mac(journal, previous, json, key, mac)
    raw = b"%s %s %s\n" % (own.encode(), previous.encode(), json)
    decode(raw)
    return raw, own


def decode(raw: bytes) -> Written:
    """Read one line with its line end, strictly. Raises LineRefused, and nothing else."""
    if len(raw) > LINE_BYTES_MAX:
        raise LineRefused(f"it has more than {LINE_BYTES_MAX} bytes")
    found = _LINE.fullmatch(raw)
    if found is None:
        raise LineRefused("it is not mac, previous and JSON, with one space between and a line end")
    mac, previous, json = found.groups()
    try:
        line = _lines.decode(json)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise LineRefused(str(error)) from None
    flaw = line.presentation.flaw
    if flaw is not None:
        raise LineRefused(flaw)
    return Written(mac.decode(), previous.decode(), json, line)


def _mac(journal: str, previous: str, json: bytes, key: bytes, mac: Mac) -> str:
    return mac.of(key, f"{journal}\n{previous}\n".encode() + json).hex()
