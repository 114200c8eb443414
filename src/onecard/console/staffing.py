"""View values of officers: a page of them, one with roles, sign-in and history, and the roles in words."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from onecard.console import actors, permissions, verbs
from onecard.foundation import clock, node
from onecard.foundation.web.links import number_in, query_of, text_in
from onecard.kernel.audit import queries as audit
from onecard.kernel.audit.models import Fact
from onecard.kernel.holders import divisions
from onecard.kernel.staff import register
from onecard.kernel.staff.models import Assignment
from onecard.kernel.staff.queries import StaffActor
from onecard.kernel.staff.register import PAGE, Listed, Wanted
from onecard.kernel.staff.roles import ROLES

Words = dict[str, str]
PERMISSION = "staff.read"
STATES: dict[str, Words] = {
    "serving": {"zh": "在岗", "en": "Serving"},
    "suspended": {"zh": "已停用", "en": "Suspended"},
}
ROLE_CHOICES: list[tuple[str, Words]] = [(role.code, {"zh": role.name_zh, "en": role.name_en}) for role in ROLES]
# How many facts about an officer their page shows; the audit page has all.
FACTS = 10


@dataclass(frozen=True)
class Chosen:
    """What is looked for, and the last id of the page before."""

    wanted: Wanted
    after: int

    def query(self, after: int = 0) -> str:
        """The address of the same list from another page on."""
        values = {**self.wanted._asdict(), "after": after or ""}
        return query_of(values)

    @property
    def narrows(self) -> bool:
        return self.wanted != Wanted()


@dataclass(frozen=True)
class HeldRow:
    """A role that an officer holds in a place; `lapsed`: its last day is over."""

    role: str
    name: Words
    scope: str
    place: Words
    until: dt.date | None
    lapsed: bool
    may_withdraw: bool


@dataclass(frozen=True)
class OfficerRow:
    """An officer in a list."""

    id: int
    name: str
    username: str
    department: str
    state: Words
    serving: bool
    has_factor: bool
    invited_until: dt.datetime | None
    signed_in_at: dt.datetime | None
    held: list[HeldRow]


@dataclass(frozen=True)
class Listing:
    """A page of officers; `next` is where the next one begins, 0 if this is the last."""

    chosen: Chosen
    rows: list[OfficerRow]
    next: int


@dataclass(frozen=True)
class Done:
    """A fact about an officer, in words."""

    at: dt.datetime
    name: Words
    about: Words
    who: Words
    reason: str


@dataclass(frozen=True)
class OfficerPage:
    """One officer: who they are, what they hold, and what this viewer may do."""

    row: OfficerRow
    sessions: int
    done: list[Done]
    own: bool
    may_appoint: bool
    may_assign: bool
    may_end_sessions: bool
    may_reset: bool


def chosen(asked: QueryDict) -> Chosen:
    """What the address asks for; what is unknown is left out."""
    state, role, after = (asked.get(name, "") for name in ("state", "role", "after"))
    wanted = Wanted(
        text_in(asked.get("text", ""), 64),
        state if state in STATES else "",
        role if role in dict(ROLE_CHOICES) else "",
    )
    return Chosen(wanted, number_in(after) or 0)


def listing(actor: StaffActor, wanted: Chosen) -> Listing:
    """A page of officers."""
    found = register.page(actor.places_of(PERMISSION), wanted.wanted, after=wanted.after, limit=PAGE + 1)
    shown = found[:PAGE]
    rows = [_row(actor, each) for each in shown]
    return Listing(wanted, rows, shown[-1].officer.pk if len(found) > PAGE else 0)


def found_by(actor: StaffActor, officer_id: int) -> Listed:
    """An officer who acts in the viewer's places, or nowhere yet. Raises NotFound OFFICER_UNKNOWN."""
    return register.one(actor.places_of(PERMISSION), officer_id)


def one(actor: StaffActor, officer_id: int) -> OfficerPage:
    """One officer of the viewer's places. Raises NotFound OFFICER_UNKNOWN."""
    found = found_by(actor, officer_id)
    own = actor.name == f"staff:{officer_id}"
    return OfficerPage(
        row=_row(actor, found),
        sessions=register.sessions_of(found.officer),
        done=_done(audit.facts_about(f"staff:{officer_id}", limit=FACTS)),
        own=own,
        may_appoint=not own and "" in actor.places_of("staff.appoint"),
        may_assign=not own and actor.holds("staff.assign"),
        may_end_sessions="" in actor.places_of("staff.end_sessions"),
        may_reset=not own and found.has_factor and "" in actor.places_of("staff.reset_second_factor"),
    )


def roles() -> list[tuple[str, Words, list[tuple[str, Words]]]]:
    """The roles with their permissions in words: code, name, permissions."""
    return [
        (code, name, [(each, permissions.name_of(each)) for each in role.permissions])
        for (code, name), role in zip(ROLE_CHOICES, ROLES, strict=True)
    ]


def place_name(prefix: str) -> Words:
    """A scope in words: everywhere, or the division that a GB/T 2260 prefix names."""
    if not prefix:
        return {"zh": "全部地区", "en": "Everywhere"}
    return {"zh": f"{divisions.name_of(prefix.ljust(6, '0'))} {prefix}", "en": ""}


def scopes(actor: StaffActor) -> list[tuple[str, Words]]:
    """Where the officer may assign roles: their own places, and within them the node's city and its divisions."""
    places = actor.places_of("staff.assign")
    wanted = [*places, *(each for city in _cities(places) for each in _divisions_of(city))]
    within = {each for each in wanted if any(each.startswith(place) for place in places)}
    return [(each, place_name(each)) for each in sorted(within)]


def _cities(places: Sequence[str]) -> set[str]:
    return {node.code()[:4], *(place for place in places if len(place) == 4)}


def _divisions_of(city: str) -> Iterator[str]:
    """Prefixes of a city's province, of the city, and of the divisions of it that are in force."""
    yield from (city[:2], city)
    for code, each in divisions.load().items():
        if code.startswith(city) and not code.endswith(("00", "01")) and each.to_year is None:
            yield code


def _row(actor: StaffActor, found: Listed) -> OfficerRow:
    officer = found.officer
    return OfficerRow(
        id=officer.pk,
        name=officer.display_name,
        username=found.username,
        department=officer.department,
        state=STATES["serving" if officer.is_active else "suspended"],
        serving=officer.is_active,
        has_factor=found.has_factor,
        invited_until=found.invited_until,
        signed_in_at=found.signed_in_at,
        held=[_held(actor, each) for each in found.held],
    )


def _held(actor: StaffActor, each: Assignment) -> HeldRow:
    return HeldRow(
        role=each.role.code,
        name={"zh": each.role.name_zh, "en": each.role.name_en},
        scope=each.place,
        place=place_name(each.place),
        until=each.until,
        lapsed=each.until is not None and each.until < clock.today(),
        may_withdraw=actor.reaches("staff.assign", each.place),
    )


def _done(facts: Sequence[Fact]) -> list[Done]:
    names = actors.names_of(fact.actor for fact in facts)
    return [
        Done(fact.at, verbs.name_of(fact.verb), _about(fact.detail), names[fact.actor], fact.reason) for fact in facts
    ]


def _about(detail: dict[str, str]) -> Words:
    """Which role, where and until when, of an assignment; else nothing."""
    if "role" not in detail:
        return {"zh": "", "en": ""}
    role = dict(ROLE_CHOICES).get(detail["role"], {"zh": detail["role"], "en": detail["role"]})
    place, until = place_name(detail.get("scope", "")), detail.get("until", "")
    where = {"zh": place["zh"], "en": place["en"] or detail["scope"]}
    return {each: " · ".join(part for part in (role[each], where[each], until) if part) for each in ("zh", "en")}


@dataclass(frozen=True)
class Step:
    """Something done to an officer for a reason: what it is called and what it does."""

    code: str
    name: Words
    does: Words
    icon: str
    permission: str
    danger: bool = True


STEPS = {
    step.code: step
    for step in (
        Step(
            "suspend",
            {"zh": "停用", "en": "Suspend"},
            {
                "zh": "登录立即关闭，所有会话结束；角色保留，恢复后继续有效。",
                "en": "The sign-in closes and all sessions end at once. Roles are kept, and hold again once restored.",
            },
            "lock",
            "staff.appoint",
        ),
        Step(
            "restore",
            {"zh": "恢复", "en": "Restore"},
            {
                "zh": "可以用原来的密码、第二步验证和角色登录。",
                "en": "They can sign in with the password, second factor and roles they had.",
            },
            "lock-open",
            "staff.appoint",
            danger=False,
        ),
        Step(
            "end_sessions",
            {"zh": "结束登录", "en": "End sessions"},
            {
                "zh": "所有设备上的登录立即结束，下一次操作需要重新登录。",
                "en": "Sessions on all devices end at once; whatever is done next takes a new sign-in.",
            },
            "logout",
            "staff.end_sessions",
        ),
        Step(
            "reset_second_factor",
            {"zh": "重置第二步验证", "en": "Reset second factor"},
            {
                "zh": "身份验证器和全部通行密钥作废，所有登录结束，下次登录时重新设置。"
                "在那之前只凭密码就能打开设置页面，请先当面确认是本人。须两人办理。",
                "en": "The authenticator and all passkeys are void, all sessions end, and the next sign-in sets up"
                " another second factor. Until then the password alone opens the set-up page, so make sure in person"
                " who asks. It takes two officers.",
            },
            "key",
            "staff.reset_second_factor",
        ),
    )
}
