"""The terminal page judges as the kit does: the same codes, card files, packs and lists come to the same verdicts."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from playwright.sync_api import Browser, Page
from tests.foundation.web.live import browser
from tests.gateway.page_server import RUN, page_server
from tests.kit import drawn
from tests.kit.builders import AREAS
from tests.kit.packs import (
    DAY,
    FORGER,
    LASTING,
    NOON,
    PLACE,
    SIGNER,
    a_code,
    a_key,
    a_list,
    a_pack,
    a_tap,
    knowing,
)  # fmt: skip

from onecard_kit import codes, pack, status_list
from onecard_kit.codes import CodeRefused, MalformedCode
from onecard_kit.offline import Knowledge, Remembered, decide_offline, read
from onecard_kit.presentation import Presentation
from onecard_kit.status_list import Status
from onecard_kit.suites import ED25519, SM2, Signer
from onecard_kit.terms import DayKind, Function, Item, Medium, Offline

__all__ = ["browser"]
pytestmark = pytest.mark.browser

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "kit/golden/formats.json").read_text("utf-8"))
# Signs packs and lists, so that the key of codes may be withdrawn.
ANCHOR = Signer.of(ED25519, b"\x00\x05", bytes(range(2, 34)))
Run = Callable[[str, Any], Any]


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    """The page's files alone: what is judged here needs no gateway."""
    with page_server() as server:
        yield server.url


@pytest.fixture(scope="module")
def run(browser: Browser, home: str) -> Iterator[Run]:
    """Run a function of the page's modules in the page."""
    page: Page = browser.new_page()
    page.goto(home)
    yield lambda script, argument: page.evaluate(RUN.format(script=script), argument)
    page.close()


VERIFY = """async (load, {keys, texts}) => {
    const [{ verified }, { usable }, { hex }] = await Promise.all([load("code"), load("keys"), load("bytes")]);
    const known = await usable(keys, new Set());
    const told = (claims) => ({ ...claims, nonce: hex(claims.nonce) });
    const refused = (error) => [error.reason ?? String(error), error.flaw];
    return Promise.all(texts.map((text) => verified(text, known).then(told, refused)));
}"""


def told_key(signer: Signer, issuer: str = PLACE) -> dict[str, str]:
    key = signer.public_key
    return {
        "issuer": issuer, "kid": key.kid.hex(), "suite": key.suite.name, "public": key.public.hex(),
        "purpose": key.purpose.value,
    }  # fmt: skip


def by_kit(text: str, signers: list[tuple[str, Signer]]) -> Any:
    """What the kit says of a text, as the page would tell it; it knows the keys of the page's one suite."""
    keys = {(issuer, each.kid): each.public_key for issuer, each in signers if each.public_key.suite is ED25519}
    try:
        claims = codes.verify(text, keys)
    except MalformedCode as refused:
        return [refused.reason.value, refused.flaw.value]
    except CodeRefused as refused:
        return [refused.reason.value, None]
    plain = {name: getattr(claims, name) for name in ("issuer", "ref", "via", "not_before", "expires")}
    return plain | {"kid": claims.kid.hex(), "nonce": claims.nonce.hex(), "classes": list(claims.classes)}


def test_golden_codes_are_read_as_the_kit_reads_them(run: Run) -> None:
    kids = {(row["claims"]["issuer"], row["claims"]["kid"], row["claims"]["via"]) for row in GOLDEN["codes"]}
    seed = bytes.fromhex(GOLDEN["seed"])
    signers = [
        (issuer, Signer.of(ED25519, bytes.fromhex(kid), seed, codes._SIGNED_WITH[via])) for issuer, kid, via in kids
    ]
    rows = [*GOLDEN["codes"], *GOLDEN["sm2"]["codes"]]
    texts = [row["text"] for row in rows]
    found = run(VERIFY, {"keys": [told_key(each, issuer) for issuer, each in signers], "texts": texts})
    assert found == [by_kit(text, signers) for text in texts]
    assert [each["ref"] for each in found[: len(GOLDEN["codes"])]] == [
        row["claims"]["ref"] for row in GOLDEN["codes"]
    ]  # fmt: skip


def altered(chance: random.Random, text: str) -> str:
    """A code with something wrong about it, most often deep inside."""
    raw = bytearray(codes._from_base32(text[4:]))
    match chance.randrange(8):
        case 0:
            at = chance.randrange(len(text))
            return text[:at] + chance.choice("ABCZ27 01ſı.-é") + text[at + 1 :]
        case 1:
            return text[: chance.randrange(len(text))]
        case 2:
            return text + chance.choice(["A", "AA", "=", "\n"])
        case 3:
            del raw[chance.randrange(len(raw))]
        case 4:
            raw.insert(chance.randrange(len(raw)), chance.randrange(256))
        case 5:
            raw[chance.randrange(12, 70)] = chance.randrange(256)
        case _:
            for _ in range(chance.randrange(1, 4)):
                raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return "OC1." + codes._to_base32(bytes(raw))


def test_thousands_of_altered_codes_are_refused_for_the_same_reason(run: Run) -> None:
    chance = random.Random(20)
    signers = [(PLACE, SIGNER), (PLACE, LASTING), ("310000", FORGER)]
    sm2 = Signer.of(SM2, b"\x00\x03", bytes(range(32)))
    good = [
        a_code(), a_code(ref=0), a_code(ref=24, classes=(1, 23, 24, 255)), a_code(ref=2**24 - 1, via=codes.Via.FAMILY),
        a_code(LASTING, via=codes.Via.PAPER), a_code(FORGER, issuer="310000"), a_code(FORGER), a_code(sm2),
        a_code(issuer="360700"), a_code(Signer.of(ED25519, b"\x00\x09", bytes(32))),
    ]  # fmt: skip
    texts = good + [altered(chance, chance.choice(good)) for _ in range(3000)]
    texts += ["", "OC1.", "oc1.", "OC1.A", "OC1.AA", "x" * 221, "OC1." + "7" * 216, "OC1." + "A" * 216]
    keys = [told_key(each, issuer) for issuer, each in [*signers, (PLACE, sm2)]]
    found = run(VERIFY, {"keys": keys, "texts": texts})
    expected = [by_kit(text, signers) for text in texts]
    assert [(t, f, e) for t, f, e in zip(texts, found, expected, strict=True) if f != e] == []
    assert {each[1] if each[1] else each[0] for each in expected if isinstance(each, list)} >= {
        "length", "prefix", "base32", "algorithm", "envelope", "claims", "unknown_key", "bad_signature",
    }  # fmt: skip


# --- the decision -------------------------------------------------------------------------------------------------

DECIDE = """async (load, cases) => {
    const modules = await Promise.all(["keys", "lists", "decide"].map(load));
    const { usable, byKid, readList, readPack, read, decideOffline } = Object.assign({}, ...modules);
    const knowing = async ({ pack: text, anchors, lists, withdrawn, keysIssued, contacted }) => {
        const gone = new Set(withdrawn);
        const pack = await readPack(text, byKid(await usable(anchors, gone), anchors[0].issuer));
        const keys = await usable(pack.keys, gone);
        const signers = byKid(keys, pack.issuer);
        const held = Object.entries(lists).map(async ([path, each]) => [path, await readList(each, signers)]);
        return { pack, keys, lists: new Map(await Promise.all(held)), keysIssued, contacted };
    };
    return Promise.all(cases.map(async ({ told, asked, file, now, spent }) => {
        const known = await knowing(told);
        const shown = await read(asked, file, known, now);
        const { verdict, paid_fen, lists } = decideOffline(asked, shown, known, spent, now);
        return { verdict, paid_fen, lists };
    }));
}"""


def as_told(known: Knowledge) -> dict[str, Any]:
    """What a page would have fetched to know the same."""
    assert known.pack is not None
    return {
        "pack": pack.to_jwt(known.pack, ANCHOR),
        "anchors": [told_key(ANCHOR)],
        "lists": {path: status_list.to_jwt(each, ANCHOR) for path, each in known.lists.items()},
        "withdrawn": [f"{issuer}:{kid.hex()}" for issuer, kid in known.withdrawn],
        "keysIssued": known.keys_issued,
        "contacted": known.contacted,
    }


def case(
    known: Knowledge, asked: Presentation, file: str | None = None, now: int = NOON, spent: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A case as the page takes it, and what the kit comes to."""
    outcome = decide_offline(asked, read(asked, file, known, now), known, Remembered(spent=spent), now)
    given = {
        "told": as_told(known), "asked": msgspec.to_builtins(asked), "file": file, "now": now, "spent": spent,
    }  # fmt: skip
    return given, {"verdict": outcome.verdict.value, "paid_fen": outcome.paid_fen, "lists": outcome.lists}


def without(nothing: dict[str, Any]) -> dict[str, Any]:
    """A presentation as the page makes it: what is not given is not there."""
    return {name: value for name, value in nothing.items() if value is not None}


def compare(run: Run, cases: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    given = [each | {"asked": without(each["asked"])} for each, _ in cases]
    found = run(DECIDE, given)
    wrong = [
        (each["asked"], mine, kits) for each, mine, (_, kits) in zip(given, found, cases, strict=True) if mine != kits
    ]
    assert wrong == []


FAULTS = (
    "offline", "limit", "away", "old", "missing", "terminal", "client", "point", "hours", "item", "nowhere", "mark",
    "marked", "withdrawn", "offer", "over", "time", "amount", "spent", "forged", "media", "region",
)  # fmt: skip


@st.composite
def situations(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """An item, a place, lists and a presentation: most often good ones, so that prices are met as well as refusals."""
    fault = draw(st.sampled_from([*[None] * len(FAULTS), *FAULTS]))
    suspended = "suspended" if draw(st.booleans()) else "active"
    item: Item = draw(drawn.items().filter(lambda each: each.journey is None))
    offline = Offline(limit_fen=draw(st.integers(0, 600)) if fault == "limit" else 1000, days=2, shortfall="operator")
    item = replace(item, offline=None if fault == "offline" else offline)
    if fault == "media":
        item = replace(item, media=(draw(st.sampled_from(Medium)),))
    if fault == "region":
        item = replace(item, region=draw(st.sampled_from([*AREAS.places, "local", "nowhere"])))
    marked = {draw(st.sampled_from([3, 77])): draw(st.sampled_from(list(Status)))} if fault == "marked" else {}
    base = knowing(item, {**marked, 4000: Status.INVALID})
    made = a_pack(item, areas=AREAS.places, days={DAY: draw(st.sampled_from(DayKind))})
    made = replace(
        made,
        point=replace(
            made.point,
            state=suspended if fault == "point" else "active",
            client_state=suspended if fault == "client" else "active",
            hours=(draw(drawn.whens),) if fault == "hours" else (),
        ),
        items=tuple(
            replace(each, state=suspended if fault == "item" else "active", offered=fault != "offer")
            for each in made.items
        ),
        terminal=replace(made.terminal, state=suspended if fault == "terminal" else "active"),
        keys=(a_key(SIGNER, verifies_to=NOON if fault == "over" else None), a_key(LASTING), a_key(ANCHOR)),
    )
    issued = NOON - (700_000 if fault == "old" and draw(st.booleans()) else 60)
    lists = {path: a_list(path, marked, issued) for path in base.lists if fault != "missing" or draw(st.booleans())}
    known = replace(
        base, pack=made, lists=lists, withdrawn=((PLACE, SIGNER.kid),) if fault == "withdrawn" else (),
        contacted=draw(st.sampled_from([None, NOON - 172_800, NOON - 172_801])) if fault == "away" else NOON - 60,
        keys_issued=draw(st.sampled_from([None, NOON - 604_800, NOON - 604_801])) if fault == "old" else NOON,
    )  # fmt: skip
    now = NOON + (draw(st.sampled_from([-6, -5, 64, 65, 6 * 3600, 86_400])) if fault == "time" else 0)
    amount = draw(st.integers(1, 1000)) if item.price is not None and item.price.open_fen else None
    amount = draw(st.none() | st.integers(1, 1100)) if fault == "amount" else amount
    code = "transit.nowhere" if fault == "nowhere" else item.code
    classes = tuple(sorted(draw(st.sets(st.sampled_from([1, 2, 3, 4, 200]), max_size=3))))
    issuer = draw(st.sampled_from([PLACE, "310000"])) if fault == "region" else PLACE
    serial = 4000 if fault == "mark" else 77
    if draw(st.booleans()):
        signer = FORGER if fault == "forged" else LASTING
        functions = draw(st.lists(st.sampled_from(Function), unique=True, min_size=2))
        named = tuple(each for each in Function if each in functions)
        chip, file = a_tap(LASTING, serial=serial, classes=classes, functions=named)
        file = draw(st.sampled_from(["", file[:-2], file.lower()])) if signer is FORGER else file
        return case(known, Presentation(code, card=chip, amount_fen=amount), file, now, fault == "spent")
    signer, via = draw(st.sampled_from([(SIGNER, 0), (SIGNER, 1), (LASTING, 2)]))
    signer = FORGER if fault == "forged" else signer
    text = a_code(signer, ref=serial, classes=classes, via=codes.Via(0 if signer is FORGER else via), issuer=issuer)
    return case(known, Presentation(code, text, amount_fen=amount), None, now, fault == "spent")


# A page takes many cases at once, which is quicker than one at a time; and shrinking twenty takes for ever.
@given(cases=st.lists(situations(), min_size=20, max_size=20))
@settings(max_examples=25, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_whatever_is_known_and_shown_comes_to_the_same(run: Run, cases: list[Any]) -> None:
    compare(run, cases)
