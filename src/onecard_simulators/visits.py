"""A day in play: residents present cards and codes, and each answer is compared with what was to be expected."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from onecard_simulators.tariff import ENTRY, RIDE, TOPUP, TOPUP_FEN, Expected, Resident, today
from onecard_simulators.wire import Chip, Gateway, Json, Reply, Terminal, Unanswered

# What residents go out for, and how often.
ERRANDS = ((RIDE, 70), (ENTRY, 18), (TOPUP, 12))
# Shares of lines whose first answer is lost, that are sent twice at once, or once more after the answer; of refunds.
HANG_UP, TWICE, ONCE_MORE, REFUND = 0.04, 0.02, 0.03, 0.03


@dataclass
class Shown:
    """What was held to a reader: `code` or `card` of a use request; `expires` of a code, Unix seconds."""

    content: Json
    expires: float = float("inf")


@dataclass
class Holder:
    """A resident on their way, with a phone or a card."""

    resident: Resident
    token: str | None = None
    chip: Chip | None = None


@dataclass
class Visit:
    """One line: where, under which sequence, what came."""

    terminal: Terminal
    sequence: int
    item: str
    reply: Reply
    came: Expected

    @property
    def use(self) -> str:
        return str(self.reply.body.get("use", ""))


@dataclass
class Day:
    """A day in play."""

    gateway: Gateway
    terminals: list[Terminal]
    holders: list[Holder]
    pockets: Json
    rng: random.Random
    left: int
    uses: dict[tuple[str, str, int], Json] = field(default_factory=dict)
    refunds: list[Json] = field(default_factory=list)
    unanswered: list[Json] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)

    # --- Where and who ---

    def terminal(self, item: str, *, other_than: Terminal | None = None) -> Terminal:
        """Some terminal whose point offers an item."""
        return self.rng.choice([each for each in self.terminals if item in each.items and each is not other_than])

    def take(self, kind: str, *, phone: bool) -> Holder | None:
        """Call a resident of a kind away from their errands; None where the city has no such."""
        for holder in self.holders:
            if holder.resident.kind == kind and (holder.token is not None) == phone:
                self.holders.remove(holder)
                return holder
        return None

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
        content = {"item": item, **shown.content} | ({} if amount_fen is None else {"amount_fen": amount_fen})
        days = {today()}
        reply = await self._deliver(terminal, content, sequence, holder)
        if reply is None:
            return None
        days.add(today())
        fine = set(wanted) or {holder.resident.expect(item, each, amount_fen) for each in days if holder}
        if time.time() >= shown.expires:  # it was in time when it was shown
            fine.add(Expected("CODE_EXPIRED"))
        visit = Visit(terminal, sequence, item, reply, _came(reply))
        self._compare(visit, fine, holder)
        return visit

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

    def _compare(self, visit: Visit, wanted: Collection[Expected], holder: Holder | None) -> None:
        reply, came = visit.reply, visit.came
        if reply.status != 200:
            self.surprise(f"{visit.item} at {visit.terminal.code} got {reply.status} {reply.code}")
            return
        self._acknowledge(visit)
        if came not in wanted and (holder is None or holder.resident.sure):
            kind = holder.resident.kind if holder else "nobody"
            hoped = " or ".join(map(str, wanted))
            self.surprise(f"{visit.item} by {kind} at {visit.terminal.code}: {came}, expected {hoped}")
        if holder is None:
            return
        resident = holder.resident
        resident.follow(visit.item, came)
        told_fen = reply.body["balance_fen"]
        if told_fen is not None and resident.sure and told_fen != resident.balance_fen:
            self.surprise(f"{visit.use}: the purse is said to hold {told_fen} fen, not {resident.balance_fen}")

    def _acknowledge(self, visit: Visit) -> None:
        self.happened[f"{visit.item} {visit.came.verdict}"] += 1
        key = (visit.terminal.code, visit.terminal.journal, visit.sequence)
        self.uses[key] = {
            "use": visit.use,
            "terminal": key[0],
            "journal": key[1],
            "sequence": key[2],
            "item": visit.item,
            "verdict": visit.came.verdict,
            "full_fen": visit.came.full_fen,
            "paid_fen": visit.came.paid_fen,
            "concession": visit.came.concession,
        }

    async def refund(self, holder: Holder, visit: Visit) -> None:
        """Give an admitted visit back at a terminal of its operator; twice the same is one refund."""
        terminal = self.rng.choice([each for each in self.terminals if each.operator == visit.terminal.operator])
        sequence, content = terminal.next(), {"use": visit.use}
        reply = await self.gateway.send(terminal, "/v1/refunds", content, sequence)
        again = await self.gateway.send(terminal, "/v1/refunds", content, sequence)
        came = visit.came
        wanted = (200, visit.use, came.paid_fen, came.full_fen - came.paid_fen)
        told = tuple(reply.body.get(name) for name in ("use", "paid_fen", "funded_fen"))
        if (reply.status, *told) != wanted or reply.body["refund"] != again.body.get("refund"):
            self.surprise(f"{visit.use} was to be given back, got {reply.code} {told}, then {again.code}")
            return
        self.happened["refund"] += 1
        holder.resident.follow(visit.item, came, -1)
        self.refunds.append({"refund": reply.body["refund"], **content, "paid_fen": told[1], "funded_fen": told[2]})

    async def errand(self, holder: Holder) -> None:
        """One thing a resident does, and perhaps thinks better of."""
        item = self.rng.choices([each for each, _ in ERRANDS], [weight for _, weight in ERRANDS])[0]
        amount_fen = self.rng.randrange(TOPUP_FEN[0], 20_000, 500) if item == TOPUP else None
        visit = await self.visit(holder, item, amount_fen=amount_fen)
        if visit and visit.came.verdict == "ADMITTED" and holder.resident.sure and self.rng.random() < REFUND:
            await self.refund(holder, visit)

    async def go_about(self, holder: Holder) -> None:
        """A resident's day: errands until the city's day is over."""
        while self.left > 0 and holder.resident.sure:
            self.left -= 1
            await self.errand(holder)
            if holder.token is not None and holder.resident.card_state != "active":
                return

    def surprise(self, text: str) -> None:
        """Note what was not expected."""
        self.surprises.append(text)


def _came(reply: Reply) -> Expected:
    if reply.status != 200:
        return Expected(reply.code)
    price = reply.body["price"]
    return Expected(reply.code, price["full_fen"], price["paid_fen"], price["concession"])
