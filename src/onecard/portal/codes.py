"""View values of the e-card page: the card's face, and codes as a phone draws them."""

import base64
import datetime as dt
import json
from dataclasses import dataclass

from markupsafe import Markup

from onecard.foundation.actors import Actor
from onecard.foundation.web.qr import drawn, matrix_of
from onecard.kernel.ecards import queries as ecards
from onecard.kernel.holders import queries as holders
from onecard.portal import reading
from onecard.portal.gateway import Code
from onecard.portal.reading import CardFace


@dataclass(frozen=True)
class Face:
    """Whose card is on screen, and its e-card's serial; None where it has none that is open."""

    card: CardFace
    name: str
    number: str
    serial: int | None
    usable: bool


@dataclass(frozen=True)
class Codes:
    """Codes to show one after another: the first drawn, and all of them as a script takes them."""

    drawn: Markup
    data: str
    left_s: int


def face(holder_id: int) -> Face | None:
    """The holder's card that an e-card stands on: the newest that is active, else the newest. None if there is none."""
    cards = reading.my_cards(holder_id)
    if not cards:
        return None
    card = next((each for each in cards if each.is_active), cards[0])
    ecard = ecards.of_card(card.id)
    line = holders.by_id(Actor(f"holder:{holder_id}", frozenset({"holders.read"})), holder_id)
    serial = ecard.serial if ecard is not None and ecard.closed_at is None else None
    return Face(card, line.name if line else "", line.number if line else "", serial, card.is_active)


def revealed(actor: Actor, holder_id: int) -> dict[str, str]:
    """The holder's own name and number, unmasked for showing the licence; leaves a fact."""
    return holders.reveal(actor, holder_id, ("name", "number"), "持卡人亮证")


def codes(server_time: int, windows: list[Code]) -> Codes:
    """What a page shows of codes fetched at a moment of the gateway's clock."""
    matrices = [matrix_of(window.text) for window in windows]
    data = [
        {"from": window.not_before, "to": window.expires, "size": len(matrix), "bits": _bits(matrix)}
        for window, matrix in zip(windows, matrices, strict=True)
    ]
    return Codes(
        drawn=drawn(matrices[0]),
        data=json.dumps({"now": server_time, "windows": data}, separators=(",", ":")),
        left_s=max(0, windows[0].expires - server_time),
    )


def _bits(matrix: list[list[bool]]) -> str:
    """The modules row by row, eight to a byte, in base64: a tenth of what an image takes."""
    flat = "".join("1" if dark else "0" for row in matrix for dark in row)
    padded = flat + "0" * (-len(flat) % 8)
    return base64.b64encode(int(padded, 2).to_bytes(len(padded) // 8, "big")).decode()


def spaced(number: str) -> str:
    """A number to read aloud, in groups of four."""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def time_of(unix_s: int) -> dt.datetime:
    """A moment of the gateway's clock."""
    return dt.datetime.fromtimestamp(unix_s, dt.UTC)
