"""The roles that ship with the product. `load` brings the table to this list; a role's permissions are changed here."""

from dataclasses import dataclass

from onecard.kernel.staff.models import Role


@dataclass(frozen=True)
class Shipped:
    code: str
    name_zh: str
    name_en: str
    permissions: tuple[str, ...]


COUNTER = (
    "holders.read",
    "holders.register",
    "holders.correct",
    "cards.open_purse",
    "cards.activate_function",
    "cards.suspend_function",
    "cards.report_lost",
    "cards.unreport",
    "ecards.sign_up",
    "ecards.close",
    "ecards.enrol_device",
    "ecards.revoke_device",
    "ecards.issue_paper_code",
    "ecards.revoke_paper_code",
    "ecards.write_card_file",
)

ROLES = (
    Shipped("clerk", "窗口经办", "Counter clerk", COUNTER),
    Shipped(
        "card_officer",
        "卡管岗",
        "Card officer",
        (
            *COUNTER,
            "holders.reveal",
            "holders.grant_certificate",
            "holders.withdraw_certificate",
            "holders.mark_deceased",
            "cards.issue",
            "cards.complete",
            "cards.close_function",
            "cards.lock",
            "cards.cancel",
            "uses.read",
            "uses.explain",
            "figures.read",
        ),
    ),
    Shipped(
        "finance_officer",
        "财务岗",
        "Finance officer",
        (
            "ledger.read",
            "ledger.hold",
            "ledger.post_hold",
            "ledger.void_hold",
            "ledger.correct",
            "uses.read",
            "uses.refund",
            "uses.export",
            "figures.read",
        ),
    ),
    Shipped(
        "catalogue_editor",
        "目录编制岗",
        "Catalogue editor",
        (
            "catalogue.read",
            "catalogue.load",
            "catalogue.submit",
            "catalogue.send_back",
            "catalogue.offer",
            "catalogue.stop_offering",
            "catalogue.set_hours",
            "catalogue.set_position",
            "catalogue.mark_demonstration",
            "figures.read",
        ),
    ),
    Shipped(
        "catalogue_approver",
        "目录审核岗",
        "Catalogue approver",
        ("catalogue.read", "catalogue.send_back", "catalogue.publish", "catalogue.end", "figures.read"),
    ),
    Shipped(
        "auditor",
        "审计岗",
        "Auditor",
        (
            "audit.read",
            "audit.export",
            "audit.verify",
            "audit.read_risks",
            "staff.read",
            "sharing.read",
            "uses.read",
            "uses.export",
            "uses.explain",
            "ledger.read",
            "figures.read",
        ),
    ),
    Shipped(
        "risk_officer",
        "风险监测岗",
        "Risk officer",
        ("audit.read_risks", "audit.follow_risk", "audit.declare_risks", "uses.read", "uses.explain", "figures.read"),
    ),
    Shipped(
        "administrator",
        "系统管理员",
        "Administrator",
        (
            "staff.read",
            "staff.appoint",
            "staff.assign",
            "staff.end_sessions",
            "staff.reset_second_factor",
            "catalogue.read",
            "catalogue.load",
            "catalogue.suspend",
            "catalogue.resume",
            "catalogue.pair",
            "catalogue.end",
            "ecards.rotate_issuer_key",
            "ecards.rotate_ref_key",
            "ecards.withdraw_key",
            "sharing.read",
            "sharing.agree",
            "sharing.end_agreement",
            "sharing.give_credential",
            "sharing.withdraw_credential",
            "sharing.add_endpoint",
            "sharing.end_endpoint",
            "figures.read",
            "audit.read",
        ),
    ),
)


def load() -> None:
    """Write the shipped roles; running it again changes nothing."""
    for role in ROLES:
        values = {"name_zh": role.name_zh, "name_en": role.name_en, "permissions": list(role.permissions)}
        Role.objects.update_or_create(code=role.code, defaults=values)
