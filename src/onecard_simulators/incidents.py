"""What goes wrong in a city, each at least once a day: theft, forgery, mistakes, devices that lie.

Each incident calls its people away from their errands before its first await, so that nobody is in two places.
"""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import TypeGuard

from onecard_simulators.expecting import left_open
from onecard_simulators.resident import Expected
from onecard_simulators.visits import Day, Holder, Shown, Visit
from onecard_simulators.wire import Chip, Reply, Terminal

RIDE, METRO, TOPUP = "transit.bus_ride", "transit.metro_ride", "payments.purse_topup"
ENTRY, MUSEUM, CAMPUS = "culture.library_entry", "culture.museum_entry", "education.campus_entry"
PASS, SCENIC, PURCHASE = "tourism.park_pass", "tourism.scenic_entry", "payments.shop_purchase"
MEAL, CARE, SIGN_ON = "living.canteen_meal", "protection.elder_care_visit", "government.sign_on"
LODGING, IDENTITY = "living.lodging_registration", "government.window_identity"
NOBODY = Chip("Z99999999", bytes(16), 0)
FREQUENT_RIDES, MEALS, BIG_FEN, LAST_PLACES, MISSES = 21, 4, 450_000, 40, 6
OFF_S = 3600


async def code_at_two_gates(day: Day) -> None:
    """A code is photographed and shown again elsewhere: once one after the other, once both at the same moment."""
    first, second = day.take("resident", phone=True), day.take("resident", phone=True)
    if first is None or second is None:
        return
    shown = await day.show(first, day.terminals[0], 0)
    assert shown is not None
    await day.visit(first, RIDE, shown=shown)
    await day.visit(None, RIDE, shown=shown, wanted=[Expected("REPLAYED")])
    shown = await day.show(second, day.terminals[0], 0)
    assert shown is not None
    admitted = day.hoped(second, RIDE)
    both = [admitted, Expected("REPLAYED")]
    visits = await asyncio.gather(*(day.visit(None, RIDE, shown=shown, wanted=both) for _ in range(2)))
    if {visit.came for visit in visits if visit} != set(both):
        day.surprise(f"one code at two gates at once came to {[visit.came for visit in visits if visit]}")


async def copied_chip(day: Day) -> None:
    """An answer of a chip is recorded and played at another gate; a clone of the chip is a reading behind."""
    holder = day.take("resident", phone=False)
    if holder is None or holder.chip is None:
        return
    terminal = day.terminal(RIDE)
    sequence = terminal.next()
    answer = holder.chip.answer(terminal, sequence)
    await day.visit(holder, RIDE, shown=Shown({"card": answer}), terminal=terminal, sequence=sequence)
    elsewhere = day.terminal(RIDE, other_than=terminal)
    wrong = Expected("CRYPTOGRAM_INVALID")
    await day.visit(None, RIDE, shown=Shown({"card": answer}), terminal=elsewhere, wanted=[wrong])
    sequence = elsewhere.next()
    clone = Shown({"card": holder.chip.answer(elsewhere, sequence, counter=holder.chip.counter)})
    await day.visit(None, RIDE, shown=clone, terminal=elsewhere, sequence=sequence, wanted=[Expected("REPLAYED")])


async def codes_that_are_none(day: Day) -> None:
    """Yesterday's screenshots, a code before its time, a forged one, a shop's own QR code."""
    holder = day.take("resident", phone=True)
    for stale in day.pockets["stale_codes"]:
        await day.visit(None, RIDE, shown=Shown({"code": stale["code"]}), wanted=[Expected("CODE_EXPIRED")])
    await day.visit(None, ENTRY, shown=Shown({"code": "HTTPS://EXAMPLE.ORG/"}), wanted=[Expected("CODE_MALFORMED")])
    if holder is None:
        return
    windows = (await day.gateway.windows(holder.token or "", 3)).body["windows"]
    early = Shown({"code": windows[2]["code"]})
    await day.visit(None, RIDE, shown=early, wanted=[Expected("CODE_NOT_YET_VALID")])
    code = windows[0]["code"]
    forged = Shown({"code": code[:-20] + ("A" if code[-20] != "A" else "B") + code[-19:]})
    await day.visit(None, RIDE, shown=forged, wanted=[Expected("SIGNATURE_INVALID")])


async def numbers_read_aloud(day: Day) -> None:
    """No reader takes the code on a phone, so its holder says a number to staff. Once it is misheard, once said again,
    once at a gate where nobody listens, and once for what costs money.
    """
    holder = day.take("senior_70", phone=True)
    number = await _number(day, holder)
    if holder is None or number is None:
        return
    desk = day.terminal(LODGING, attended=True)
    misheard = replace(number, content={"number": _misheard(number.content["number"])})
    await day.visit(None, LODGING, shown=misheard, terminal=desk, wanted=[Expected("NUMBER_MALFORMED")])
    await day.visit(holder, ENTRY, shown=number, terminal=day.terminal(ENTRY, attended=False))
    await day.visit(holder, CARE, shown=number, terminal=day.terminal(CARE, attended=True))
    await day.visit(holder, LODGING, shown=number, terminal=desk)
    await day.visit(None, LODGING, shown=number, terminal=desk, wanted=[Expected("REPLAYED")])
    newer = await _number(day, holder)
    if newer is not None:
        await day.visit(None, LODGING, shown=number, terminal=desk, wanted=[Expected("NUMBER_UNKNOWN")])
        await day.visit(holder, ENTRY, shown=newer, terminal=day.terminal(ENTRY, attended=True))


async def numbers_tried(day: Day) -> None:
    """Somebody tries numbers at window after window, until each is stopped; codes and cards are taken there as ever."""
    holder = day.take("senior_70", phone=True)
    windows = [each for each in day.terminals if IDENTITY in each.items and each.attended]
    drawn = (f"{day.rng.randrange(10**11):011d}" for _ in range(MISSES * len(windows)))
    for window in windows * MISSES:
        digits = next(drawn)
        said = Shown({"number": digits + _check_digit(digits)})
        wanted = [Expected("NUMBER_UNKNOWN"), Expected("NUMBER_LIMITED")]
        await day.visit(None, IDENTITY, shown=said, terminal=window, wanted=wanted)
    number = await _number(day, holder)
    for window in windows if number is not None and holder is not None else ():
        await day.visit(None, IDENTITY, shown=number, terminal=window, wanted=[Expected("NUMBER_LIMITED")])
        await day.visit(holder, IDENTITY, terminal=window)


async def registered_in_two_towns(day: Day) -> None:
    """A card is registered at a hotel, and a moment later, by whoever has a copy of it, at another two hours away."""
    holder = day.take("resident", phone=False)
    desks = {each.point: each for each in day.terminals if LODGING in each.items and each.attended}
    for desk in desks.values() if holder is not None else ():
        await day.visit(holder, LODGING, terminal=desk)


async def cards_that_are_not_active(day: Day) -> None:
    """Lost, locked, cancelled and never activated cards; phones of lost cards; a number that a stranger made up."""
    kinds = ("lost", "temp_lost", "locked", "inactive", "cancelled")
    called = [holder for kind in kinds for phone in (True, False) for holder in _all_of(day, kind, phone)]
    for holder in called:
        await day.visit(holder, RIDE)
    terminal = day.terminal(RIDE)
    sequence = terminal.next()
    unknown = Shown({"card": NOBODY.answer(terminal, sequence)})
    await day.visit(
        None, RIDE, shown=unknown, terminal=terminal, sequence=sequence, wanted=[Expected("CRYPTOGRAM_INVALID")]
    )


async def short_of_money(day: Day) -> None:
    """A purse too small for a ride, filled, used; and one that is filled to the brim."""
    holder, rich = day.take("short", phone=False), day.take("resident", phone=False)
    if holder is not None:
        await day.visit(holder, RIDE)
        await day.visit(holder, TOPUP, amount_fen=1_000)
        await day.visit(holder, RIDE)
    if rich is not None:
        for _ in range(3):
            await day.visit(rich, TOPUP, amount_fen=50_000)


async def functions_that_rest(day: Day) -> None:
    """A card whose function for the item is not active."""
    called = [(day.take("no_transit", phone=False), RIDE), (day.take("suspended", phone=False), ENTRY)]
    for holder, item in called:
        if holder is not None:
            await day.visit(holder, item)


async def a_frequent_rider(day: Day) -> None:
    """More half-price rides than a day has: the next one is at the common fare."""
    holder = day.take("frequent", phone=False)
    for _ in range(FREQUENT_RIDES if holder else 0):
        await day.visit(holder, RIDE)


async def journeys_that_go_wrong(day: Day) -> None:
    """Out without in, through a gate for both ways, and in twice. The beginning of a journey is not given back while it
    lasts; that of the one left open is, with what it cost.
    """
    holder = day.take("resident", phone=False)
    if holder is None or not any(METRO in each.items for each in day.terminals):
        return
    await day.visit(holder, METRO, leg="out")
    await day.visit(holder, METRO)
    first, again = await day.visit(holder, METRO, leg="in"), await day.visit(holder, METRO, leg="in")
    item = day.terms.item(METRO, day.now().day)
    if item is not None and _admitted(first) and first.outcome is not None and _admitted(again):
        _want(day, await _refund(day, again.terminal, again.use), 409, "JOURNEY_NOT_ENDED")
        await day.refund(holder, replace(first, outcome=left_open(item, first.outcome)))
    await day.visit(holder, METRO, leg="out")


async def passes(day: Day) -> None:
    """A pass that is given back as new, and one that was used and is not taken back."""
    for holder in (day.take("resident", phone=False), day.take("resident", phone=True)):
        bought = await day.visit(holder, PASS) if holder else None
        if holder is None or not _admitted(bought):
            continue
        entered = await day.visit(holder, SCENIC) if holder.token is None else None
        if entered is not None and entered.outcome is not None and entered.outcome.serves is not None:
            _want(day, await _refund(day, bought.terminal, bought.use), 409, "PASS_IN_USE")
            await day.refund(holder, entered)
        await day.refund(holder, bought)


async def not_for_them(day: Day) -> None:
    """An old man at a school's gate, a pupil at the day care, a card held to a screen that reads codes."""
    old, young = day.take("senior_70", phone=False), day.take("student", phone=False)
    for holder, item in ((old, CAMPUS), (young, CARE), (old, SIGN_ON)):
        if holder is not None:
            await day.visit(holder, item)


async def too_many_meals(day: Day) -> None:
    """A meal more than a day has, by somebody who could pay for it."""
    holder = day.take("office_staff", phone=False)
    if holder is not None:
        await day.visit(holder, TOPUP, amount_fen=10_000)
    for _ in range(MEALS if holder else 0):
        await day.visit(holder, MEAL)


async def the_last_places(day: Day) -> None:
    """A party before a small museum: all at once, and some more than go in."""
    free = {key: door.most - door.entered + door.left for key, door in day.doors.items() if key[1] == MUSEUM}
    key = min(free, key=lambda each: free[each], default=None)
    party = [holder for holder in (day.take("resident", phone=True) for _ in range(6)) if holder]
    if key is None or not party or free[key] > LAST_PLACES:
        return
    for _ in range(0, max(0, free[key]) + 3, len(party)):
        gates = [day.terminal(MUSEUM, point=key[0]) for _ in party]
        await asyncio.gather(*(day.visit(each, MUSEUM, terminal=gate) for each, gate in zip(party, gates, strict=True)))


async def big_purchases(day: Day) -> None:
    """More than any purse holds: the bank pays for those whose account has it, and refuses the others."""
    buyers = [day.take("banked", phone=n % 2 == 0) for n in range(6)]
    for holder in buyers:
        bought = await day.visit(holder, PURCHASE, amount_fen=BIG_FEN) if holder else None
        if holder is not None and _admitted(bought) and holder is buyers[0]:
            await day.refund(holder, bought)


async def things_that_do_not_fit(day: Day) -> None:
    """Items nobody declared or the point does not offer, an amount that is too small, a sequence used again."""
    holder = day.take("resident", phone=False)
    if holder is None:
        return
    bus, bank = day.terminal(RIDE), day.terminal(TOPUP)
    await day.visit(holder, "transit.airship", terminal=bus, wanted=[Expected("ITEM_UNKNOWN")])
    await day.visit(holder, ENTRY, terminal=bus, wanted=[Expected("ITEM_NOT_OFFERED")])
    await day.visit(holder, TOPUP, terminal=bank, amount_fen=5, wanted=[Expected("AMOUNT_INVALID")])
    visit = await day.visit(holder, RIDE)
    if visit is not None and holder.chip is not None:
        other = {"item": RIDE, "card": holder.chip.answer(visit.terminal, visit.sequence)}
        _want(day, await day.gateway.send(visit.terminal, "/v1/uses", other, visit.sequence), 409, "SEQUENCE_REUSED")


async def refunds_that_are_none(day: Day) -> None:
    """A refund of another operator's use, of a use given back already, and of one that was refused."""
    holder, lost = day.take("resident", phone=False), day.take("lost", phone=False)
    if holder is None:
        return
    visit = await day.visit(holder, TOPUP, amount_fen=1_000)
    if _admitted(visit):
        strange = day.terminal(RIDE)
        _want(day, await _refund(day, strange, visit.use), 404, "USE_UNKNOWN")
        await day.refund(holder, visit)
        _want(day, await _refund(day, visit.terminal, visit.use), 409, "ALREADY_REFUNDED")
    refused = await day.visit(lost, RIDE) if lost else None
    if refused is not None:
        _want(day, await _refund(day, refused.terminal, refused.use), 409, "NOTHING_TO_REFUND")


async def devices_that_lie(day: Day) -> None:
    """A wrong key, a clock that is off, an unknown terminal, a used pairing code, an unknown phone, broken requests."""
    terminal, body = day.terminal(RIDE), json.dumps({"item": RIDE, "code": "OC1.A"}).encode()

    async def post(as_terminal: Terminal, content: bytes, **options: int) -> Reply:
        headers = as_terminal.headers("/v1/uses", terminal.next(), content, **options)
        return await day.gateway.post("/v1/uses", content, headers)

    wrong_key, unknown = replace(terminal, key=bytes(32)), replace(terminal, code="NT-BUS-L99-9")
    _want(day, await post(wrong_key, body), 401, "TERMINAL_SIGNATURE_INVALID")
    _want(day, await post(unknown, body), 401, "TERMINAL_SIGNATURE_INVALID")
    _want(day, await post(terminal, body, sent_at=int(time.time()) - OFF_S), 401, "TERMINAL_CLOCK_OFF")
    _want(day, await post(terminal, b'{"item": '), 400, "REQUEST_MALFORMED")
    _want(day, await post(terminal, b" " * 10_000), 413, "REQUEST_TOO_LARGE")
    used = json.dumps({"pairing_code": day.pockets["terminals"][0]["pairing_code"]}).encode()
    _want(day, await day.gateway.post("/v1/pairings", used, {}), 401, "PAIRING_CODE_INVALID")
    _want(day, await day.gateway.windows("nobody's phone"), 401, "DEVICE_TOKEN_INVALID")


INCIDENTS: tuple[Callable[[Day], Coroutine[object, object, None]], ...] = (
    code_at_two_gates,
    copied_chip,
    codes_that_are_none,
    short_of_money,
    functions_that_rest,
    a_frequent_rider,
    journeys_that_go_wrong,
    passes,
    not_for_them,
    too_many_meals,
    the_last_places,
    big_purchases,
    things_that_do_not_fit,
    refunds_that_are_none,
    numbers_read_aloud,
    numbers_tried,
    registered_in_two_towns,
    cards_that_are_not_active,
    devices_that_lie,
)


async def _number(day: Day, holder: Holder | None) -> Shown | None:
    """Ask the phone for a number; None where there is no phone."""
    if holder is None or holder.token is None:
        return None
    reply = await day.gateway.number(holder.token)
    if reply.status != 200:
        day.surprise(f"a phone that asked for a number got {reply.status} {reply.code}")
        return None
    number = reply.body["number"]
    return Shown({"number": f"{number[:4]} {number[4:8]} {number[8:]}"}, reply.body["expires"])


def _misheard(number: str) -> str:
    """The same with one digit heard as the next."""
    return number[:-2] + str((int(number[-2]) + 1) % 10) + number[-1]


def _check_digit(digits: str) -> str:
    """By ISO/IEC 7064 MOD 11,10, as the documents say."""
    rest = 10
    for digit in digits:
        rest = (rest + int(digit)) % 10 or 10
        rest = rest * 2 % 11
    return str((11 - rest) % 10)


def _admitted(visit: Visit | None) -> TypeGuard[Visit]:
    return visit is not None and visit.outcome is not None and visit.admitted


def _all_of(day: Day, kind: str, phone: bool) -> Iterator[Holder]:
    while (holder := day.take(kind, phone=phone)) is not None:
        yield holder


async def _refund(day: Day, terminal: Terminal, use: str) -> Reply:
    return await day.gateway.send(terminal, "/v1/refunds", {"use": use}, terminal.next())


def _want(day: Day, reply: Reply, status: int, code: str) -> None:
    """A request that is no use must be refused so, and leaves none."""
    day.happened[f"refused {code}"] += 1
    if (reply.status, reply.code) != (status, code):
        day.surprise(f"expected {status} {code}, came {reply.status} {reply.code}")
