"""Codes by short message (短信验证码): six digits that prove that somebody holds the phone registered for a holder.

A number that nobody has is answered like any other: a row is written, a job is queued, and no code ever fits.
"""

import datetime as dt
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction

from onecard.foundation import clock, crypto, jobs, keys
from onecard.kernel.signins.models import Code

LIFE = dt.timedelta(minutes=5)
TRIES_MAX = 5
DIGITS = 6
SENDING = "sms.send_code"


@dataclass(frozen=True)
class ToSend:
    """A code that is still good, in plain, and whose phone it goes to."""

    holder_id: int
    code: str


@transaction.atomic
def ask(holder_id: int | None) -> UUID:
    """Make a code for a holder, None where nobody has the number; it is sent once the caller's transaction commits."""
    id_, now = uuid4(), clock.now()
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    sealed = crypto.seal(keys.load("identity"), code.encode(), _place(id_))
    Code.objects.create(id=id_, holder_id=holder_id, code_sealed=sealed, made_at=now, expires_at=now + LIFE)
    jobs.queue(SENDING, code_id=str(id_))
    return id_


@transaction.atomic
def prove(id_: UUID, typed: str) -> int | None:
    """The holder whose code this is, once; None if it does not fit, has lapsed, was used or tried too often."""
    code = Code.objects.select_for_update(no_key=True).filter(pk=id_).first()
    if code is None or not _good(code) or code.tries >= TRIES_MAX:
        return None
    code.tries += 1
    fits = hmac.compare_digest(_plain(code).encode(), typed.encode("utf-8", "surrogatepass"))
    if fits and code.holder_id is not None:
        code.used_at = clock.now()
    code.save(update_fields=["tries", "used_at"])
    return code.holder_id if fits else None


def to_send(id_: UUID) -> ToSend | None:
    """What is to be sent; None if the code is no longer good, or nobody's."""
    code = Code.objects.filter(pk=id_).first()
    if code is None or code.holder_id is None or not _good(code):
        return None
    return ToSend(code.holder_id, _plain(code))


def _good(code: Code) -> bool:
    return code.used_at is None and clock.now() < code.expires_at


def _plain(code: Code) -> str:
    return crypto.open_sealed(keys.load("identity"), code.code_sealed, _place(code.pk)).decode()


def _place(id_: UUID) -> str:
    return f"signins_code.code_sealed:{id_}"
