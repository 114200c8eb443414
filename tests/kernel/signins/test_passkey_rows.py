"""The database itself keeps the staff's factors from residents' web, and residents' passkeys theirs."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import ProgrammingError, transaction
from pytest_django.plugin import DjangoDbBlocker
from tests.foundation.web.faces import a_resident, an_authenticator, an_officer
from tests.kernel.cards.roles import django_as


def test_residents_web_sees_no_factor_of_staff(
    fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker
) -> None:
    with django_as(fresh_database["owner"], django_db_blocker):
        officer, (user, _) = an_officer(), a_resident()
        an_authenticator(officer.user)
        Authenticator.objects.create(user=user, type="webauthn", data={})
    with django_as(fresh_database["public"], django_db_blocker):
        assert [each.user_id for each in Authenticator.objects.all()] == [user.pk]
        assert not Authenticator.objects.filter(user_id=officer.user.pk).delete()[0]
        for wrong in ({"user_id": officer.user.pk, "type": "webauthn"}, {"user_id": user.pk, "type": "totp"}):
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                Authenticator.objects.create(data={}, **wrong)
        kept: Any = Authenticator.objects.create(user_id=user.pk, type="webauthn", data={})
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            Authenticator.objects.filter(pk=kept.pk).update(user_id=user.pk)
