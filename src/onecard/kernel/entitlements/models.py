"""Tables of entitlements."""

from django.db import models


class QuotaUsed(models.Model):
    """Uses counted for a holder under a rule in a calendar period (Asia/Shanghai).

    A period is written ``2026-03-11``, ``2026-03`` or ``2026`` (`onecard_kit.terms.Period`): a rule may count by the
    day in one version of its item and by the month in the next.

    No foreign key to the holder: the gateway writes here and may not see holders.
    """

    pk = models.CompositePrimaryKey("holder_id", "rule", "period")
    holder_id = models.BigIntegerField()
    rule = models.TextField()
    period = models.TextField()
    used = models.IntegerField()

    class Meta:
        db_table = "entitlements_quota"
        constraints = [models.CheckConstraint(condition=models.Q(used__gte=0), name="entitlements_quota_not_negative")]
