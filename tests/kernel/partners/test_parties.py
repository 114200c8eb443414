"""The register of parties."""

import pytest
from django.db import IntegrityError

from onecard.kernel.partners.models import Party

GOOD = {"code": "nt-bus", "kind": "operator", "name_zh": "公交", "name_en": "Bus", "division": "320600"}


@pytest.mark.django_db
def test_a_party_is_active_until_it_is_suspended() -> None:
    party = Party.objects.create(**GOOD)
    assert party.state == "active"
    assert str(party) == "nt-bus"


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"kind": "friend"}, {"state": "gone"}, {"division": "3206"}])
def test_the_database_refuses_what_is_not_in_the_list(wrong: dict[str, str]) -> None:
    with pytest.raises(IntegrityError):
        Party.objects.create(**{**GOOD, **wrong})


@pytest.mark.django_db
def test_a_code_names_one_party() -> None:
    Party.objects.create(**GOOD)
    with pytest.raises(IntegrityError):
        Party.objects.create(**GOOD)
