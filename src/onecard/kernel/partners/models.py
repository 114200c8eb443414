"""The register of parties (合作单位)."""

from django.db import models


class PartyKind(models.TextChoices):
    BANK = "bank", "合作银行"
    OPERATOR = "operator", "运营单位"
    TREASURY = "treasury", "财政"
    DEPARTMENT = "department", "部门"


class PartyState(models.TextChoices):
    ACTIVE = "active", "正常"
    SUSPENDED = "suspended", "暂停"


class Party(models.Model):
    """An organisation that issues, accepts, funds or governs. `division` is its GB/T 2260 place."""

    id = models.BigAutoField(primary_key=True)
    code = models.TextField(unique=True)
    kind = models.TextField(choices=PartyKind)
    name_zh = models.TextField()
    name_en = models.TextField()
    division = models.CharField(max_length=6)
    state = models.TextField(choices=PartyState, default=PartyState.ACTIVE, db_default=PartyState.ACTIVE)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=PartyKind.values), name="partners_party_kind"),
            models.CheckConstraint(condition=models.Q(state__in=PartyState.values), name="partners_party_state"),
            models.CheckConstraint(condition=models.Q(division__regex=r"^[0-9]{6}$"), name="partners_party_division"),
        ]

    def __str__(self) -> str:
        return self.code
