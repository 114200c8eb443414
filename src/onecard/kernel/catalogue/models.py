"""Tables of the catalogue."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from onecard_kit.terms import Level


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


class Stage(models.TextChoices):
    """Where a version stands: draft → review → published → ended, and from review back to draft."""

    DRAFT = "draft"
    REVIEW = "review"
    PUBLISHED = "published"
    ENDED = "ended"


def both_media() -> list[str]:
    """What a point reads unless it says otherwise: 卡码同权."""
    return ["code", "card"]


class AreaSet(models.Model):
    """A named set of places (区域集合), each a prefix of GB/T 2260: two, four or six digits."""

    code = models.TextField(primary_key=True)
    name_zh = models.TextField()
    name_en = models.TextField()
    places = ArrayField(models.TextField())

    class Meta:
        db_table = "catalogue_area_set"
        constraints = [models.CheckConstraint(condition=models.Q(places__len__gt=0), name="catalogue_area_set_places")]

    def __str__(self) -> str:
        return self.code


class LegalBasis(models.Model):
    """One article that items and refusals point to (法规依据), or with an empty `article` the whole of a text.

    `effective_on` is unknown where our sources do not say it.
    """

    code = models.TextField(primary_key=True)
    issuer_zh = models.TextField()
    issuer_en = models.TextField()
    title_zh = models.TextField()
    title_en = models.TextField()
    article = models.TextField()
    text_zh = models.TextField()
    text_en = models.TextField()
    effective_on = models.DateField(null=True)
    repeals = models.TextField()

    class Meta:
        db_table = "catalogue_legal_basis"

    def __str__(self) -> str:
        return self.code


class Client(_WithState):
    """A system that calls the platform (接入系统), of one party."""

    code = models.TextField(unique=True)
    party = models.ForeignKey("partners.Party", models.PROTECT)
    name_zh = models.TextField()
    name_en = models.TextField()

    def __str__(self) -> str:
        return self.code


class Item(_WithState):
    """One entry of a list; what it says stands in its versions.

    `area` is a code of GB/T 2260, for the level `region` the code of an area set. `extends` is the item of a higher
    level that this one stands for in its area. None of it changes once a version was published.
    """

    code = models.TextField(primary_key=True)
    field = models.TextField()
    level = models.TextField()
    area = models.TextField()
    extends = models.ForeignKey("self", models.PROTECT, null=True, related_name="extended_by")

    class Meta(_WithState.Meta):
        constraints = [
            *_WithState.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(level=Level.REGION) | models.Q(area__regex=r"^[0-9]{6}$"), name="catalogue_item_area"
            ),
            models.CheckConstraint(condition=models.Q(level__in=[*Level]), name="catalogue_item_level"),
            models.CheckConstraint(
                condition=models.Q(extends=None) | ~models.Q(extends=models.F("code")),
                name="catalogue_item_extends_another",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class ItemVersion(models.Model):
    """What an item says from one day to before another.

    A draft may be loaded again; from publication on only its end may be brought forward. `ends_on` on `starts_on` is a
    version that was withdrawn before it began. `loaded_by`, `submitted_by` and `published_by` are names of actors;
    `decided_by` is the body that put it on the list.
    """

    item = models.ForeignKey(Item, models.PROTECT, related_name="versions")
    version = models.IntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    stage = models.TextField(choices=Stage, default=Stage.DRAFT, db_default=Stage.DRAFT)
    declaration = models.JSONField()
    digest = models.BinaryField()
    decided_by_zh = models.TextField(default="", db_default="")
    decided_by_en = models.TextField(default="", db_default="")
    decided_on = models.DateField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    loaded_by = models.TextField(default="", db_default="")
    submitted_by = models.TextField(default="", db_default="")
    published_by = models.TextField(default="", db_default="")
    published_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "catalogue_item_version"
        constraints = [
            models.UniqueConstraint(fields=["item", "version"], name="catalogue_item_version_once"),
            models.CheckConstraint(
                condition=models.Q(ends_on=None) | models.Q(ends_on__gte=models.F("starts_on")),
                name="catalogue_item_version_days",
            ),
            models.CheckConstraint(condition=models.Q(stage__in=Stage.values), name="catalogue_item_version_stage"),
            models.CheckConstraint(
                condition=~models.Q(stage=Stage.ENDED) | models.Q(ends_on__isnull=False),
                name="catalogue_item_version_ended_on",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}@{self.version}"


class Point(_WithState):
    """A place of use (用卡点), in one division (GB/T 2260).

    `hours` is a list of ``{"days": ["working"], "hours": [["08:00", "17:00"]]}``; an empty one is always open. `media`
    is what its terminals read. A `sponsor` is the employer or merchant that funds concessions here. Where it stands on
    the map is in degrees (CGCS 2000); None: nobody said, or it is online.
    """

    code = models.TextField(unique=True)
    client = models.ForeignKey(Client, models.PROTECT)
    operator = models.ForeignKey("partners.Party", models.PROTECT, related_name="points")
    sponsor = models.ForeignKey("partners.Party", models.PROTECT, null=True, related_name="sponsored_points")
    name_zh = models.TextField()
    name_en = models.TextField()
    division = models.CharField(max_length=6)
    hours = models.JSONField(default=list, db_default=[])
    media = ArrayField(models.TextField(), default=both_media, db_default=["code", "card"])
    demonstration = models.BooleanField(default=False, db_default=False)
    latitude_deg = models.FloatField(null=True)
    longitude_deg = models.FloatField(null=True)

    class Meta(_WithState.Meta):
        constraints = [
            *_WithState.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(media__len__gt=0, media__contained_by=["code", "card"]), name="catalogue_point_media"
            ),
            models.CheckConstraint(
                condition=models.Q(latitude_deg=None, longitude_deg=None)
                | models.Q(
                    latitude_deg__isnull=False,
                    latitude_deg__range=(-90, 90),
                    longitude_deg__isnull=False,
                    longitude_deg__range=(-180, 180),
                ),
                name="catalogue_point_position",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Offer(models.Model):
    """That a point offers an item; `capacity_count` takes the place of what the item says, for this point."""

    pk = models.CompositePrimaryKey("point_id", "item_id")
    point = models.ForeignKey(Point, models.CASCADE)
    item = models.ForeignKey(Item, models.PROTECT)
    capacity_count = models.IntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(capacity_count=None) | models.Q(capacity_count__gt=0),
                name="catalogue_offer_capacity",
            )
        ]


class Terminal(_WithState):
    """A device at a point; `attended` says whether staff stand beside it, `suspended_by` which actor stopped it, empty
    while it serves.
    """

    code = models.TextField(unique=True)
    point = models.ForeignKey(Point, models.PROTECT, related_name="terminals")
    attended = models.BooleanField(default=False)
    suspended_by = models.TextField(default="", db_default="")

    def __str__(self) -> str:
        return self.code


class TerminalKey(models.Model):
    """A terminal's key, sealed under the keyring `terminals`; the old one stays valid until `valid_to`.

    `algorithm` is the MAC it is for (`onecard_kit.requests.MACS`): it belongs to the key, so no request chooses it.
    """

    terminal = models.ForeignKey(Terminal, models.PROTECT, related_name="keys")
    key_sealed = models.BinaryField()
    algorithm = models.TextField(db_default="hmac-sha256")
    created_at = models.DateTimeField(db_default=Now())
    valid_to = models.DateTimeField(null=True)

    class Meta:
        db_table = "catalogue_terminal_key"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(algorithm__in=("hmac-sha256", "hmac-sm3")), name="catalogue_terminal_key_algorithm"
            ),
        ]


class Pairing(models.Model):
    """A pairing code, stored as its SHA-256; works once, until `expires_at` and until its terminal is given another."""

    code_digest = models.BinaryField(unique=True)
    terminal = models.ForeignKey(Terminal, models.PROTECT)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
