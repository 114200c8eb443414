"""Tables of holders: the person, their certificates, what they count as, and what was corrected."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Holder(models.Model):
    """A person of the registry (持卡人). Columns ``*_sealed`` are ``foundation.crypto`` values, ``*_index`` blind
    indexes.

    place           GB/T 2260 code of the place that registered them
    initials_index  pinyin initials and birth year hashed together, so that neither tells anything alone
    sex             1 male, 2 female (GB/T 2261.1)
    synthetic       an invented person of a demo node
    version         grows by one with each correction; a correction names the version it was read at
    """

    id = models.BigAutoField(primary_key=True)
    place = models.CharField(max_length=6)
    number_sealed = models.BinaryField()
    number_index = models.BinaryField(unique=True)
    name_sealed = models.BinaryField()
    name_index = models.BinaryField()
    initials_index = models.BinaryField()
    phone_sealed = models.BinaryField(null=True)
    phone_index = models.BinaryField(null=True)
    address_sealed = models.BinaryField(null=True)
    birth_date = models.DateField()
    sex = models.SmallIntegerField()
    life = models.TextField(db_default="alive")
    synthetic = models.BooleanField(db_default=False)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    version = models.IntegerField(db_default=1)

    class Meta:
        indexes = [
            # The id is in each index because lists of namesakes are paged by it, newest first.
            models.Index("name_index", "id", name="holders_holder_by_name"),
            models.Index("initials_index", "id", name="holders_holder_by_initials"),
            models.Index("phone_index", "id", name="holders_holder_by_phone", condition=Q(phone_index__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(place__regex=r"^[0-9]{6}$"), name="holders_holder_place_form"),
            models.CheckConstraint(condition=Q(sex__in=(1, 2)), name="holders_holder_sex_known"),
            models.CheckConstraint(condition=Q(life__in=("alive", "deceased")), name="holders_holder_life_known"),
            models.CheckConstraint(
                condition=Q(phone_sealed__isnull=True, phone_index__isnull=True)
                | Q(phone_sealed__isnull=False, phone_index__isnull=False),
                name="holders_holder_phone_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"holder:{self.pk}"


class Certificate(models.Model):
    """What a department certifies of a holder (证照).

    `valid_to` is its last valid day; withdrawn ones stay as history.
    """

    id = models.BigAutoField(primary_key=True)
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="certificates")
    kind = models.TextField()
    issuer = models.TextField()
    number_sealed = models.BinaryField(null=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    granted_at = models.DateTimeField(db_default=Now())
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("holder", "kind", "valid_from"),
                condition=Q(withdrawn_at__isnull=True),
                name="holders_certificate_once",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="holders_certificate_days_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"certificate:{self.pk}"


class HolderClass(models.Model):
    """What a holder counts as on the days ``[from_day, to_day)`` (人群类别). Derived: `actions` rewrites it.

    `source` is ``birth`` or ``certificate:<id>``; two sources may give the same class.
    """

    id = models.BigAutoField(primary_key=True)
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="classes")
    code = models.TextField()
    from_day = models.DateField()
    to_day = models.DateField(null=True)
    source = models.TextField()

    class Meta:
        db_table = "holders_class"
        constraints = [
            models.UniqueConstraint(fields=("holder", "code", "from_day", "source"), name="holders_class_once"),
            models.CheckConstraint(
                condition=Q(to_day__isnull=True) | Q(to_day__gt=F("from_day")), name="holders_class_days_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} of holder:{self.holder_id}"


class Correction(models.Model):
    """What a field held before it was corrected (更正), sealed; an empty plaintext means it held nothing."""

    id = models.BigAutoField(primary_key=True)
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="corrections")
    field = models.TextField()
    old_sealed = models.BinaryField()
    at = models.DateTimeField(db_default=Now())
    actor = models.TextField()
    reason = models.TextField()

    def __str__(self) -> str:
        return f"{self.field} of holder:{self.holder_id}"
