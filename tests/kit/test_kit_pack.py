"""The pack: what was signed is read, by a gate of another age too, and a stranger's is refused."""

import datetime as dt
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecard_kit.decide import Place
from onecard_kit.pack import (
    JWT_TYPE,
    Pack,
    PackItem,
    PackKey,
    PackList,
    PackPoint,
    PackTerminal,
    from_jwt,
    to_jwt,
)
from onecard_kit.status_list import ListRefused, sign_jwt
from onecard_kit.suites import ED25519, Purpose, Signer
from onecard_kit.terms import Bilingual, DayKind, Item, Medium, When

SIGNER = Signer.of(ED25519, b"\x00\x07", bytes(range(32)))
KEYS = {SIGNER.kid: SIGNER.public_key}
MARCH, APRIL = dt.date(2026, 3, 1), dt.date(2026, 4, 1)
MADE = 1_772_294_400


def an_item(version: int, starts_on: dt.date, ends_on: dt.date | None = None) -> Item:
    name = Bilingual(zh="乘车", en="Ride")
    return Item(
        code="transit.ride", version=version, starts_on=starts_on, ends_on=ends_on, name=name, legal_basis=("x",)
    )  # fmt: skip


def a_key(purpose: Purpose = Purpose.CODES, verifies_to: int | None = None, kid: str = "0007") -> PackKey:
    return PackKey("320600", kid, "ed25519", SIGNER.public_key.public.hex(), purpose, MADE, verifies_to, verifies_to)


def a_pack(*versions: object, keys: tuple[PackKey, ...] = (a_key(),)) -> Pack:
    return Pack(
        issuer="320600",
        division="320600",
        made=MADE,
        terminal=PackTerminal("NT-BUS-0001", 17, "active", attended=False),
        point=PackPoint("NT-BUS", "active", "active", "320602", (When(hours=(("06:00", "22:00"),)),), (Medium.CODE,)),
        items=(PackItem("transit.ride", "active", 40, tuple(msgspec.Raw(msgspec.json.encode(v)) for v in versions)),),
        areas={"delta": ("32", "33")},
        days={MARCH: DayKind.HOLIDAY},
        issuers=("320600",),
        keys=keys,
        lists=(PackList("codes", "/v1/status-lists/320600/{day}", 604_800),),
        online_timeout_ms=1500,
    )


def test_what_was_signed_is_what_a_gate_decides_by() -> None:
    first, second = an_item(1, MARCH, APRIL), an_item(2, APRIL)
    read = from_jwt(to_jwt(a_pack(first, second), SIGNER), KEYS)
    assert read == a_pack(first, second)
    assert [read.item_on("transit.ride", day) for day in (MARCH, APRIL, MARCH - dt.timedelta(days=1))] == [
        first, second, None,
    ]  # fmt: skip
    assert read.item_on("transit.other", MARCH) is None
    hours = (When(hours=(("06:00", "22:00"),)),)
    place = Place("active", "active", "active", "active", True, "320602", "NT-BUS", hours, (Medium.CODE,), 40)
    assert read.place_for("transit.ride") == place
    assert read.place_for("transit.other").item_state is None
    assert not read.place_for("transit.other").offered
    assert [read.kind_of(MARCH + dt.timedelta(days=n)) for n in (0, 1, 6)] == [
        DayKind.HOLIDAY, DayKind.WORKING, DayKind.WEEKEND,
    ]  # fmt: skip
    assert read.area_sets.holds("delta", "330100")
    assert read.list_of("codes").path_of(MARCH) == "/v1/status-lists/320600/2026-03-01"


def test_a_version_that_this_gate_is_too_old_for_is_left_out_alone() -> None:
    newer = {**msgspec.to_builtins(an_item(2, APRIL)), "only_by_moonlight": True}
    read = from_jwt(to_jwt(a_pack(an_item(1, MARCH, APRIL), newer), SIGNER), KEYS)
    assert read.item_on("transit.ride", MARCH) == an_item(1, MARCH, APRIL)
    assert read.item_on("transit.ride", APRIL) is None
    assert [each.partition(":")[0] for each in read.unread] == ["transit.ride"]
    assert "only_by_moonlight" in read.unread[0]


def test_a_key_past_its_time_verifies_nothing_and_one_of_a_newer_suite_is_passed_over() -> None:
    newer = msgspec.structs.replace(a_key(kid="0009"), suite="ed448")
    keys = (a_key(), a_key(Purpose.LASTING, kid="0008", verifies_to=MADE), newer)
    read = from_jwt(to_jwt(a_pack(keys=keys), SIGNER), KEYS)
    assert set(read.public_keys(MADE - 1)) == {("320600", b"\x00\x07"), ("320600", b"\x00\x08")}
    assert set(read.public_keys(MADE)) == {("320600", b"\x00\x07")}
    assert read.public_keys(MADE - 1)["320600", b"\x00\x08"].purpose is Purpose.LASTING


def test_a_newer_platforms_pack_is_read() -> None:
    said = {**json.loads(msgspec.json.encode(a_pack(an_item(1, MARCH)))), "weather": "fair"}
    assert from_jwt(sign_jwt(JWT_TYPE, said, SIGNER), KEYS).item_on("transit.ride", MARCH) == an_item(1, MARCH)


@pytest.mark.parametrize(
    "text",
    [
        to_jwt(a_pack(), Signer.of(ED25519, SIGNER.kid, bytes(32))),
        sign_jwt("statuslist+jwt", {}, SIGNER),
        sign_jwt(JWT_TYPE, {}, SIGNER),
        sign_jwt(JWT_TYPE, {**json.loads(msgspec.json.encode(a_pack())), "made": "now"}, SIGNER),
        to_jwt(a_pack(keys=(msgspec.structs.replace(a_key(), public="00"),)), SIGNER),
        to_jwt(a_pack(keys=(msgspec.structs.replace(a_key(), kid="zz"),)), SIGNER),
    ],
    ids=["another's signature", "another kind", "nothing", "no time", "a short key", "no kid"],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ListRefused):
        from_jwt(text, KEYS)


@given(st.text(max_size=200))
def test_noise_is_no_pack(noise: str) -> None:
    with pytest.raises(ListRefused):
        from_jwt(noise, KEYS)
