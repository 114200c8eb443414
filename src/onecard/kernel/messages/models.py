"""Tables of messages: endpoints, messages, deliveries."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from onecard.kernel.messages.kinds import Kind


class Endpoint(models.Model):
    """Where a receiver (``client:NT-BUS``) takes messages of some kinds (接收地址).

    Messages are signed with the key of `key_number`, until `older_to` with the one before it, too. While it
    `rests_until` a moment, nothing is sent: it failed to answer so often in a row (`failures`).
    """

    id = models.BigAutoField(primary_key=True)
    receiver = models.TextField()
    url = models.TextField()
    kinds = ArrayField(models.TextField())
    state = models.TextField(db_default="active")
    key_number = models.IntegerField(db_default=1)
    older_to = models.DateTimeField(null=True)
    failures = models.IntegerField(db_default=0)
    rests_until = models.DateTimeField(null=True)
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "messages_endpoint"
        constraints = [
            models.UniqueConstraint(fields=["receiver", "url"], name="messages_endpoint_once"),
            models.CheckConstraint(condition=Q(state__in=("active", "ended")), name="messages_endpoint_state"),
            models.CheckConstraint(
                condition=Q(kinds__len__gt=0, kinds__contained_by=[kind.value for kind in Kind]),
                name="messages_endpoint_kinds",
            ),
        ]

    def __str__(self) -> str:
        return f"endpoint:{self.pk}"


class Message(models.Model):
    """That something happened, told to one receiver (消息). Ids and codes only; `subject` says to what."""

    id = models.UUIDField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    receiver = models.TextField()
    kind = models.TextField()
    subject = models.TextField()
    data = models.JSONField()

    class Meta:
        db_table = "messages_message"
        indexes = [models.Index("at", name="messages_message_at")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=[kind.value for kind in Kind]), name="messages_message_kind")
        ]

    def __str__(self) -> str:
        return f"message:{self.pk}"


class Delivery(models.Model):
    """A message on its way to one endpoint (投递): `waiting` until `next_try_at`, `delivered`, or `dead`. It is tried
    since `since`.
    """

    id = models.BigAutoField(primary_key=True)
    message = models.ForeignKey(Message, models.CASCADE)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries")
    state = models.TextField(db_default="waiting")
    tries = models.IntegerField(db_default=0)
    since = models.DateTimeField(db_default=Now())
    next_try_at = models.DateTimeField(db_default=Now())
    tried_at = models.DateTimeField(null=True)
    last_error = models.TextField(db_default="")

    class Meta:
        db_table = "messages_delivery"
        # Each endpoint's own next ones, so that whoever takes none keeps nobody else waiting; and the list, by id.
        indexes = [
            models.Index("endpoint", "next_try_at", name="messages_delivery_due", condition=Q(state="waiting")),
            models.Index("endpoint", "id", name="messages_delivery_list"),
            models.Index("message", name="messages_delivery_message"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=("waiting", "delivered", "dead")), name="messages_delivery_state"
            )
        ]

    def __str__(self) -> str:
        return f"delivery:{self.pk}"
