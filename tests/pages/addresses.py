"""Every route of the web processes, with who opens it and where: what holds for all pages is tested over this table.

A new route takes one line here. In braces stands what `tests/foundation/web/city.py` tells of its people: a page about
something new needs that thing there, under a name of its own.
"""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.urls import URLPattern, URLResolver

HERE = "tests/pages/addresses.py"


class Who(Enum):
    """Who opens a page, as far in as the page takes them."""

    NOBODY = "nobody"
    ASKED = "asked for a code to sign in with"
    RESIDENT = "a resident"
    WITHOUT_ECARD = "a resident without an e-card"
    CLIENT = "a client of the department API"
    NEWCOMER = "an officer without a second factor"
    HALFWAY = "an officer before the second step"
    OFFICER = "an officer with every role"


class Kind(Enum):
    """What a route answers with."""

    PAGE = "a page"
    POSTED = "only what is sent to it"
    FILE = "a file, or what a program reads"
    AWAY = "another address"


@dataclass(frozen=True)
class Sample:
    """A route's addresses. `grows`: a list that shows more when there is more. `ours`: what its address names belongs
    to no one resident. `known`: how a route of a library, which carries no mark, says who may open it.
    """

    who: Who
    addresses: tuple[str, ...]
    kind: Kind = Kind.PAGE
    grows: bool = False
    ours: bool = False
    known: str = ""


def _page(who: Who, *addresses: str, **more: Any) -> Sample:
    return Sample(who, addresses, **more)


NOBODY, ASKED, RESIDENT, WITHOUT_ECARD = Who.NOBODY, Who.ASKED, Who.RESIDENT, Who.WITHOUT_ECARD
NEWCOMER, HALFWAY, OFFICER, CLIENT = Who.NEWCOMER, Who.HALFWAY, Who.OFFICER, Who.CLIENT
POSTED, FILE, AWAY = Kind.POSTED, Kind.FILE, Kind.AWAY

PUBLIC = {
    "health": _page(NOBODY, "/health", kind=FILE, known="anyone"),
    "account_login": _page(NOBODY, "/sign-in/password/", known="anyone"),
    "account_logout": _page(RESIDENT, "/sign-out/", known="anyone"),
    "portal_home": _page(NOBODY, "/"),
    "portal_manifest": _page(NOBODY, "/manifest.webmanifest", kind=FILE),
    "portal_worker": _page(NOBODY, "/worker.js", kind=FILE),
    "portal_offline": _page(NOBODY, "/offline/"),
    "portal_kit": _page(NOBODY, "/_kit"),
    "portal_sign_in": _page(NOBODY, "/sign-in/"),
    "portal_sign_in_code": _page(ASKED, "/sign-in/code/"),
    "portal_passkey_enter": _page(NOBODY, "/sign-in/passkey/", kind=POSTED),
    "portal_passkey_begin_entering": _page(NOBODY, "/sign-in/passkey/begin/", kind=POSTED),
    "portal_stay": _page(RESIDENT, "/sign-in/stay/", kind=POSTED),
    "portal_services": _page(NOBODY, "/services", "/services?q=nowhere", "/services?field=transit"),
    "portal_services_csv": _page(NOBODY, "/services.csv", kind=FILE),
    "portal_services_json": _page(NOBODY, "/services.json", kind=FILE),
    "portal_service": _page(
        NOBODY, "/services/transit.metro_ride", "/services/transit.bus_ride",
        "/services/government.marriage_registration",
    ),
    "portal_legal_bases": _page(NOBODY, "/legal-bases"),
    "portal_legal_basis": _page(NOBODY, "/legal-bases/js-2022"),
    "portal_cards": _page(RESIDENT, "/cards/", grows=True),
    "portal_lost": _page(RESIDENT, "/cards/{card}/lost/"),
    "portal_found": _page(RESIDENT, "/cards/{card}/found/"),
    "portal_lost_card": _page(RESIDENT, "/lost/", kind=AWAY),
    "portal_settings": _page(RESIDENT, "/settings/"),
    "portal_sessions": _page(RESIDENT, "/settings/sessions/"),
    "portal_passkeys": _page(RESIDENT, "/settings/passkeys/"),
    "portal_passkey_begin": _page(RESIDENT, "/settings/passkeys/begin/", kind=POSTED),
    "portal_passkey": _page(RESIDENT, "/settings/passkeys/{passkey}/"),
    "portal_passkey_remove": _page(RESIDENT, "/settings/passkeys/{passkey}/remove/", kind=POSTED),
    "portal_means": _page(RESIDENT, "/paying/"),
    "portal_ecard": _page(RESIDENT, "/ecard/"),
    "portal_sign_up": _page(WITHOUT_ECARD, "/ecard/sign-up/"),
    "portal_phones": _page(RESIDENT, "/ecard/phones/"),
    "portal_ecard_forgotten": _page(RESIDENT, "/ecard/forgotten/"),
    "portal_ecard_begin": _page(RESIDENT, "/ecard/begin/", kind=POSTED),
    "portal_ecard_unlock": _page(RESIDENT, "/ecard/unlock/", kind=POSTED),
    "portal_ecard_fresh": _page(RESIDENT, "/ecard/fresh/", kind=POSTED),
    "portal_ecard_number": _page(RESIDENT, "/ecard/number/", kind=POSTED),
    "portal_ecard_lock": _page(RESIDENT, "/ecard/lock/", kind=POSTED),
    "portal_licence": _page(RESIDENT, "/ecard/licence/"),
    "portal_licence_revealed": _page(RESIDENT, "/ecard/licence/revealed/", kind=POSTED),
    "portal_family": _page(RESIDENT, "/ecard/family/"),
    "portal_family_withdraw": _page(RESIDENT, "/ecard/family/withdrawn/", kind=POSTED),
    "portal_family_answer": _page(RESIDENT, "/ecard/family/1/answer/", kind=POSTED),
    "portal_relative": _page(RESIDENT, "/ecard/family/{tie}/code/", kind=AWAY),
    "portal_relative_fresh": _page(RESIDENT, "/ecard/family/1/code/fresh/", kind=POSTED),
    "portal_uses": _page(RESIDENT, "/uses/", "/uses/?outcome=refused&field=health", grows=True),
    "portal_use": _page(RESIDENT, "/uses/{use}/", "/uses/{refused_use}/"),
    "portal_money": _page(RESIDENT, "/money/", grows=True),
    "portal_rights": _page(RESIDENT, "/rights/"),
    "portal_seen": _page(RESIDENT, "/seen/", grows=True),
    "dev_home": _page(NOBODY, "/dev/"),
    "dev_start": _page(NOBODY, "/dev/start"),
    "dev_try": _page(NOBODY, "/dev/try"),
    "dev_codes": _page(NOBODY, "/dev/codes"),
    "dev_signing": _page(NOBODY, "/dev/signing"),
    "dev_webhooks": _page(NOBODY, "/dev/webhooks"),
    "dev_search": _page(NOBODY, "/dev/search?q=trace", "/dev/search?q=nowhere"),
    "dev_changes": _page(NOBODY, "/dev/changes"),
    "dev_status": _page(NOBODY, "/dev/status"),
    "dev_sign_in": _page(CLIENT, "/dev/sign-in"),
    "dev_sign_out": _page(CLIENT, "/dev/sign-out", kind=POSTED),
    "dev_calls": _page(CLIENT, "/dev/calls", "/dev/calls?status=418", "/dev/calls?trace=x"),
    "dev_credentials": _page(CLIENT, "/dev/credentials"),
    "dev_withdrawal": _page(CLIENT, "/dev/credentials/withdrawal", kind=POSTED),
    "dev_endpoints": _page(CLIENT, "/dev/endpoints"),
    "dev_deliveries": _page(CLIENT, "/dev/endpoints/1"),
    "dev_openapi": _page(NOBODY, "/dev/openapi/gateway.json", kind=FILE),
    # The widest tables, the longest examples, one of each kind of caller.
    "dev_operation": _page(
        NOBODY, "/dev/gateway/use", "/dev/gateway/upload", "/dev/department/list_uses", "/dev/department/token"
    ),
}  # fmt: skip

STAFF = {
    "health": _page(NOBODY, "/health", kind=FILE, known="anyone"),
    "account_login": _page(NOBODY, "/sign-in/", known="anyone"),
    "account_logout": _page(OFFICER, "/sign-out/", known="anyone"),
    "mfa_authenticate": _page(HALFWAY, "/sign-in/code/", known="a sign-in under way"),
    "mfa_activate_totp": _page(NEWCOMER, "/second-factor/", known="staff without a second factor"),
    "mfa_index": _page(OFFICER, "/second-factor/done/", kind=AWAY, known="leads home"),
    "mfa_deactivate_totp": _page(OFFICER, "/second-factor/off/", kind=AWAY, known="leads home"),
    "console_home": _page(OFFICER, "/"),
    "console_days_csv": _page(OFFICER, "/days.csv", kind=FILE),
    "console_states_csv": _page(OFFICER, "/states.csv", kind=FILE),
    "console_counties_csv": _page(OFFICER, "/counties.csv", kind=FILE),
    "console_holders": _page(OFFICER, "/holders/"),
    "console_holder": _page(OFFICER, "/holders/{holder}/", "/holders/{holder}/?kind=data", grows=True),
    "console_reveal": _page(OFFICER, "/holders/{holder}/data/"),
    "console_move": _page(
        OFFICER, "/holders/{holder}/cards/{card}/cancel/", "/holders/{holder}/cards/{card}/complete/"
    ),
    "console_paper": _page(OFFICER, "/holders/{holder}/cards/{card}/paper-code/"),
    "console_paper_revoked": _page(OFFICER, "/holders/{holder}/cards/{card}/paper-code/revoked/", kind=POSTED),
    "console_uses": _page(OFFICER, "/uses/", "/uses/?line=double", grows=True),
    "console_use": _page(OFFICER, "/uses/{use}/", "/uses/{refused_use}/"),
    "console_refund": _page(OFFICER, "/uses/{use}/refund/", kind=POSTED),
    "console_exports": _page(OFFICER, "/exports/", grows=True),
    "console_export": _page(OFFICER, "/exports/{export}/"),
    "console_export_csv": _page(OFFICER, "/exports/{export}.csv", kind=FILE),
    "console_what_if": _page(OFFICER, "/what-if/"),
    "console_items": _page(OFFICER, "/items/", "/items/?stage=draft", grows=True),
    "console_item_upload": _page(OFFICER, "/items/upload/"),
    "console_item": _page(OFFICER, "/items/transit.bus_ride/"),
    "console_item_difference": _page(OFFICER, "/items/transit.bus_ride/difference/"),
    "console_item_offers": _page(OFFICER, "/items/transit.bus_ride/points/", grows=True),
    "console_item_offer": _page(OFFICER, "/items/transit.bus_ride/points/new/"),
    "console_item_stop_offering": _page(OFFICER, "/items/transit.bus_ride/points/stopped/"),
    "console_item_version": _page(
        OFFICER, "/items/transit.metro_ride/versions/1/", "/items/government.marriage_registration/versions/1/"
    ),
    "console_item_toml": _page(OFFICER, "/items/transit.bus_ride/versions/1.toml", kind=FILE),
    "console_item_json": _page(OFFICER, "/items/transit.bus_ride/versions/1.json", kind=FILE),
    "console_item_preview": _page(OFFICER, "/items/transit.bus_ride/versions/1/preview/"),
    "console_item_version_step": _page(
        OFFICER, "/items/transit.bus_ride/versions/1/end/", "/items/transit.bus_ride/versions/1/publish/"
    ),
    "console_item_step": _page(OFFICER, "/items/transit.bus_ride/suspend/"),
    "console_legal_bases": _page(OFFICER, "/legal-bases/"),
    "console_legal_basis": _page(OFFICER, "/legal-bases/js-2022/"),
    "console_points": _page(OFFICER, "/points/", grows=True),
    "console_point": _page(OFFICER, "/points/{point}/"),
    "console_terminals": _page(OFFICER, "/terminals/", "/terminals/?state=ended", grows=True),
    "console_terminal": _page(OFFICER, "/terminals/{terminal}/"),
    "console_pair": _page(OFFICER, "/terminals/{terminal}/pairing-code/", kind=POSTED),
    "console_clients": _page(OFFICER, "/clients/", "/clients/?text=nowhere", grows=True),
    "console_client": _page(OFFICER, "/clients/{client}/", grows=True),
    "console_client_suspend": _page(OFFICER, "/clients/{client}/suspended/"),
    "console_client_resume": _page(OFFICER, "/clients/{client}/resumed/"),
    "console_credential_withdraw": _page(OFFICER, "/clients/{client}/credentials/{credential}/withdrawn/"),
    "console_endpoint_end": _page(OFFICER, "/clients/{client}/endpoints/{endpoint}/ended/"),
    "console_endpoint_requests": _page(
        OFFICER, "/endpoint-requests/", "/endpoint-requests/?state=declined", grows=True
    ),
    "console_endpoint_request": _page(
        OFFICER, "/endpoint-requests/{endpoint_request}/", "/endpoint-requests/{other_request}/"
    ),
    "console_endpoint_accept": _page(OFFICER, "/endpoint-requests/{endpoint_request}/accepted/", kind=POSTED),
    "console_endpoint_decline": _page(OFFICER, "/endpoint-requests/{endpoint_request}/declined/", kind=POSTED),
    "console_accounts": _page(OFFICER, "/accounts/", "/accounts/?role=bank.offer", grows=True),
    "console_account": _page(OFFICER, "/accounts/{account}/", grows=True),
    "console_concessions": _page(OFFICER, "/concessions/"),
    "console_concessions_csv": _page(OFFICER, "/concessions.csv", kind=FILE),
    "console_risks": _page(OFFICER, "/risks/", "/risks/?state=acted", grows=True),
    "console_risks_csv": _page(OFFICER, "/risks.csv", kind=FILE),
    "console_risk": _page(OFFICER, "/risks/{risk}/"),
    "console_audit": _page(OFFICER, "/audit/?looks=1", "/audit/", "/audit/?subject=nothing", grows=True),
    "console_chain": _page(OFFICER, "/audit/chain/"),
    "console_verify": _page(OFFICER, "/audit/verifications/", kind=POSTED),
    "console_verification": _page(OFFICER, "/audit/verifications/{verification}/"),
    "console_audit_exports": _page(OFFICER, "/audit/exports/"),
    "console_audit_export": _page(OFFICER, "/audit/exports/{audit_export}/"),
    "console_audit_export_csv": _page(OFFICER, "/audit/exports/{audit_export}.csv", kind=FILE),
    "console_officers": _page(OFFICER, "/officers/", "/officers/?text=nobody-here", grows=True),
    "console_appoint": _page(OFFICER, "/officers/new/"),
    "console_officer": _page(OFFICER, "/officers/{officer}/"),
    "console_invite": _page(OFFICER, "/officers/{officer}/invitation/", kind=POSTED),
    "console_assign": _page(OFFICER, "/officers/{officer}/roles/", kind=POSTED),
    "console_withdraw": _page(OFFICER, "/officers/{officer}/roles/withdrawn/", kind=POSTED),
    "console_suspend": _page(OFFICER, "/officers/{officer}/suspended/"),
    "console_restore": _page(OFFICER, "/officers/{officer}/restored/"),
    "console_end_sessions": _page(OFFICER, "/officers/{officer}/sessions/"),
    "console_reset": _page(OFFICER, "/officers/{officer}/second-factor/"),
    "console_roles": _page(OFFICER, "/roles/"),
    "console_first_sign_in": _page(NOBODY, "/sign-in/first/"),
    "console_stay": _page(OFFICER, "/sign-in/stay/", kind=POSTED),
    "console_passkey_enter": _page(NOBODY, "/sign-in/passkey/", kind=POSTED),
    "console_passkey_begin_entering": _page(NOBODY, "/sign-in/passkey/begin/", kind=POSTED),
    "console_confirm": _page(OFFICER, "/sign-in/confirm/"),
    "console_own_sign_in": _page(OFFICER, "/my-sign-in/"),
    "console_passkey_add": _page(OFFICER, "/my-sign-in/passkeys/", kind=POSTED),
    "console_passkey_begin": _page(OFFICER, "/my-sign-in/passkeys/begin/", kind=POSTED),
    "console_passkey": _page(OFFICER, "/my-sign-in/passkeys/{staff_passkey}/"),
    "console_passkey_remove": _page(OFFICER, "/my-sign-in/passkeys/{staff_passkey}/remove/", kind=POSTED),
}

TABLES = {"public": PUBLIC, "staff": STAFF}


def routes(process: str) -> Iterator[URLPattern]:
    """Every route that a process serves."""

    def walk(patterns: list[Any]) -> Iterator[URLPattern]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            else:
                yield pattern

    return walk(importlib.import_module(f"onecard.urls.{process}_routes").urlpatterns)


def filled(address: str, known: dict[str, Any]) -> str:
    """An address with what lives in the tests' city."""
    try:
        return address.format_map(known)
    except KeyError as missing:
        raise AssertionError(
            f"{address} names {missing}, which tests/foundation/web/city.py does not tell: make it there"
        ) from None


def pages(process: str, *who: Who) -> list[str]:
    """The addresses of all pages that these people open, braces and all."""
    samples = [sample for sample in TABLES[process].values() if sample.kind is Kind.PAGE and sample.who in who]
    return [address for sample in samples for address in sample.addresses]
