"""Tables of the catalogue."""

from django.db import models
from django.db.models.functions import Now


class State(models.TextChoices):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


class _WithState(models.Model):
    state = models.TextField(choices=State.choices, default=State.ACTIVE, db_default=State.ACTIVE)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=State.values), name="%(app_label)s_%(class)s_state")
        ]


class Client(_WithState):
    """A system that calls the platform (接入系统), of one party."""

    code = models.TextField(unique=True)
    party = models.ForeignKey("partners.Party", models.PROTECT)
    name_zh = models.TextField()
    name_en = models.TextField()

    def __str__(self) -> str:
        return self.code


class Item(_WithState):
    """One entry of the list; what it says stands in its versions."""

    code = models.TextField(primary_key=True)
    field = models.TextField()

    def __str__(self) -> str:
        return self.code


class ItemVersion(models.Model):
    """What an item says from one day to before another. Never changed: an amendment is a new version."""

    item = models.ForeignKey(Item, models.PROTECT, related_name="versions")
    version = models.IntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    declaration = models.JSONField()
    digest = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "catalogue_item_version"
        constraints = [
            models.UniqueConstraint(fields=["item", "version"], name="catalogue_item_version_once"),
            models.CheckConstraint(
                condition=models.Q(ends_on=None) | models.Q(ends_on__gt=models.F("starts_on")),
                name="catalogue_item_version_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}@{self.version}"


class Point(_WithState):
    """A place of use (用卡点), in one division (GB/T 2260)."""

    code = models.TextField(unique=True)
    client = models.ForeignKey(Client, models.PROTECT)
    operator = models.ForeignKey("partners.Party", models.PROTECT)
    name_zh = models.TextField()
    name_en = models.TextField()
    division = models.CharField(max_length=6)

    def __str__(self) -> str:
        return self.code


class Offer(models.Model):
    """That a point offers an item."""

    pk = models.CompositePrimaryKey("point_id", "item_id")
    point = models.ForeignKey(Point, models.CASCADE)
    item = models.ForeignKey(Item, models.PROTECT)


class Terminal(_WithState):
    """A device at a point; `attended` says whether staff stand beside it."""

    code = models.TextField(unique=True)
    point = models.ForeignKey(Point, models.PROTECT, related_name="terminals")
    attended = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.code


class TerminalKey(models.Model):
    """A terminal's HMAC key, sealed under the keyring `terminals`; the old one stays valid until `valid_to`."""

    terminal = models.ForeignKey(Terminal, models.PROTECT, related_name="keys")
    key_sealed = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())
    valid_to = models.DateTimeField(null=True)

    class Meta:
        db_table = "catalogue_terminal_key"


class Pairing(models.Model):
    """A pairing code, stored as its SHA-256; works once and until `expires_at`."""

    code_digest = models.BinaryField(unique=True)
    terminal = models.ForeignKey(Terminal, models.PROTECT)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
