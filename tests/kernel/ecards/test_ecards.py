"""E-cards, devices and issuer keys."""

import datetime as dt
from argparse import Namespace

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from nacl.signing import SigningKey, VerifyKey
from tests.kernel.cards.builders import PLACE, a_card

from onecard.foundation import clock, crypto, keys, sql
from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import queries as audit
from onecard.kernel.cards import actions as cards
from onecard.kernel.cards.models import Card, Standing
from onecard.kernel.cards.rules import CardState
from onecard.kernel.ecards import actions, command, queries
from onecard.kernel.ecards.models import Device, Ecard, Key
from onecard_kit.suites import SM2, Purpose, Signer

CLERK = Actor("staff:7", frozenset({"*"}))
OTHER = Actor("staff:8", frozenset({"*"}))
DEVICE = sql.load("onecard.kernel.ecards", "device")
ISSUER_KEYS = sql.load("onecard.kernel.ecards", "issuer_keys")


def standing_serial(card: Card) -> int | None:
    return Standing.objects.get(pk=card.pk).ecard_serial


def facts(ecard: Ecard) -> list[str]:
    return [fact.verb for fact in reversed(audit.facts_about(f"ecard:{ecard.serial}"))]


def shown(token: str) -> list[tuple[object, ...]]:
    return rows(DEVICE, queries.token_digest(token))


def standing_by(purpose: Purpose = Purpose.CODES) -> bytes:
    return bytes(Key.objects.get(purpose=purpose, sign_from=None).kid)


def verifying() -> set[bytes]:
    return {bytes(row[1]) for row in rows(ISSUER_KEYS) if row[8] is None}


@pytest.mark.django_db
class TestEcards:
    def test_sign_up_once(self) -> None:
        card = a_card()
        ecard = actions.sign_up(Actor(f"holder:{card.holder_id}"), card.pk)
        assert actions.sign_up(CLERK, card.pk) == ecard
        assert standing_serial(card) == ecard.serial
        assert 0 <= ecard.serial < 2**24
        assert facts(ecard) == ["ecards.sign_up"]
        assert queries.of_card(card.pk) == ecard

    def test_serials_differ(self) -> None:
        first, second = (actions.sign_up(CLERK, a_card().pk).serial for _ in range(2))
        assert second == first + 1

    @pytest.mark.parametrize("state", [state for state in CardState if state is not CardState.ACTIVE])
    def test_only_on_an_active_card(self, state: CardState) -> None:
        card = a_card(state=state)
        with pytest.raises(Conflict, match="CARD_NOT_VALID"):
            actions.sign_up(CLERK, card.pk)
        assert standing_serial(card) is None

    def test_not_on_an_expired_card(self) -> None:
        assert actions.sign_up(CLERK, a_card(valid_to=clock.today()).pk)
        with pytest.raises(Conflict, match="CARD_NOT_VALID"):
            actions.sign_up(CLERK, a_card(valid_to=clock.today() - dt.timedelta(days=1)).pk)

    def test_close_and_open_again(self) -> None:
        card = a_card()
        ecard = actions.sign_up(CLERK, card.pk)
        token = actions.enrol_device(CLERK, ecard.serial, "phone")
        actions.close(CLERK, ecard.serial, reason="wish")
        actions.close(CLERK, ecard.serial, reason="wish")
        assert standing_serial(card) is None
        assert shown(token) == []
        assert actions.sign_up(CLERK, card.pk).serial == ecard.serial
        assert standing_serial(card) == ecard.serial
        assert shown(token) == []
        assert facts(ecard) == ["ecards.sign_up", "ecards.enrol_device", "ecards.close", "ecards.sign_up"]

    def test_what_happens_to_the_card_is_read_from_the_card(self) -> None:
        card = a_card()
        ecard = actions.sign_up(CLERK, card.pk)
        token = actions.enrol_device(CLERK, ecard.serial, "phone")
        cards.report_lost(CLERK, card.pk, "temporary")
        ((_, _, serial, card_id, card_state, *_, place, family),) = shown(token)
        assert (serial, card_id, card_state, place) == (ecard.serial, card.pk, "temp_lost", PLACE)
        assert family is False
        assert standing_serial(card) == ecard.serial

    def test_permissions(self) -> None:
        card = a_card()
        ecard = actions.sign_up(CLERK, card.pk)
        actions.enrol_device(CLERK, ecard.serial, "phone")
        device = Device.objects.get(ecard=ecard)
        for who in (Actor("holder:0"), Actor("staff:1", frozenset({"*"}), ("3205",)), Actor("staff:1")):
            for call in (
                lambda who=who: actions.sign_up(who, card.pk),
                lambda who=who: actions.close(who, ecard.serial),
                lambda who=who: actions.enrol_device(who, ecard.serial, "phone"),
                lambda who=who: actions.revoke_device(who, device.pk),
            ):
                with pytest.raises(NotPermitted), transaction.atomic():
                    call()
        with pytest.raises(NotFound, match="ECARD_UNKNOWN"):
            actions.close(CLERK, 16_777_215)
        with pytest.raises(NotFound, match="CARD_UNKNOWN"):
            actions.sign_up(CLERK, 0)
        with pytest.raises(NotFound, match="DEVICE_UNKNOWN"):
            actions.revoke_device(CLERK, 0)


@pytest.mark.django_db
class TestDevices:
    def test_a_token_is_known_by_its_digest_only(self) -> None:
        ecard = actions.sign_up(CLERK, a_card().pk)
        token = actions.enrol_device(CLERK, ecard.serial, " 手机 ")
        device = Device.objects.get(ecard=ecard)
        assert len(token) == 43
        assert bytes(device.token_digest) == queries.token_digest(token)
        assert device.label == "手机"
        assert len(shown(token)) == 1
        assert shown(token + "x") == []

    def test_revoked_and_expired(self) -> None:
        ecard = actions.sign_up(CLERK, a_card().pk)
        revoked, expired = (actions.enrol_device(CLERK, ecard.serial, "phone") for _ in range(2))
        one, other = Device.objects.filter(ecard=ecard).order_by("id")
        actions.revoke_device(CLERK, one.pk)
        actions.revoke_device(CLERK, one.pk)
        Device.objects.filter(pk=other.pk).update(expires_at=clock.now() - dt.timedelta(days=1))
        assert shown(revoked) == shown(expired) == []
        assert queries.devices_of(ecard.serial) == []
        assert facts(ecard).count("ecards.revoke_device") == 1

    def test_all_but_the_one_that_asks(self) -> None:
        card = a_card()
        ecard = actions.sign_up(CLERK, card.pk)
        kept, *others = (actions.enrol_device(CLERK, ecard.serial, "phone") for _ in range(3))
        assert Standing.objects.get(pk=card.pk).codes_from is None
        assert actions.revoke_other_devices(Actor(f"holder:{card.holder_id}"), ecard.serial, kept) == 2
        assert Standing.objects.get(pk=card.pk).codes_from is not None
        assert len(shown(kept)) == 1
        assert len(queries.devices_of(ecard.serial)) == 1
        assert [shown(token) for token in others] == [[], []]
        assert facts(ecard).count("ecards.revoke_device") == 2
        assert actions.revoke_other_devices(CLERK, ecard.serial, kept) == 0
        with pytest.raises(NotPermitted):
            actions.revoke_other_devices(Actor("holder:0"), ecard.serial, "")

    @pytest.mark.parametrize("label", ["", "  ", "x" * 61])
    def test_labels(self, label: str) -> None:
        ecard = actions.sign_up(CLERK, a_card().pk)
        with pytest.raises(BadInput, match="LABEL_MALFORMED"):
            actions.enrol_device(CLERK, ecard.serial, label)

    def test_not_on_a_closed_ecard(self) -> None:
        ecard = actions.sign_up(CLERK, a_card().pk)
        actions.close(CLERK, ecard.serial)
        with pytest.raises(Conflict, match="ECARD_CLOSED"):
            actions.enrol_device(CLERK, ecard.serial, "phone")


@pytest.mark.django_db
class TestKeys:
    def test_a_key_opens_and_signs(self) -> None:
        key = actions.rotate_issuer_key(CLERK)
        seed = crypto.open_sealed(keys.load("codes"), key.private_sealed, f"ecards_key.private_sealed:{key.pk}")
        signed = SigningKey(seed).sign(b"code")
        assert VerifyKey(bytes(key.public)).verify(signed) == b"code"
        assert len(bytes(key.kid)) == 2

    def test_rotation_overlaps(self) -> None:
        old = actions.rotate_issuer_key(CLERK)
        new = actions.rotate_issuer_key(CLERK)
        old.refresh_from_db()
        assert old.sign_to == new.sign_from
        assert new.sign_from is not None
        assert old.verify_to == new.sign_from + actions.CODES_LIFE + actions.OFFLINE
        assert new.sign_to is None
        assert verifying() == {bytes(old.kid), bytes(new.kid), standing_by()}
        Key.objects.filter(pk=old.pk).update(
            sign_to=clock.now() - dt.timedelta(days=9), verify_to=clock.now() - dt.timedelta(days=1)
        )
        assert verifying() == {bytes(new.kid), standing_by()}

    def test_a_withdrawn_key_is_refused_at_once_and_another_signs(self) -> None:
        old = actions.rotate_issuer_key(CLERK)
        bad = actions.rotate_issuer_key(CLERK)
        actions.withdraw_key(CLERK, bytes(bad.kid), reason="leaked")
        actions.withdraw_key(CLERK, bytes(bad.kid), reason="leaked")
        new = queries.signing_key(Purpose.CODES)
        assert new is not None
        assert new.pk > bad.pk
        assert verifying() == {bytes(old.kid), bytes(new.kid), standing_by()}
        assert [fact.verb for fact in audit.facts_about(f"issuer_key:{bad.pk}")] == [
            "ecards.withdraw_key",
            "ecards.rotate_issuer_key",
        ]

    def test_withdrawing_an_old_key_leaves_the_signing_one(self) -> None:
        old, new = actions.rotate_issuer_key(CLERK), actions.rotate_issuer_key(CLERK)
        actions.withdraw_key(CLERK, bytes(old.kid), reason="leaked")
        assert verifying() == {bytes(new.kid), standing_by()}
        assert queries.signing_key(Purpose.CODES) == new

    def test_gates_know_the_key_that_signs_next(self) -> None:
        first = actions.rotate_issuer_key(CLERK)
        next_one = standing_by()
        second = actions.rotate_issuer_key(CLERK)
        assert bytes(second.kid) == next_one
        third = standing_by()
        actions.withdraw_key(CLERK, next_one, reason="leaked")
        signing = queries.signing_key(Purpose.CODES)
        assert signing is not None
        assert bytes(signing.kid) == third
        assert len({bytes(first.kid), next_one, third, standing_by()}) == 4

    def test_a_key_that_stands_by_can_be_withdrawn_and_another_does(self) -> None:
        signing = actions.rotate_issuer_key(CLERK)
        gone = standing_by()
        key = actions.withdraw_key(CLERK, gone, reason="leaked")
        assert key.sign_from == key.sign_to == key.verify_to == key.withdrawn_at
        assert queries.signing_key(Purpose.CODES) == signing
        assert standing_by() != gone
        assert verifying() == {bytes(signing.kid), standing_by()}

    def test_what_stood_by_from_before_the_node_went_over_never_signs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        actions.rotate_issuer_key(CLERK)
        passed_over = standing_by()
        monkeypatch.setenv("ONECARD_SUITE", "sm2")
        new = actions.rotate_issuer_key(CLERK)
        assert bytes(new.kid) != passed_over
        assert Key.objects.get(kid=passed_over).verify_to == new.sign_from
        assert Key.objects.get(sign_from=None).suite == "sm2"

    def test_each_purpose_has_keys_of_its_own(self) -> None:
        codes, lasting = (actions.rotate_issuer_key(CLERK, purpose) for purpose in Purpose)
        again = actions.rotate_issuer_key(CLERK, Purpose.LASTING)
        lasting.refresh_from_db()
        assert queries.signing_key(Purpose.CODES) == codes
        assert queries.signing_key(Purpose.LASTING) == again
        assert again.sign_from is not None
        assert lasting.verify_to == again.sign_from + actions.LASTING_LIFE + actions.OFFLINE
        with pytest.raises(IntegrityError, match="ecards_key_purpose_known"), transaction.atomic():
            Key.objects.filter(pk=codes.pk).update(purpose="fun")

    def test_two_people_withdraw_a_key_of_what_lasts(self) -> None:
        key = actions.rotate_issuer_key(CLERK, Purpose.LASTING)
        with pytest.raises(NotPermitted, match="MAKER_IS_CHECKER"):
            actions.withdraw_key(CLERK, bytes(key.kid), reason="leaked", approved_by=CLERK)
        for maker, checker in ((CLERK, None), (system("operator"), CLERK), (CLERK, system("operator"))):
            with pytest.raises(NotPermitted, match="OFFICER_NEEDED"):
                actions.withdraw_key(maker, bytes(key.kid), reason="leaked", approved_by=checker)
        with pytest.raises(NotPermitted, match="NOT_PERMITTED"):
            actions.withdraw_key(CLERK, bytes(key.kid), reason="leaked", approved_by=Actor("staff:9"))
        actions.withdraw_key(CLERK, bytes(key.kid), reason="leaked", approved_by=OTHER)
        assert bytes(key.kid) not in verifying()
        fact = audit.facts_about(f"issuer_key:{key.pk}")[0]
        assert (fact.actor, fact.detail["approved_by"]) == ("staff:7", "staff:8")

    def test_only_one_key_signs(self) -> None:
        key = actions.rotate_issuer_key(CLERK)
        with pytest.raises(IntegrityError, match="ecards_key_one_signs"), transaction.atomic():
            Key.objects.create(kid=b"zz", suite="ed25519", public=b"", private_sealed=b"", sign_from=key.sign_from)

    def test_a_node_of_the_other_suite_makes_keys_of_it_and_keeps_the_old(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = actions.rotate_issuer_key(CLERK)
        monkeypatch.setenv("ONECARD_SUITE", "sm2")
        new = actions.rotate_issuer_key(CLERK)
        old.refresh_from_db()
        assert (old.suite, new.suite, len(new.public)) == ("ed25519", "sm2", 65)
        assert new.sign_from is not None
        assert old.verify_to == new.sign_from + actions.CODES_LIFE + actions.OFFLINE
        assert {bytes(old.kid), bytes(new.kid), standing_by()} <= verifying()
        seed = crypto.open_sealed(keys.load("codes"), new.private_sealed, f"ecards_key.private_sealed:{new.pk}")
        signature = Signer.of(SM2, bytes(new.kid), seed).sign(b"code")
        assert SM2.verify(bytes(new.public), b"code", signature)
        with pytest.raises(IntegrityError, match="ecards_key_one_signs"), transaction.atomic():
            Key.objects.create(kid=b"zz", suite="ed25519", public=b"", private_sealed=b"", sign_from=new.sign_from)
        with pytest.raises(IntegrityError, match="ecards_key_suite_known"), transaction.atomic():
            Key.objects.filter(pk=new.pk).update(suite="rsa")

    def test_permissions_and_unknown(self) -> None:
        with pytest.raises(NotPermitted):
            actions.rotate_issuer_key(Actor("staff:1"))
        with pytest.raises(NotPermitted):
            actions.withdraw_key(Actor("staff:1"), b"xx", reason="leaked")
        with pytest.raises(NotFound, match="KEY_UNKNOWN"):
            actions.withdraw_key(CLERK, b"xx", reason="leaked")
        key = actions.rotate_issuer_key(CLERK)
        for nothing in ("", "  "):
            with pytest.raises(BadInput, match="REASON_MISSING"):
                actions.withdraw_key(CLERK, bytes(key.kid), reason=nothing)
        assert bytes(key.kid) in verifying()

    def test_the_commands_rotate_and_withdraw(self) -> None:
        assert command.rotate(Namespace(purpose="codes")) == 0
        stolen = queries.signing_key(Purpose.CODES)
        assert stolen is not None
        kid = bytes(stolen.kid).hex()
        given = {"reason": "stolen", "officer": None, "approver": None}
        assert command.withdraw(Namespace(kid=kid.upper(), **given)) == 0
        assert bytes(stolen.kid) not in verifying()
        assert audit.facts_about(f"issuer_key:{stolen.pk}")[0].reason == "stolen"
        with pytest.raises(NotFound, match="KEY_UNKNOWN") as refused:
            command.withdraw(Namespace(kid="no such", **given))
        assert kid in refused.value.next_en


@pytest.mark.parametrize("name", ["device", "issuer_keys"])
def test_the_gateway_may_run_its_statements(urls: dict[str, str], name: str) -> None:
    statement = sql.load("onecard.kernel.ecards", name).replace("$1", "''::bytea")
    with psycopg.connect(urls["gateway"]) as gateway:
        gateway.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT label FROM ecards_device",
        "SELECT number FROM cards_card",
        "UPDATE cards_standing SET card_state = 'active'",
        "DELETE FROM ecards_ecard",
        "UPDATE ecards_key SET withdrawn_at = NULL",
    ],
)
def test_the_gateway_may_not(urls: dict[str, str], statement: str) -> None:
    with psycopg.connect(urls["gateway"]) as gateway, pytest.raises(psycopg.errors.InsufficientPrivilege):
        gateway.execute(statement.encode())


@pytest.mark.django_db
def test_a_code_needs_the_fast_path() -> None:
    """The gateway's lookup stays one index probe a table, whatever grows."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = "\n".join(row[0] for row in rows(f"EXPLAIN {DEVICE.replace('$1', chr(39) * 2 + '::bytea')}"))
    assert "Seq Scan" not in plan
