"""Packs, lists, codes and cards for gates without a line: what a platform hands out, made here under keys of a test."""

import datetime as dt
import os
from typing import Any

import msgspec
from msgspec.structs import replace
from tests.kit.builders import ITEM

from onecard_kit import card_file, chips, codes
from onecard_kit.card_file import CardFile
from onecard_kit.offline import Knowledge
from onecard_kit.pack import DAYS_OF_CODES, Pack, PackItem, PackKey, PackList, PackPoint, PackTerminal
from onecard_kit.presentation import Chip
from onecard_kit.status_list import Status, StatusList, compress, pack, subject_of
from onecard_kit.suites import ED25519, Purpose, Signer
from onecard_kit.terms import DayKind, Function, Item, Medium, Offline

PLACE = "320600"
DAY = dt.date(2026, 3, 1)
NOON = int(dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=8))).timestamp())
SIGNER = Signer.of(ED25519, b"\x00\x01", bytes(range(32)))
LASTING = Signer.of(ED25519, b"\x00\x02", bytes(range(1, 33)), Purpose.LASTING)
FORGER = Signer.of(ED25519, b"\x00\x01", bytes(32))
RIDE = replace(ITEM, limit=None, offline=Offline(limit_fen=1000, days=7, shortfall="operator"))
CODES_PATH, CARDS_PATH = "/v1/status-lists/320600/{day}", "/v1/status-lists/320600/cards"
TERMINALS_PATH = "/v1/status-lists/320600/terminals"
WEEK_S = 604_800
LISTS = tuple(
    PackList(name, path, WEEK_S, DAYS_OF_CODES if name == "codes" else 0)
    for name, path in (
        ("codes", CODES_PATH), ("papers", "/v1/status-lists/320600/papers"), ("cards", CARDS_PATH),
        ("terminals", TERMINALS_PATH), ("keys", "/v1/keys"),
    )
)  # fmt: skip


def a_key(signer: Signer, **changes: Any) -> PackKey:
    key = signer.public_key
    made = PackKey(PLACE, key.kid.hex(), "ed25519", key.public.hex(), key.purpose, 0, None, None)
    return replace(made, **changes)


def a_pack(item: Item = RIDE, **changes: Any) -> Pack:
    made = Pack(
        issuer=PLACE,
        division=PLACE,
        made=NOON - 60,
        terminal=PackTerminal("NT-BUS-0001", 3, "active", attended=False),
        point=PackPoint("west", "active", "active", PLACE, (), (Medium.CODE, Medium.CARD)),
        items=(PackItem(item.code, "active", None, (msgspec.Raw(msgspec.json.encode(item)),)),),
        areas={"yangtze_delta": ("31", "32", "33", "34")},
        days={DAY: DayKind.WORKING},
        issuers=(PLACE,),
        keys=(a_key(SIGNER), a_key(LASTING)),
        lists=LISTS,
        online_timeout_ms=1500,
    )
    return replace(made, **changes)


def a_list(path: str, marked: dict[int, Status] | None = None, issued: int = NOON - 60) -> StatusList:
    return StatusList(path, issued, issued + 2 * 86_400, 300, compress(pack(4096, (marked or {}).items())))


def knowing(item: Item = RIDE, marked: dict[int, Status] | None = None, **changes: Any) -> Knowledge:
    """A gate that synced a minute ago."""
    lists = [
        a_list(subject_of(PLACE, DAY), marked), a_list(CARDS_PATH, marked), a_list(TERMINALS_PATH),
        a_list("/v1/status-lists/320600/papers", marked),
    ]  # fmt: skip
    told: dict[str, Any] = {
        "pack": a_pack(item),
        "lists": {each.subject: each for each in lists},
        "keys_issued": NOON - 60,
        "contacted": NOON - 60,
    }
    return Knowledge(**(told | changes))


def a_code(signer: Signer = SIGNER, at: int = NOON, **changes: Any) -> str:
    """A code of the window that holds a moment, with a nonce of its own."""
    start = at - at % 60
    claims = codes.Claims(PLACE, signer.kid, 77, codes.Via.SELF, start, start + 60, os.urandom(12))
    return codes.encode(replace(claims, **changes), signer)


def a_file(signer: Signer = LASTING, at: int = NOON, **changes: Any) -> str:
    """The file of the card C20260001, written a day ago for two days."""
    said = CardFile(PLACE, "C20260001", 77, 3, tuple(Function), (), at - 86_400, at + 86_400)
    return card_file.write(replace(said, **changes), signer)


def a_tap(signer: Signer = LASTING, number: str = "C20260001", counter: int = 7, **changes: Any) -> tuple[Chip, str]:
    """What a reader has of a card: the chip's answer and the file."""
    cryptogram = chips.cryptogram(bytes(16), number, counter, "NT-BUS-0001", "j", 1).hex()
    return Chip(number, counter, cryptogram), a_file(signer, **changes)
