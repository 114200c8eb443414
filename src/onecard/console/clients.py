"""View values of clients: a page of them, one with what is agreed with it and given to it, and what they ask for."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.http import QueryDict

from onecard.console import actors
from onecard.console.placing import STATES
from onecard.foundation import clock
from onecard.foundation.web.links import number_in, query_of, text_in
from onecard.kernel.catalogue.models import Client, State
from onecard.kernel.holders import divisions
from onecard.kernel.messages import queries as messages
from onecard.kernel.messages.kinds import KINDS, Kind
from onecard.kernel.messages.models import Endpoint
from onecard.kernel.sharing import register
from onecard.kernel.sharing.endpoints import PER_CLIENT_MAX
from onecard.kernel.sharing.models import Agreement, Credential, EndpointRequest
from onecard.kernel.sharing.register import PAGE, Counted, Wanted
from onecard.kernel.sharing.scopes import SCOPE_OF, SCOPES, Scope
from onecard.kernel.staff.queries import StaffActor

Words = dict[str, str]
Tagged = tuple[Words, str]
PERMISSION = "sharing.read"
# Where an officer decides about clients: what sends data out is the whole node's.
EVERYWHERE = ""
FAILING = 20
ASKED: dict[str, Tagged] = {
    "waiting": ({"zh": "等待审核", "en": "Waiting"}, "info"),
    "accepted": ({"zh": "已登记", "en": "Filed"}, "ok"),
    "declined": ({"zh": "不予登记", "en": "Declined"}, "bad"),
}
AGREED: dict[str, Tagged] = {
    "in_force": ({"zh": "有效", "en": "In force"}, "ok"),
    "ended": ({"zh": "已终止", "en": "Ended"}, "plain"),
}
GOOD: dict[bool, Tagged] = {
    True: ({"zh": "有效", "en": "Good"}, "ok"),
    False: ({"zh": "已注销", "en": "Ended"}, "plain"),
}
SENT: dict[str, Tagged] = {
    "active": ({"zh": "有效", "en": "Active"}, "ok"),
    "resting": ({"zh": "暂停发送", "en": "Resting"}, "warn"),
    "ended": ({"zh": "已停用", "en": "Ended"}, "plain"),
}
DELIVERED: dict[str, Tagged] = {
    "waiting": ({"zh": "等待", "en": "Waiting"}, "info"),
    "dead": ({"zh": "已放弃", "en": "Given up"}, "bad"),
}


@dataclass(frozen=True)
class Step:
    """What an officer does about a client for a reason."""

    permission: str
    name: Words
    does: Words
    icon: str
    danger: bool = True


STEPS: dict[str, Step] = {
    "suspend": Step(
        "catalogue.suspend",
        {"zh": "暂停接入", "en": "Suspend the client"},
        {
            "zh": "该系统的令牌立即失效，它的用卡点从下一笔起拒绝用卡；可以恢复。",
            "en": "Its tokens are worth nothing at once, and its points refuse uses from the next on."
            " It can be resumed.",
        },
        "lock",
    ),
    "resume": Step(
        "catalogue.resume",
        {"zh": "恢复接入", "en": "Resume the client"},
        {
            "zh": "该系统可以重新取令牌，它的用卡点恢复用卡。",
            "en": "It gets tokens again, and its points take cards again.",
        },
        "lock-open",
        danger=False,
    ),
    "withdraw": Step(
        "sharing.withdraw_credential",
        {"zh": "注销接入凭据", "en": "Withdraw the credential"},
        {
            "zh": "该凭据和用它取得的令牌立即失效，不能恢复。",
            "en": "It and the tokens that it got are worth nothing at once, for good.",
        },
        "key",
    ),
    "end": Step(
        "sharing.end_endpoint",
        {"zh": "停用接收地址", "en": "End the endpoint"},
        {
            "zh": "不再向该地址发送消息；要恢复须重新申请。",
            "en": "Nothing is sent there any more, unless it is asked for and filed again.",
        },
        "x",
    ),
}


@dataclass(frozen=True)
class Chosen:
    """Which clients an officer looks for, and the last code of the page before."""

    wanted: Wanted
    after: str

    def query(self, after: str = "") -> str:
        """The address of the same list from another page on."""
        return query_of({**self.wanted._asdict(), "after": after})

    @property
    def narrows(self) -> bool:
        return self.wanted != Wanted()


@dataclass(frozen=True)
class ClientRow:
    """A client in a list; `counted` are the scopes that are agreed with it and the endpoints that it waits for."""

    id: int
    code: str
    name: Words
    party: Words
    place: str
    state: Tagged
    counted: Counted


@dataclass(frozen=True)
class Clients:
    """A page of clients; `next` is where the next one begins, '' if this is the last."""

    chosen: Chosen
    rows: list[ClientRow]
    next: str


def chosen(asked: QueryDict) -> Chosen:
    """What the address asks for; what is unknown is left out."""
    state = asked.get("state", "")
    wanted = Wanted(text_in(asked.get("text", ""), 64), state if state in STATES else "")
    return Chosen(wanted, text_in(asked.get("after", ""), 64))


def clients(actor: StaffActor, wanted: Chosen) -> Clients:
    """A page of the clients of the officer's places."""
    found = register.clients(actor.places_of(PERMISSION), wanted.wanted, after=wanted.after, limit=PAGE + 1)
    shown = found[:PAGE]
    counted = register.counted([each.pk for each in shown])
    rows = [_row(each, counted.get(each.pk, Counted())) for each in shown]
    return Clients(wanted, rows, shown[-1].code if len(found) > PAGE else "")


def name_of(client: Client) -> Words:
    """A client's name in both languages."""
    return {"zh": client.name_zh, "en": client.name_en}


def _row(client: Client, counted: Counted) -> ClientRow:
    return ClientRow(
        id=client.pk,
        code=client.code,
        name=name_of(client),
        party={"zh": client.party.name_zh, "en": client.party.name_en},
        place=divisions.name_of(client.party.division),
        state=STATES[client.state],
        counted=counted,
    )


# --- One client -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AgreedRow:
    """What is or was agreed about a scope."""

    scope: str
    name: Words
    purpose: Words
    basis: str
    per_minute: int
    starts_on: dt.date
    ends_on: dt.date
    state: Tagged


@dataclass(frozen=True)
class CredentialRow:
    """A credential by its id; its secret is nowhere."""

    id: str
    given_at: dt.datetime
    given_by: Words
    valid_to: dt.datetime | None
    state: Tagged
    good: bool


@dataclass(frozen=True)
class EndpointRow:
    """Where it takes messages, and how many wait or were given up."""

    id: int
    url: str
    kinds: list[str]
    state: Tagged
    active: bool
    failures: int
    rests_until: dt.datetime | None
    waiting: int
    dead: int


@dataclass(frozen=True)
class FailingRow:
    """A message that was tried and not taken."""

    url: str
    kind: str
    name: Words
    state: Tagged
    tries: int
    tried_at: dt.datetime | None
    error: str


@dataclass(frozen=True)
class RequestRow:
    """An endpoint that a client asks for, in a list."""

    id: int
    client: Words
    url: str
    kinds: list[str]
    made_at: dt.datetime
    decided_at: dt.datetime | None
    state: Tagged


@dataclass(frozen=True)
class ClientPage:
    """A client with all that stands of it. `may` are the steps of `STEPS` that this officer may take now."""

    row: ClientRow
    agreements: list[AgreedRow]
    credentials: list[CredentialRow]
    endpoints: list[EndpointRow]
    failing: list[FailingRow]
    asked: list[RequestRow]
    may: frozenset[str]


def client(actor: StaffActor, client_id: int) -> ClientPage:
    """A client of the officer's places. Raises NotFound CLIENT_UNKNOWN."""
    found = register.client(actor.places_of(PERMISSION), client_id)
    endpoints = messages.endpoints_of(f"client:{found.code}")
    urls = {each.pk: each.url for each in endpoints}
    asked = register.requests_of(client_id)
    agreements = [_agreed(each, clock.today()) for each in register.agreements(client_id)]
    in_force = {each.scope for each in agreements if each.state is AGREED["in_force"]}
    return ClientPage(
        row=_row(found, Counted(len(in_force), len(asked))),
        agreements=agreements,
        credentials=_credentials(register.credentials(client_id)),
        endpoints=[_endpoint(each) for each in endpoints],
        failing=[_failing(each, urls[each.endpoint_id]) for each in messages.failing_of(list(urls), FAILING)],
        asked=[_request_row(each, found) for each in asked],
        may=_steps(actor, found),
    )


def _steps(actor: StaffActor, found: Client) -> frozenset[str]:
    offered = {State.ACTIVE: {"suspend"}, State.SUSPENDED: {"resume"}}.get(State(found.state), set())
    return frozenset(
        code for code in {*offered, "withdraw", "end"} if actor.reaches(STEPS[code].permission, EVERYWHERE)
    )


def _agreed(each: Agreement, today: dt.date) -> AgreedRow:
    said = SCOPES[Scope(each.scope)]
    return AgreedRow(
        scope=each.scope,
        name={"zh": said.zh, "en": said.en},
        purpose={"zh": each.purpose_zh, "en": each.purpose_en},
        basis=each.basis_id,
        per_minute=each.per_minute,
        starts_on=each.starts_on,
        ends_on=each.ends_on,
        state=AGREED["in_force" if each.starts_on <= today < each.ends_on else "ended"],
    )


def _credentials(found: Sequence[Credential]) -> list[CredentialRow]:
    names, now = actors.names_of(each.given_by for each in found), clock.now()
    good = {each.pk: each.valid_to is None or now < each.valid_to for each in found}
    return [
        CredentialRow(
            each.client_id, each.created, names[each.given_by], each.valid_to, GOOD[good[each.pk]], good[each.pk]
        )
        for each in found
    ]


def _endpoint(each: Endpoint) -> EndpointRow:
    rests = each.rests_until is not None and each.rests_until > clock.now()
    return EndpointRow(
        id=each.pk,
        url=each.url,
        kinds=sorted(each.kinds),
        state=SENT["resting" if rests and each.state == "active" else each.state],
        active=each.state == "active",
        failures=each.failures,
        rests_until=each.rests_until if rests else None,
        waiting=each.waiting,  # type: ignore[attr-defined]  # counted beside it
        dead=each.dead,  # type: ignore[attr-defined]
    )


def _failing(each: messages.Failing, url: str) -> FailingRow:
    said = KINDS[Kind(each.kind)]
    return FailingRow(
        url,
        each.kind,
        {"zh": said.zh, "en": said.en},
        DELIVERED[each.state],
        each.tries,
        each.tried_at,
        each.last_error,
    )


# --- What clients ask for ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Requests:
    """A page of requests in a state; `next` is the last id of it, None if it is the last page."""

    state: str
    after: int | None
    rows: list[RequestRow]
    next: int | None

    def query(self, after: int | None = None) -> str:
        """The address of the same list from another page on."""
        return query_of({"state": self.state if self.state != "waiting" else "", "after": after or ""})


@dataclass(frozen=True)
class KindRow:
    """A kind of message that is asked for. `agreed`: it is told under a scope that is agreed with the client.
    `new`: the same address does not take it yet.
    """

    code: str
    name: Words
    scope: str
    agreed: bool
    new: bool


@dataclass(frozen=True)
class RequestPage:
    """A request beside what stands.

    `filed` is the endpoint of the same address, None where there is none; `dropped` are the kinds that it takes and
    that are asked for no more. `host_known`: another active endpoint of the client is at the same host. `full`: it has
    as many as there may be. `decided_by` is empty while it waits.
    """

    row: RequestRow
    client: ClientRow
    host: str
    host_known: bool
    kinds: list[KindRow]
    filed: EndpointRow | None
    dropped: list[str]
    standing: list[EndpointRow]
    full: bool
    waits: bool
    decided_by: Words
    reason: str
    seen: str
    may_decide: bool


def requests(actor: StaffActor, asked: QueryDict) -> Requests:
    """A page of what clients of the officer's places asked for; what waits unless the address says otherwise."""
    state, after = asked.get("state", ""), number_in(asked.get("after", ""))
    state = state if state in ASKED else "waiting"
    found = register.requests(actor.places_of(PERMISSION), state, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    rows = [_request_row(each, each.client) for each in shown]
    return Requests(state, after, rows, shown[-1].pk if len(found) > PAGE else None)


def request(actor: StaffActor, request_id: int) -> RequestPage:
    """A request of a client of the officer's places. Raises NotFound ENDPOINT_REQUEST_UNKNOWN."""
    asked = register.request(actor.places_of(PERMISSION), request_id)
    endpoints = [_endpoint(each) for each in messages.endpoints_of(f"client:{asked.client.code}")]
    filed = next((each for each in endpoints if each.url == asked.url), None)
    active = [each for each in endpoints if each.active]
    taken = set(filed.kinds) if filed is not None and filed.active else set()
    agreed, host = register.agreed_scopes(asked.client_id, clock.today()), _host(asked.url)
    return RequestPage(
        row=_request_row(asked, asked.client),
        client=_row(asked.client, Counted(len(agreed), 0)),
        host=host,
        host_known=any(_host(each.url) == host for each in active if each is not filed),
        kinds=[_kind(Kind(code), agreed, taken) for code in sorted(asked.kinds)],
        filed=filed,
        dropped=sorted(taken - set(asked.kinds) - {Kind.PING.value}),
        standing=[each for each in active if each is not filed],
        full=len(active) >= PER_CLIENT_MAX and not taken,
        waits=asked.state == "waiting",
        decided_by=actors.names_of([asked.decided_by])[asked.decided_by],
        reason=asked.reason,
        seen=" ".join(sorted(asked.kinds)),
        may_decide=actor.reaches("sharing.add_endpoint", EVERYWHERE),
    )


def _kind(kind: Kind, agreed: set[str], taken: set[str]) -> KindRow:
    said, scope = KINDS[kind], SCOPE_OF[kind].value
    return KindRow(kind.value, {"zh": said.zh, "en": said.en}, scope, scope in agreed, kind.value not in taken)


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _request_row(each: EndpointRequest, client: Client) -> RequestRow:
    return RequestRow(
        each.pk, name_of(client), each.url, sorted(each.kinds), each.made_at, each.decided_at, ASKED[each.state]
    )
