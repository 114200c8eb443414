import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("receiver", models.TextField()),
                ("url", models.TextField()),
                ("kinds", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ("state", models.TextField(db_default="active")),
                ("key_number", models.IntegerField(db_default=1)),
                ("older_to", models.DateTimeField(null=True)),
                ("failures", models.IntegerField(db_default=0)),
                ("rests_until", models.DateTimeField(null=True)),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "messages_endpoint",
                "constraints": [
                    models.UniqueConstraint(fields=("receiver", "url"), name="messages_endpoint_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ("active", "ended"))), name="messages_endpoint_state"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kinds__contained_by",
                                [
                                    "card.changed",
                                    "terminal.suspended",
                                    "terminal.resumed",
                                    "point.suspended",
                                    "point.resumed",
                                    "item.suspended",
                                    "item.resumed",
                                    "item.published",
                                    "ping",
                                ],
                            ),
                            ("kinds__len__gt", 0),
                        ),
                        name="messages_endpoint_kinds",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("receiver", models.TextField()),
                ("kind", models.TextField()),
                ("subject", models.TextField()),
                ("data", models.JSONField()),
            ],
            options={
                "db_table": "messages_message",
                "indexes": [models.Index(models.F("at"), name="messages_message_at")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "card.changed",
                                    "terminal.suspended",
                                    "terminal.resumed",
                                    "point.suspended",
                                    "point.resumed",
                                    "item.suspended",
                                    "item.resumed",
                                    "item.published",
                                    "ping",
                                ],
                            )
                        ),
                        name="messages_message_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("state", models.TextField(db_default="waiting")),
                ("tries", models.IntegerField(db_default=0)),
                ("since", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("next_try_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("tried_at", models.DateTimeField(null=True)),
                ("last_error", models.TextField(db_default="")),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="onecard_messages.endpoint",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="onecard_messages.message"),
                ),
            ],
            options={
                "db_table": "messages_delivery",
                "indexes": [
                    models.Index(
                        models.F("endpoint"),
                        models.F("next_try_at"),
                        condition=models.Q(("state", "waiting")),
                        name="messages_delivery_due",
                    ),
                    models.Index(models.F("endpoint"), models.F("id"), name="messages_delivery_list"),
                    models.Index(models.F("message"), name="messages_delivery_message"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ("waiting", "delivered", "dead"))),
                        name="messages_delivery_state",
                    )
                ],
            },
        ),
    ]
