"""A day in play: residents present cards and codes, and each answer is compared with what was to be expected."""

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from onecard_simulators.expecting import expect, ways
from onecard_simulators.resident import Account, Asked, Begun, Expected, Outcome, Place, Resident
from onecard_simulators.tariff import Item, Moment, Terms
from onecard_simulators.wire import BankDesk, Chip, Gateway, Json, Reply, Terminal, Unanswered

# Shares of lines whose first answer is lost, that are sent twice at once, or once more after the answer.
HANG_UP, TWICE, ONCE_MORE = 0.04, 0.02, 0.03
# What a bank may do, the likeliest first; it may always fail to answer in time.
BANK_MOODS: tuple[str, ...] = ("sure", "all", "silent")


@dataclass
class Shown:
    """What was held to a reader or said to staff: `code`, `card` or `number` of a use request; `expires` of the first
    and the last, Unix seconds.
    """

    content: Json
    expires: float = float("inf")

    @property
    def medium(self) -> str:
        return next(iter(self.content))


@dataclass
class Holder:
    """A resident on their way, with a phone or a card; `account` is what the bank calls their account."""

    resident: Resident
    token: str | None = None
    chip: Chip | None = None
    account: str | None = None

    @property
    def medium(self) -> str:
        return "card" if self.token is None else "code"


@dataclass
class Visit:
    """One line: where, under which sequence, what came; `outcome` is what it does, if that is known."""

    terminal: Terminal
    sequence: int
    item: str
    reply: Reply
    came: Expected
    outcome: Outcome | None = None

    @property
    def use(self) -> str:
        return str(self.reply.body.get("use", ""))

    @property
    def admitted(self) -> bool:
        return self.came.verdict == "ADMITTED"


@dataclass
class Doors:
    """How many a point took of those it takes at most, as far as can be known outside while others are on their way:
    `entered` and `left` are answered for, `entering` and `leaving` have been sent.
    """

    most: int
    entered: int
    entering: int = 0
    left: int = 0
    leaving: int = 0

    def may_be_full(self, before: "Doors") -> Iterator[bool]:
        """What the door may say to one who stood there since `before`."""
        at_least = before.entered - self.left - self.leaving
        at_most = self.entered + self.entering - 1 - before.left
        if at_least < self.most:
            yield False
        if at_most >= self.most:
            yield True


@dataclass
class Sent:
    """A line on its way: who sends it, what is shown for which item, when it left and how the door was then."""

    item: str
    terminal: Terminal
    shown: Shown
    amount_fen: int | None
    leg: str | None
    earliest: float
    door: Doors | None


@dataclass
class Day:
    """A day in play."""

    gateway: Gateway
    terms: Terms
    places: Mapping[str, Place]
    doors: dict[tuple[str, str], Doors]
    kinds: Mapping[str, str]
    terminals: list[Terminal]
    holders: list[Holder]
    pockets: Json
    rng: random.Random
    bank: BankDesk | None = None
    uses: dict[tuple[str, str, int], Json] = field(default_factory=dict)
    refunds: list[Json] = field(default_factory=list)
    unanswered: list[Json] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)

    # --- Where and who ---

    def terminal(
        self, item: str, *, point: str | None = None, other_than: Terminal | None = None, attended: bool | None = None
    ) -> Terminal:
        """Some terminal that offers an item, with or without staff; by default at a point that is open to it now."""
        offering = [each for each in self.terminals if item in each.items and each is not other_than]
        offering = [each for each in offering if attended in (None, each.attended)]
        if point is None:
            offering = [each for each in offering if not self.places[each.point].hours] or offering
        return self.rng.choice([each for each in offering if point in (None, each.point)])

    def take(self, kind: str, *, phone: bool) -> Holder | None:
        """Call a resident of a kind away from their errands; None where the city has no such."""
        for holder in self.holders:
            if holder.resident.kind == kind and (holder.token is not None) == phone:
                self.holders.remove(holder)
                return holder
        return None

    def now(self) -> Moment:
        return Moment.at(time.time(), self.kinds)

    # --- What happens ---

    async def show(self, holder: Holder, terminal: Terminal, sequence: int) -> Shown | None:
        """Hold card or phone to a reader. None: the phone shows no code, because its card is not active."""
        if holder.chip is not None:
            return Shown({"card": holder.chip.answer(terminal, sequence)})
        reply = await self.gateway.windows(holder.token or "")
        if reply.status == 200:
            window = reply.body["windows"][0]
            return Shown({"code": window["code"]}, window["expires"])
        self.happened["phone refused"] += 1
        if holder.resident.card_state == "active" or reply.code != "CARD_NOT_ACTIVE":
            self.surprise(f"a phone got {reply.code}, its card is {holder.resident.card_state}")
        return None

    async def visit(
        self,
        holder: Holder | None,
        item: str,
        *,
        shown: Shown | None = None,
        terminal: Terminal | None = None,
        sequence: int | None = None,
        amount_fen: int | None = None,
        leg: str | None = None,
        wanted: Collection[Expected] = (),
    ) -> Visit | None:
        """Present something for an item and compare the answer; by default the holder's own card or code, and what
        their knowledge of themselves says. None: nothing to compare came.
        """
        terminal = terminal or self.terminal(item)
        sequence = terminal.next() if sequence is None else sequence
        if shown is None and holder is not None:
            shown = await self.show(holder, terminal, sequence)
        if shown is None:
            return None
        if holder is not None:
            await self._ask_bank(holder, item)
        sent = Sent(item, terminal, shown, amount_fen, leg, time.time(), self._enter(terminal, item, leg))
        content = {"item": item, **shown.content, "amount_fen": amount_fen, "leg": leg}
        reply = await self._deliver(
            terminal, {name: each for name, each in content.items() if each is not None}, sequence, holder
        )
        if reply is None:
            return None
        visit = Visit(terminal, sequence, item, reply, _came(reply))
        self._compare(visit, sent, holder, wanted)
        self._entered(visit, leg)
        return visit

    def _enter(self, terminal: Terminal, item: str, leg: str | None) -> Doors | None:
        """Step up to a door that takes only so many; how it was then."""
        door = self.doors.get((terminal.point, item))
        if door is None or leg == "out":
            return None
        door.entering += 1
        return Doors(door.most, door.entered, door.entering, door.left, door.leaving)

    def _entered(self, visit: Visit, leg: str | None) -> None:
        door = self.doors.get((visit.terminal.point, visit.item))
        if door is not None and leg != "out":
            door.entering -= 1
            door.entered += visit.admitted

    async def _ask_bank(self, holder: Holder, item: str) -> None:
        """Before the first purchase by bank account, look up what is in it."""
        declared = self.terms.item(item, self.now().day)
        if self.bank is None or holder.account is None or declared is None or "bank" not in declared.means:
            return
        if holder.resident.account is None:
            free_fen, blocked = await self.bank.account(holder.account)
            holder.resident.account = Account(free_fen, blocked=blocked)

    async def _deliver(self, terminal: Terminal, content: Json, sequence: int, holder: Holder | None) -> Reply | None:
        """Send a line as networks are: sometimes the answer is lost, sometimes the line goes out twice."""
        chance = self.rng.random()
        try:
            if chance < HANG_UP:
                body = json.dumps(content).encode()
                headers = terminal.headers("/v1/uses", sequence, body)
                await self.gateway.hang_up("/v1/uses", body, headers, 0.001 + self.rng.random() * 0.02)
            elif chance < HANG_UP + TWICE:
                one, two = await asyncio.gather(
                    *(self.gateway.send(terminal, "/v1/uses", content, sequence) for _ in range(2))
                )
                self._same(one, two, terminal, sequence)
            reply = await self.gateway.send(terminal, "/v1/uses", content, sequence)
            if 1 - chance < ONCE_MORE:
                again = await self.gateway.send(terminal, "/v1/uses", content, sequence)
                self._same(reply, again, terminal, sequence)
        except Unanswered:
            self.unanswered.append({"terminal": terminal.code, "journal": terminal.journal, "sequence": sequence})
            if holder is not None:
                holder.resident.sure = False
            return None
        return reply

    def _same(self, one: Reply, two: Reply, terminal: Terminal, sequence: int) -> None:
        """A repeated line is one use: same id, same verdict, same price."""
        self.happened["repeated"] += 1
        if one.status != 200 or (one.body["use"], _came(one)) != (two.body.get("use"), _came(two)):
            self.surprise(f"{terminal.code} {sequence} was answered {one.code}, and when repeated {two.code}")

    # --- What was to be expected ---

    def hoped(self, holder: Holder, item: str) -> Expected:
        """What a plain visit of a resident would come to now."""
        sent = Sent(item, self.terminal(item), Shown({holder.medium: ""}), None, None, time.time(), None)
        return next(self.outcomes(holder.resident, sent))[1].told

    def outcomes(self, who: Resident, sent: Sent) -> Iterator[tuple[Asked, Outcome]]:
        """What a line may come to, and on which facts: clocks tick, doors fill and banks fall silent on the way."""
        item = self.terms.item(sent.item, self.now().day)
        latest, begun = time.time(), who.journeys.get(sent.item)
        moments = {Moment.at(each, self.kinds) for each in (sent.earliest, latest)}
        doors = set(self._doors(sent))
        changes, minutes, banks = {False}, {0}, BANK_MOODS[:1]
        if item is not None:
            changes = set(changed(item, who, begun if sent.leg == "out" else None, sent.earliest, latest))
            banks = BANK_MOODS if "bank" in ways(item, who) else banks
        if begun is not None and sent.leg == "out":
            minutes = {int(sent.earliest - begun.latest) // 60, int(latest - begun.earliest) // 60}
        place = self.places[sent.terminal.point]
        for moment, full, change, minute, bank in itertools.product(moments, doors, changes, minutes, banks):
            asked = Asked(
                sent.item, place, sent.shown.medium, moment, sent.amount_fen, sent.leg, change, max(0, minute), full,
                bank, sent.terminal.attended,
            )  # fmt: skip
            yield asked, expect(self.terms, who, asked)

    def _doors(self, sent: Sent) -> Iterator[bool]:
        door = self.doors.get((sent.terminal.point, sent.item))
        return iter((False,)) if door is None or sent.door is None else door.may_be_full(sent.door)

    def _compare(self, visit: Visit, sent: Sent, holder: Holder | None, wanted: Collection[Expected]) -> None:
        reply, came = visit.reply, visit.came
        if reply.status != 200:
            self.surprise(f"{visit.item} at {visit.terminal.code} got {reply.status} {reply.code}")
            return
        possible = list(self.outcomes(holder.resident, sent)) if holder else []
        told = set(wanted) or {outcome.told for _, outcome in possible}
        if time.time() >= sent.shown.expires:  # it was in time when it was shown
            told.add(Expected("NUMBER_EXPIRED" if sent.shown.medium == "number" else "CODE_EXPIRED"))
        if came not in told and (holder is None or holder.resident.sure):
            kind = holder.resident.kind if holder else "nobody"
            self.surprise(
                f"{visit.item} by {kind} at {visit.terminal.code}: {came}, expected {' or '.join(map(str, told))}"
            )
        decided = next((each for each in possible if each[1].told == came), None)
        self._acknowledge(visit, decided[1] if decided else None)
        if holder is not None:
            self._follow(visit, sent, holder.resident, decided)

    def _follow(self, visit: Visit, sent: Sent, resident: Resident, decided: tuple[Asked, Outcome] | None) -> None:
        if decided is None:
            resident.sure = resident.sure and not visit.admitted
            return
        if visit.came.verdict == "BANK_SILENT" and resident.account is not None:  # what it holds is let go some time
            fen = min(sent.amount_fen or resident.account.free_fen, resident.account.free_fen)
            resident.account.free_fen -= fen
            resident.account.perhaps_fen += fen
        asked, visit.outcome = decided
        left_open = resident.follow(asked, visit.outcome, visit.use, sent.earliest, time.time())
        if left_open is not None:
            self._ended_by_itself(left_open)
        told_fen = visit.reply.body["balance_fen"]
        if told_fen is not None and resident.sure and told_fen != resident.balance_fen:
            self.surprise(f"{visit.use}: the purse is said to hold {told_fen} fen, not {resident.balance_fen}")

    def _ended_by_itself(self, journey: Begun) -> None:
        """A journey left open took what was held for it, under the use that began it."""
        self.happened["journey left open"] += 1
        for use in self.uses.values():
            if use["use"] == journey.use:
                use["purse_fen"] = -journey.held_fen

    def _acknowledge(self, visit: Visit, outcome: Outcome | None) -> None:
        came = visit.came
        self.happened[f"{visit.item} {came.verdict}"] += 1
        key = (visit.terminal.code, visit.terminal.journal, visit.sequence)
        known = outcome is not None or not visit.admitted
        self.uses[key] = {
            "use": visit.use,
            "terminal": key[0],
            "journal": key[1],
            "sequence": key[2],
            "item": visit.item,
            **came._asdict(),
            "purse_fen": (outcome.purse_fen if outcome else 0) if known else None,
        }

    async def refund(self, holder: Holder, visit: Visit) -> None:
        """Give an admitted visit back at a terminal of its operator; twice the same is one refund."""
        assert visit.outcome is not None
        terminal = self.rng.choice([each for each in self.terminals if each.operator == visit.terminal.operator])
        sequence, content = terminal.next(), {"use": visit.use}
        door = self.doors.get((visit.terminal.point, visit.item))
        if door is not None:
            door.leaving += 1
        reply = await self.gateway.send(terminal, "/v1/refunds", content, sequence)
        again = await self.gateway.send(terminal, "/v1/refunds", content, sequence)
        if door is not None:
            door.leaving, door.left = door.leaving - 1, door.left + (reply.status == 200)
        cost = visit.outcome.told
        wanted = (200, visit.use, cost.paid_fen, cost.full_fen - cost.paid_fen - cost.waived_fen)
        told = tuple(reply.body.get(name) for name in ("use", "paid_fen", "funded_fen"))
        if (reply.status, *told) != wanted or reply.body["refund"] != again.body.get("refund"):
            self.surprise(f"{visit.use} was to be given back, got {reply.code} {told}, then {again.code}")
            return
        self.happened["refund"] += 1
        holder.resident.undo(visit.outcome, visit.use)
        self.refunds.append({"refund": reply.body["refund"], **content, "paid_fen": told[1], "funded_fen": told[2]})

    def surprise(self, text: str) -> None:
        """Note what was not expected."""
        self.surprises.append(text)


def changed(item: Item, who: Resident, begun: Begun | None, earliest: float, latest: float) -> Iterator[bool]:
    """Whether this is a change within the time the item gives for it: from the last of the items it names until now, or
    until the journey began that ends now. Whole minutes are read off clocks, so near a limit it may be either.
    """
    transfer = item.declared.get("transfer", {"after": (), "within_minutes": 0})
    last = max(((ride.earliest, ride.latest) for ride in who.rides if ride.item in transfer["after"]), default=None)
    if last is None:
        yield False
        return
    until, slack_s = (earliest, latest), 0
    if begun is not None:
        until, slack_s = (begun.earliest, begun.latest), 60
    least_s, most_s, within_s = until[0] - last[1], until[1] - last[0], transfer["within_minutes"] * 60 + 60
    if most_s > -slack_s and least_s < within_s:
        yield True
    if least_s < 0 or most_s >= within_s - slack_s:
        yield False


def _came(reply: Reply) -> Expected:
    if reply.status != 200:
        return Expected(reply.code)
    price = reply.body["price"]
    return Expected(reply.code, *(price[name] for name in Expected._fields[1:]))
