"""The tables of the audit trail: append-only, so every row is written by plain SQL and read through `queries`.

A transaction id is PostgreSQL's xid8, which only grows; it arrives here as decimal text.
"""

from django.db import models


class Fact(models.Model):
    """A verb that took effect (审计事实)."""

    id = models.BigAutoField(primary_key=True)
    xid = models.TextField()
    at = models.DateTimeField()
    actor = models.TextField()
    verb = models.TextField()
    subject = models.TextField()
    place = models.CharField(max_length=6)
    reason = models.TextField()
    detail = models.JSONField()

    class Meta:
        managed = False
        db_table = "audit_fact"


class RiskFact(models.Model):
    """A sign of misuse (风险事实). `window_from` is the window that a job looked back on; None: raised at once."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    kind = models.TextField()
    subject = models.TextField()
    detail = models.JSONField()
    window_from = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "audit_risk_fact"


class Seal(models.Model):
    """A digest over the facts of transactions after `xid_from`, up to and including `xid_to` (封签)."""

    number = models.BigIntegerField(primary_key=True)
    xid_from = models.TextField()
    xid_to = models.TextField()
    facts = models.IntegerField()
    digest = models.BinaryField()
    previous = models.BinaryField()
    sealed_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "audit_seal"


class Anchor(models.Model):
    """The signature of a day's last seal (锚定)."""

    day = models.DateField(primary_key=True)
    seal = models.BigIntegerField()
    digest = models.BinaryField()
    key_id = models.IntegerField()
    signature = models.BinaryField()

    class Meta:
        managed = False
        db_table = "audit_anchor"
