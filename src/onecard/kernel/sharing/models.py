"""Tables of sharing: agreements, credentials, watches, and answers that are kept."""

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from oauth2_provider.models import AbstractApplication

from onecard.foundation import clock
from onecard.kernel.catalogue.models import Client, LegalBasis, State
from onecard.kernel.sharing.scopes import Scope


class Agreement(models.Model):
    """That a client may do what a scope says, on the days ``[starts_on, ends_on)`` (共享协议).

    `ends_on` on `starts_on` is an agreement that was ended before it began. `per_minute` is how many requests it
    bears; what is done under it is done for its purpose.
    """

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(Client, models.PROTECT, related_name="agreements")
    scope = models.TextField()
    purpose_zh = models.TextField()
    purpose_en = models.TextField()
    basis = models.ForeignKey(LegalBasis, models.PROTECT, related_name="+")
    per_minute = models.IntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    agreed_by = models.TextField()
    agreed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "scope", "starts_on"], name="sharing_agreement_once"),
            models.CheckConstraint(
                condition=Q(scope__in=[scope.value for scope in Scope]), name="sharing_agreement_scope"
            ),
            models.CheckConstraint(condition=Q(per_minute__gt=0), name="sharing_agreement_per_minute"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="sharing_agreement_days"),
        ]

    def __str__(self) -> str:
        return f"agreement:{self.pk}"

    @classmethod
    def in_force(cls, day: dt.date) -> "QuerySet[Agreement]":
        """Those that hold on a day; of two about the same scope, whoever reads takes the later."""
        return cls.objects.filter(starts_on__lte=day, ends_on__gt=day)


class Watch(models.Model):
    """That a client is to be told when a card of a holder changes, until before a day (关注)."""

    pk = models.CompositePrimaryKey("client_id", "holder_id")
    client = models.ForeignKey(Client, models.PROTECT, related_name="+")
    holder = models.ForeignKey("holders.Holder", models.PROTECT, related_name="+")
    until = models.DateField()

    class Meta:
        indexes = [models.Index("holder", name="sharing_watch_holder")]

    def __str__(self) -> str:
        return f"watch:{self.client_id}:{self.holder_id}"


class EndpointRequest(models.Model):
    """Where a client wants messages of some kinds (接收地址申请), until an officer accepts or declines, saying why."""

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(Client, models.PROTECT, related_name="+")
    url = models.TextField()
    kinds = ArrayField(models.TextField())
    state = models.TextField(db_default="waiting")
    made_at = models.DateTimeField(db_default=Now())
    reason = models.TextField(db_default="")
    decided_by = models.TextField(db_default="")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sharing_endpoint_request"
        indexes = [models.Index("client", "id", name="sharing_endpoint_request_list")]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "url"], condition=Q(state="waiting"), name="sharing_endpoint_request_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("waiting", "accepted", "declined")), name="sharing_endpoint_request_state"
            ),
        ]

    def __str__(self) -> str:
        return f"endpoint_request:{self.pk}"


class KeptAnswer(models.Model):
    """What a client was answered to a write, under the key that it chose for it (留存的答复). Without a `status` the
    write was begun and has no answer yet: it is done again, since every write may be. `content` is a digest of what
    was asked.
    """

    pk = models.CompositePrimaryKey("client_id", "key")
    client = models.ForeignKey(Client, models.PROTECT, related_name="+")
    key = models.TextField()
    content = models.BinaryField()
    begun_at = models.DateTimeField(db_default=Now())
    status = models.SmallIntegerField(null=True)
    body = models.TextField(null=True)

    class Meta:
        db_table = "sharing_kept_answer"
        indexes = [models.Index("begun_at", name="sharing_kept_answer_begun_at")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__isnull=True, body__isnull=True) | Q(status__isnull=False, body__isnull=False),
                name="sharing_kept_answer_whole",
            )
        ]

    def __str__(self) -> str:
        return f"answer:{self.client_id}:{self.key}"


class Credential(AbstractApplication):  # type: ignore[misc]  # untyped
    """An id and a secret of a client (接入凭据), as the library of OAuth 2 keeps one: `client_id` is its own id, and
    `owner` is our client. From `valid_to` on it is worth nothing.
    """

    user = None  # nobody signs in to keep one
    owner = models.ForeignKey(Client, models.PROTECT, related_name="+")
    valid_to = models.DateTimeField(null=True)
    given_by = models.TextField()

    class Meta(AbstractApplication.Meta):  # type: ignore[misc]  # untyped
        db_table = "sharing_credential"

    def __str__(self) -> str:
        return f"credential:{self.client_id}"

    def is_usable(self, request: object) -> bool:
        """The library asks before it looks at the secret."""
        open_ended = self.valid_to is None or clock.now() < self.valid_to
        return open_ended and self.owner.state == State.ACTIVE
