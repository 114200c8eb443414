"""Tables of entitlements."""

from django.db import models


class QuotaUsed(models.Model):
    """Uses counted for a holder under a rule in the period that begins on `period` (Asia/Shanghai).

    No foreign key to the holder: the gateway writes here and may not see holders.
    """

    pk = models.CompositePrimaryKey("holder_id", "rule", "period")
    holder_id = models.BigIntegerField()
    rule = models.TextField()
    period = models.DateField()
    used = models.IntegerField()

    class Meta:
        db_table = "entitlements_quota"
        constraints = [models.CheckConstraint(condition=models.Q(used__gte=0), name="entitlements_quota_not_negative")]
