"""Reads of sharing: what a token stands for at this moment, and the register of agreements and credentials."""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from enum import Enum, auto

from onecard.foundation import clock, sql
from onecard.foundation.actors import Actor
from onecard.foundation.postgres.raw import rows
from onecard.kernel.catalogue.models import State
from onecard.kernel.sharing.models import Agreement, Credential
from onecard.kernel.sharing.scopes import Scope

HERE = "onecard.kernel.sharing"
# How many tokens a minute a client may get: one is good for ten, and each is a row until the night.
TOKENS_PER_MINUTE = 60


class Refused(Enum):
    """Why a token is worth nothing, in order of precedence."""

    UNKNOWN = auto()
    EXPIRED = auto()
    CREDENTIAL_ENDED = auto()
    CLIENT_SUSPENDED = auto()


@dataclass(frozen=True)
class TurnedAway:
    """Whose token is worth nothing, and why; nobody's where no token is known."""

    why: Refused
    client_id: int | None = None
    credential: str = ""


@dataclass(frozen=True)
class Caller:
    """A client that proved itself, by which credential, and what it may do now: each scope with how many requests a
    minute it bears.
    """

    client_id: int
    code: str
    credential: str
    scopes: dict[Scope, int]

    @property
    def actor(self) -> Actor:
        """As the audit trail names it."""
        return Actor(f"client:{self.code}")


def caller_of(token: str) -> Caller | TurnedAway:
    """Who shows a bearer token, if it is worth anything at this moment."""
    checksum = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    found = rows(sql.load(HERE, "bearer"), checksum, clock.today())
    if not found:
        return TurnedAway(Refused.UNKNOWN)
    [(expires, granted, valid_to, credential, client_id, code, state, agreed)] = found
    if (why := _worthless(expires, valid_to, state)) is not None:
        return TurnedAway(why, client_id, credential)
    bears: dict[str, int] = json.loads(agreed)
    scopes = {scope: bears[scope] for scope in Scope if scope in bears and scope in granted.split()}
    return Caller(client_id, code, credential, scopes)


def _worthless(expires: dt.datetime, valid_to: dt.datetime | None, state: str) -> Refused | None:
    now = clock.now()
    if now >= expires:
        return Refused.EXPIRED
    if valid_to is not None and now >= valid_to:
        return Refused.CREDENTIAL_ENDED
    return Refused.CLIENT_SUSPENDED if state != State.ACTIVE else None


def agreement_of(caller: Caller, scope: Scope) -> Agreement:
    """The agreement under which a caller does something at this moment."""
    return Agreement.in_force(clock.today()).filter(client_id=caller.client_id, scope=scope).latest("starts_on")


def agreements_of(client_code: str) -> list[Agreement]:
    """What is or was agreed with a client, the newest first."""
    return list(Agreement.objects.filter(client__code=client_code).order_by("-starts_on", "scope"))


def open_credentials(client_code: str, at: dt.datetime | None = None) -> list[Credential]:
    """The credentials of a client that are worth something at a moment, the newest first."""
    now = at or clock.now()
    found = Credential.objects.filter(owner__code=client_code).order_by("-id")
    return [each for each in found if each.valid_to is None or now < each.valid_to]


def take(caller: Caller, scope: Scope) -> int:
    """Take one request of a scope's allowance; 0, or after how many seconds to come again."""
    return _take(caller.client_id, scope.value, caller.scopes[scope])


def take_token(caller: Caller) -> int:
    """Take one of the tokens that a client may get; 0, or after how many seconds to come again."""
    return _take(caller.client_id, "token", TOKENS_PER_MINUTE)


def _take(client_id: int, what: str, per_minute: int) -> int:
    if rows(sql.load(HERE, "take_allowance"), client_id, what, per_minute):
        return 0
    [(wait_s,)] = rows(sql.load(HERE, "wait_for_allowance"), client_id, what, per_minute)
    seconds: int = wait_s
    return seconds
