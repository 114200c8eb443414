"""Sign-ins of the demo: officers of the roles that have pages, and a few residents, with generated passwords in a file
of mode 600.

The file is written first. Whoever exists keeps their password, unless the file was lost and had to be made anew.
"""

import secrets
from pathlib import Path
from typing import NamedTuple

from django.db import transaction

from onecard.demo import running
from onecard.demo.database import secret_file
from onecard.demo.plan import ACTOR
from onecard.foundation import clock, keys
from onecard.foundation.postgres.raw import rows
from onecard.kernel.holders import loading
from onecard.kernel.holders.models import Holder
from onecard.kernel.signins.models import Kind, User
from onecard.kernel.staff import actions as staff


class OfficerRow(NamedTuple):
    """A member of the demo's staff: one role in one place (GB/T 2260 prefix), in a department."""

    username: str
    display_name: str
    role: str
    place: str
    department: str


class ResidentRow(NamedTuple):
    """A resident who signs in: the first holder, by id, whose standing is so."""

    username: str
    condition: str


OFFICERS = (
    OfficerRow("clerk", "窗口经办（演示）", "clerk", "3206", "综合窗口"),
    OfficerRow("officer", "卡管岗（演示）", "card_officer", "3206", "卡管科"),
    OfficerRow("finance", "财务岗（演示）", "finance_officer", "3206", "财务科"),
    OfficerRow("risk", "风险监测岗（演示）", "risk_officer", "3206", "风险监测科"),
    OfficerRow("auditor", "审计岗（演示）", "auditor", "", "审计科"),
    OfficerRow("editor", "目录编制岗（演示）", "catalogue_editor", "3206", "目录科"),
    OfficerRow("approver", "目录审核岗（演示）", "catalogue_approver", "3206", "目录科"),
    OfficerRow("admin", "系统管理员（演示）", "administrator", "", "信息中心"),
)

_COUNTS_AS = (
    "EXISTS (SELECT FROM holders_class c WHERE c.holder_id = s.holder_id AND c.from_day <= $1"
    " AND (c.to_day IS NULL OR c.to_day > $1) AND {})"
)
_USABLE = "s.card_state = 'active' AND s.transit = 'active' AND s.ecard_serial IS NOT NULL"
RESIDENTS = (
    ResidentRow("resident", f"{_USABLE} AND NOT " + _COUNTS_AS.format("true")),
    ResidentRow("senior", f"{_USABLE} AND " + _COUNTS_AS.format("c.code = 'senior_70'")),
    ResidentRow("loser", "s.card_state = 'temp_lost'"),
)


def names() -> tuple[str, ...]:
    """The user names, staff first."""
    return tuple(row.username for row in (*OFFICERS, *RESIDENTS))


@transaction.atomic
def make(path: Path) -> None:
    """Make the sign-ins that are missing, with the passwords in the file."""
    was_lost = not path.exists()
    passwords = secret_file(path, lambda: {name: secrets.token_urlsafe(9) for name in names()})
    for officer in OFFICERS:
        if not _known(officer.username, passwords[officer.username], was_lost):
            _appoint(officer, passwords[officer.username])
    for resident in RESIDENTS:
        if not _known(resident.username, passwords[resident.username], was_lost):
            _enter(resident, passwords[resident.username])
    secret_file(path.with_name(running.RESIDENTS), _numbers)


def _numbers() -> dict[str, str]:
    """The social-security numbers of the residents who sign in; all of them are invented."""
    ring = keys.load("identity")
    users = User.objects.filter(username__in=[row.username for row in RESIDENTS]).order_by("pk")
    held = {user.username: Holder.objects.get(pk=user.holder_id) for user in users if user.holder_id is not None}
    return {name: loading.open_field(ring, "number", holder.pk, holder.number_sealed) for name, holder in held.items()}


def _known(username: str, password: str, was_lost: bool) -> bool:
    user = User.objects.filter(username=username).first()
    if user is not None and was_lost:
        user.set_password(password)
        user.save(update_fields=["password"])
    return user is not None


def _appoint(row: OfficerRow, password: str) -> None:
    named = {"username": row.username, "display_name": row.display_name, "department": row.department}
    officer = staff.appoint(ACTOR, password=password, **named)
    staff.assign(ACTOR, officer, row.role, row.place)


def _enter(row: ResidentRow, password: str) -> None:
    found = rows(
        f"SELECT s.holder_id FROM cards_standing s WHERE $1::date IS NOT NULL AND {row.condition}"  # noqa: S608 - ours
        " AND NOT EXISTS (SELECT FROM signins_user u WHERE u.holder_id = s.holder_id)"
        " ORDER BY s.holder_id LIMIT 1",
        clock.today(),
    )
    for (holder_id,) in found:  # none in a very small city
        User.objects.create_user(row.username, password, kind=Kind.HOLDER, holder_id=holder_id)
