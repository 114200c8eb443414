"""Groups of uses on a real database: what is admitted, refused, paid, spent and repeated."""

import asyncio
import datetime as dt
from collections.abc import Iterator

import asyncpg
import pytest
from tests.small_city import PLACE, SmallCity, record

from onecard.foundation import clock
from onecard.kernel.uses.actions import Memory, record_group
from onecard.kernel.uses.lines import Answer, BankAsked, Line, Outcome
from onecard_kit.verdicts import Verdict


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[SmallCity]:
    made = SmallCity(fresh_database["owner"])
    yield made
    made.connection.close()


@pytest.fixture
def gate(fresh_database: dict[str, str]) -> str:
    """The address the gateway connects to: all groups run under its role."""
    return fresh_database["gateway"]


def verdicts(answers: list[Outcome]) -> list[str]:
    return [a.verdict.value if isinstance(a, Answer) else a.code for a in answers if not isinstance(a, BankAsked)]


def test_a_ride_takes_the_card_discount_from_the_purse(city: SmallCity, gate: str) -> None:
    card, bus = city.a_card(purse_fen=1000), city.a_terminal()
    before = city.balance(city.operator, "operator.receivable")
    [[answer]] = record(gate, [city.a_line(bus, card)])
    assert isinstance(answer, Answer)
    assert (answer.verdict, answer.full_fen, answer.paid_fen) == (Verdict.ADMITTED, 200, 190)
    assert answer.balance_fen == 810 == city.purse_of(card)
    assert city.balance(city.operator, "operator.receivable") - before == 190


def test_a_concession_is_paid_by_holder_and_treasury_and_counts_its_quota(city: SmallCity, gate: str) -> None:
    card, bus = city.a_card(purse_fen=1000, classes=[("senior_60", "2020-01-01", None)]), city.a_terminal()
    owed = city.balance(city.treasury, "treasury.city", "treasury")
    answers = [a for [a] in record(gate, *[[city.a_line(bus, card)] for _ in range(3)])]
    assert [a.paid_fen for a in answers if isinstance(a, Answer)] == [100, 100, 190]  # two a day, then as everyone
    assert city.balance(city.treasury, "treasury.city", "treasury") - owed == -200
    assert city.purse_of(card) == 1000 - 100 - 100 - 190


def test_the_quota_holds_inside_one_group(city: SmallCity, gate: str) -> None:
    card, bus = city.a_card(purse_fen=1000, classes=[("senior_60", "2020-01-01", None)]), city.a_terminal()
    [answers] = record(gate, [city.a_line(bus, card) for _ in range(3)])
    assert [a.paid_fen for a in answers if isinstance(a, Answer)] == [100, 100, 190]


def test_a_free_ride_needs_no_money_in_the_purse(city: SmallCity, gate: str) -> None:
    card, bus = city.a_card(purse_fen=0, classes=[("senior_70", "2020-01-01", None)]), city.a_terminal()
    [[answer]] = record(gate, [city.a_line(bus, card)])
    assert isinstance(answer, Answer)
    assert (answer.verdict, answer.paid_fen) == (Verdict.ADMITTED, 0)


def test_a_purse_one_fen_short_is_refused_and_untouched(city: SmallCity, gate: str) -> None:
    card, bus = city.a_card(purse_fen=189), city.a_terminal()
    [answers] = record(gate, [city.a_line(bus, card)])
    assert verdicts(answers) == ["FUNDS_SHORT"]
    assert city.purse_of(card) == 189


def test_two_spends_of_the_last_fen_in_one_group_and_in_two(city: SmallCity, gate: str) -> None:
    bus = city.a_terminal()
    one, other = city.a_card(purse_fen=190), city.a_card(purse_fen=190)
    [answers] = record(gate, [city.a_line(bus, one), city.a_line(bus, one)])
    assert verdicts(answers) == ["ADMITTED", "FUNDS_SHORT"]
    groups = record(gate, [city.a_line(bus, other)], [city.a_line(bus, other)])
    assert [verdicts(g) for g in groups] == [["ADMITTED"], ["FUNDS_SHORT"]]
    assert city.purse_of(one) == city.purse_of(other) == 0


def test_two_processes_spend_the_last_fen_at_once(city: SmallCity, gate: str) -> None:
    bus, bus2 = city.a_terminal(), city.a_terminal()
    cards = [city.a_card(purse_fen=190) for _ in range(20)]
    here, there = [city.a_line(bus, c) for c in cards], [city.a_line(bus2, c) for c in reversed(cards)]

    async def both() -> tuple[list[Outcome], list[Outcome]]:
        first, second = await asyncpg.connect(gate), await asyncpg.connect(gate)
        try:
            return await asyncio.gather(record_group(first, here, Memory()), record_group(second, there, Memory()))
        finally:
            await first.close()
            await second.close()

    one, two = asyncio.run(both())
    for card, a, b in zip(cards, verdicts(one), reversed(verdicts(two)), strict=True):
        assert sorted([a, b]) == ["ADMITTED", "FUNDS_SHORT"]
        assert city.purse_of(card) == 0


def test_a_code_is_used_once_in_a_group_and_in_another(city: SmallCity, gate: str) -> None:
    card, bus, gate_two = city.a_card(), city.a_terminal(), city.a_terminal()
    code = city.a_code(card)
    groups = record(
        gate, [city.a_line(bus, code=code), city.a_line(gate_two, code=code)], [city.a_line(gate_two, code=code)]
    )
    assert [verdicts(g) for g in groups] == [["ADMITTED", "REPLAYED"], ["REPLAYED"]]
    assert city.purse_of(card) == 10_000 - 190


def test_a_refused_use_spends_its_code(city: SmallCity, gate: str) -> None:
    card, bus = city.a_card(purse_fen=0), city.a_terminal()
    code = city.a_code(card)
    groups = record(gate, [city.a_line(bus, code=code)], [city.a_line(bus, code=code)])
    assert [verdicts(g) for g in groups] == [["FUNDS_SHORT"], ["REPLAYED"]]


def test_a_code_at_a_point_that_does_not_offer_the_item_is_not_spent(city: SmallCity, gate: str) -> None:
    card, bus, library = city.a_card(), city.a_terminal(), city.a_terminal("culture.library_entry")
    code = city.a_code(card)
    groups = record(gate, [city.a_line(library, code=code)], [city.a_line(bus, code=code)])
    assert [verdicts(g) for g in groups] == [["ITEM_NOT_OFFERED"], ["ADMITTED"]]


def test_a_chip_counter_must_grow_and_a_replay_leaves_a_risk_fact(city: SmallCity, gate: str) -> None:
    card, bus = city.a_card(), city.a_terminal()
    groups = record(gate, [city.a_line(bus, card, counter=7), city.a_line(bus, card, counter=7)],
                    [city.a_line(bus, card, counter=6)], [city.a_line(bus, card, counter=8)])  # fmt: skip
    assert [verdicts(g) for g in groups] == [["ADMITTED", "REPLAYED"], ["REPLAYED"], ["ADMITTED"]]
    risks = city.run("SELECT kind, detail FROM audit_risk_fact WHERE subject = $1 ORDER BY id", f"card:{card.id}")
    refused = [answer.use_id for group in groups for answer in group if answer.verdict is Verdict.REPLAYED]  # type: ignore[union-attr]
    assert [kind for kind, _ in risks] == ["chip_replayed", "chip_replayed"]
    assert [(detail["use"], detail["place"]) for _, detail in risks] == [(str(use), PLACE) for use in refused]


def test_a_cryptogram_of_another_terminal_is_refused_and_leaves_a_risk_fact(city: SmallCity, gate: str) -> None:
    card, bus, other = city.a_card(), city.a_terminal(), city.a_terminal()
    stolen = city.a_line(bus, card, counter=9)
    moved = city.a_line(other, card, counter=9, sequence=stolen.sequence)
    forged = Line(moved.id, moved.at, other.id, other.key_id, other.journal, moved.sequence, b"x", moved.item, None,
                  type(moved.presented)(moved.presented.medium, Verdict.CRYPTOGRAM_INVALID,
                  number_index=moved.presented.number_index, counter=9))  # fmt: skip
    [answers] = record(gate, [forged])
    assert verdicts(answers) == ["CRYPTOGRAM_INVALID"]
    assert city.run("SELECT kind FROM audit_risk_fact WHERE subject = $1", f"card:{card.id}") == [
        ("chip_cryptogram_invalid",)
    ]


def test_the_same_sequence_with_the_same_content_gets_the_first_answer(city: SmallCity, gate: str) -> None:
    card, bus = city.a_card(), city.a_terminal()
    line = city.a_line(bus, card)
    again = city.a_line(bus, code=None, card=card, sequence=line.sequence)
    again.content, again.presented = line.content, line.presented
    [[first], [second]] = record(gate, [line], [again])
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert second.use_id == first.use_id
    assert second.repeated
    assert (second.verdict, second.paid_fen) == (first.verdict, first.paid_fen)
    assert city.purse_of(card) == 10_000 - 190


def test_the_same_sequence_with_other_content_is_rejected_in_a_group_and_after_it(city: SmallCity, gate: str) -> None:
    card, bus = city.a_card(), city.a_terminal()
    line = city.a_line(bus, card)
    groups = record(
        gate, [line, city.a_line(bus, card, sequence=line.sequence)], [city.a_line(bus, card, sequence=line.sequence)]
    )
    assert [verdicts(g) for g in groups] == [["ADMITTED", "SEQUENCE_REUSED"], ["SEQUENCE_REUSED"]]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("allocated", "CARD_INACTIVE"),
        ("inactive", "CARD_INACTIVE"),
        ("temp_lost", "CARD_LOST"),
        ("lost", "CARD_LOST"),
        ("locked", "CARD_LOCKED"),
        ("cancelled", "CARD_CANCELLED"),
        ("cancelled_after_loss", "CARD_CANCELLED"),
    ],
)
def test_a_card_that_is_not_active_is_refused(city: SmallCity, gate: str, state: str, expected: str) -> None:
    card, bus = city.a_card(state=state), city.a_terminal()
    [answers] = record(gate, [city.a_line(bus, card)])
    assert verdicts(answers) == [expected]
    assert city.purse_of(card) == 10_000


@pytest.mark.parametrize(
    ("table", "expected"),
    [("terminal", "TERMINAL_SUSPENDED"), ("point", "POINT_SUSPENDED"), ("client", "CLIENT_SUSPENDED")],
)
def test_a_suspension_refuses_the_next_use_after_its_commit(
    city: SmallCity, gate: str, table: str, expected: str
) -> None:
    card = city.a_card()
    bus = city.a_terminal(point=city.a_point("transit.bus_ride", city.operator))
    point = city.one("SELECT point_id FROM catalogue_terminal WHERE id = $1", bus.id)
    target = {"terminal": bus.id, "point": point}.get(table) or city.one(
        "SELECT client_id FROM catalogue_point WHERE id = $1", point
    )
    [[before]] = record(gate, [city.a_line(bus, card)])
    city.run(f"UPDATE catalogue_{table} SET state = 'suspended' WHERE id = $1", target)
    [[after]] = record(gate, [city.a_line(bus, card)])
    assert verdicts([before, after]) == ["ADMITTED", expected]


def test_remembered_places_are_forgotten_with_the_commit_that_changes_them(city: SmallCity, gate: str) -> None:
    """One process that remembers: every change counts from its commit on, and not before."""
    bus = city.a_terminal(point=city.a_point("transit.bus_ride", city.operator))
    card = city.a_card(purse_fen=10_000)
    point = city.one("SELECT point_id FROM catalogue_terminal WHERE id = $1", bus.id)

    async def go() -> list[str]:
        told = []
        connection, memory = await asyncpg.connect(gate), Memory()
        clerk = await asyncpg.connect(city.url)

        async def ride() -> None:
            told.extend(verdicts(await record_group(connection, [city.a_line(bus, card)], memory)))

        try:
            await ride()
            await ride()
            change = clerk.transaction()
            await change.start()
            await clerk.execute("UPDATE catalogue_point SET state = 'suspended' WHERE id = $1", point)
            await ride()
            await change.commit()
            await ride()
            await clerk.execute("UPDATE catalogue_point SET state = 'active' WHERE id = $1", point)
            await ride()
            await clerk.execute("DELETE FROM catalogue_offer WHERE point_id = $1", point)
            await ride()
            await clerk.execute("UPDATE catalogue_terminal_key SET valid_to = now() WHERE id = $1", bus.key_id)
            await ride()
        finally:
            await connection.close()
            await clerk.close()
        return told

    assert asyncio.run(go()) == [
        "ADMITTED", "ADMITTED", "ADMITTED", "POINT_SUSPENDED", "ADMITTED", "ITEM_NOT_OFFERED", "KEY_EXPIRED",
    ]  # fmt: skip


def test_a_remembered_key_runs_out_by_the_clock_alone(city: SmallCity, gate: str) -> None:
    bus, card = city.a_terminal(), city.a_card()
    now = clock.now()
    city.run("UPDATE catalogue_terminal_key SET valid_to = $2 WHERE id = $1", bus.key_id, now + dt.timedelta(minutes=5))

    async def go() -> list[str]:
        connection, memory = await asyncpg.connect(gate), Memory()
        try:
            moments = (now, now + dt.timedelta(minutes=4), now + dt.timedelta(minutes=5))
            groups = [[city.a_line(bus, card, at=moment)] for moment in moments]
            return [verdicts(await record_group(connection, group, memory))[0] for group in groups]
        finally:
            await connection.close()

    assert asyncio.run(go()) == ["ADMITTED", "ADMITTED", "KEY_EXPIRED"]


def test_an_item_suspended_unknown_or_not_yet_in_force(city: SmallCity, gate: str) -> None:
    card, bus = city.a_card(), city.a_terminal()
    city.an_item(
        'code = "transit.ferry"\nversion = 1\nstarts_on = 2099-01-01\n'
        'name = { zh = "轮渡", en = "Ferry" }\nlegal_basis = ["test"]'
    )
    [answers] = record(
        gate, [city.a_line(bus, card, item="transit.ferry"), city.a_line(bus, card, item="transit.none")]
    )
    assert verdicts(answers) == ["ITEM_NOT_IN_FORCE", "ITEM_UNKNOWN"]
    city.run("UPDATE catalogue_item SET state = 'suspended' WHERE code = 'transit.ferry'")
    [answers] = record(gate, [city.a_line(bus, card, item="transit.ferry")])
    assert verdicts(answers) == ["ITEM_SUSPENDED"]


def test_an_unknown_card_is_recorded_as_not_recognised(city: SmallCity, gate: str) -> None:
    bus = city.a_terminal()
    stranger = type(city.a_card())(0, 0, "T99999999", 3, None)
    [[by_code, by_chip]] = record(gate, [city.a_line(bus, stranger), city.a_line(bus, stranger, counter=1)])
    assert verdicts([by_code, by_chip]) == ["CARD_UNKNOWN", "CARD_UNKNOWN"]
    assert isinstance(by_code, Answer)
    assert city.one("SELECT card_id FROM uses_use WHERE id = $1", by_code.use_id) is None


def test_a_top_up_is_a_use_whose_offer_the_bank_pays(city: SmallCity, gate: str) -> None:
    card, counter = city.a_card(purse_fen=0), city.a_terminal("payments.purse_topup")
    clearing, offer = city.balance(city.bank, "bank.clearing"), city.balance(city.bank, "bank.offer")
    item = "payments.purse_topup"
    [[answer, full, small, none]] = record(
        gate,
        [
            city.a_line(counter, card, item=item, amount_fen=10_000),
            city.a_line(counter, city.a_card(purse_fen=99_000), item=item, amount_fen=10_000),
            city.a_line(counter, card, item=item, amount_fen=999),
            city.a_line(counter, card, item=item),
        ],
    )
    assert verdicts([answer, full, small, none]) == ["ADMITTED", "PURSE_FULL", "AMOUNT_INVALID", "AMOUNT_INVALID"]
    assert city.purse_of(card) == 10_000
    assert clearing - city.balance(city.bank, "bank.clearing") == 9_500 + 99_000
    assert offer - city.balance(city.bank, "bank.offer") == 500


def test_a_top_up_in_a_group_can_be_spent_by_the_line_after_it(city: SmallCity, gate: str) -> None:
    card, counter, bus = city.a_card(purse_fen=0), city.a_terminal("payments.purse_topup"), city.a_terminal()
    line = city.a_line(counter, card, item="payments.purse_topup", amount_fen=1000)
    [answers] = record(gate, [city.a_line(bus, card), line, city.a_line(bus, card)])
    assert verdicts(answers) == ["FUNDS_SHORT", "ADMITTED", "ADMITTED"]
    assert city.purse_of(card) == 810


def test_the_day_turns_at_midnight_in_shanghai(city: SmallCity, gate: str) -> None:
    """A class from 1 March holds from 00:00 there, which is 16:00 UTC of the day before; quotas turn over with it."""
    midnight = dt.datetime(2028, 3, 1, tzinfo=clock.CHINA)
    card, bus = city.a_card(classes=[("senior_60", "2028-03-01", None)]), city.a_terminal()
    moments = [
        midnight - dt.timedelta(seconds=1),
        midnight,
        midnight + dt.timedelta(seconds=1),
        midnight + dt.timedelta(days=1),
    ]
    answers = [a for [a] in record(gate, *[[city.a_line(bus, card, at=m)] for m in moments])]
    assert [a.paid_fen for a in answers if isinstance(a, Answer)] == [190, 100, 100, 100]
    rows = city.run("SELECT period, used FROM entitlements_quota WHERE holder_id = $1 ORDER BY 1", card.holder_id)
    assert rows == [("2028-03-01", 2), ("2028-03-02", 1)]


def test_a_code_outside_its_window_is_refused_within_five_seconds_of_skew(city: SmallCity, gate: str) -> None:
    card, bus = city.a_card(), city.a_terminal()
    start = dt.datetime(2027, 5, 1, 8, 0, tzinfo=clock.CHINA)
    for offset_s, expected in ((-6, "CODE_NOT_YET_VALID"), (-5, "ADMITTED"), (64, "ADMITTED"), (65, "CODE_EXPIRED")):
        line = city.a_line(bus, code=city.a_code(card, at=start), at=start + dt.timedelta(seconds=offset_s))
        [answers] = record(gate, [line])
        assert verdicts(answers) == [expected], offset_s


def test_a_withdrawn_key_is_refused_by_the_next_use(city: SmallCity, gate: str) -> None:
    card, bus = city.a_card(), city.a_terminal()
    city.run("UPDATE ecards_key SET withdrawn_at = now(), sign_to = now(), verify_to = now()")
    try:
        [answers] = record(gate, [city.a_line(bus, card)])
    finally:
        city.run("UPDATE ecards_key SET withdrawn_at = NULL, sign_to = NULL, verify_to = NULL")
    assert verdicts(answers) == ["KEY_UNKNOWN"]


def test_the_limit_of_an_item_refuses_past_its_count(city: SmallCity, gate: str) -> None:
    card, door = city.a_card(purse_fen=None), city.a_terminal("culture.library_entry")
    [answers] = record(gate, [city.a_line(door, card, item="culture.library_entry") for _ in range(4)])
    assert verdicts(answers) == ["ADMITTED"] * 3 + ["QUOTA_EXHAUSTED"]


def test_the_gateways_role_cannot_read_a_personal_column(gate: str) -> None:
    async def read(statement: str) -> None:
        connection = await asyncpg.connect(gate)
        try:
            await connection.fetch(statement)
        finally:
            await connection.close()

    for statement in (
        "SELECT name_sealed FROM holders_holder",
        "SELECT birth_date FROM holders_holder",
        "SELECT number FROM cards_card",
        "INSERT INTO ledger_transfer SELECT * FROM ledger_transfer",
        "UPDATE ledger_balance SET free_fen = 1",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            asyncio.run(read(statement))
