import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("holders", "0001_initial"),
        ("partners", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="FunctionMove",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "from_state", "to_state", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("from_state", models.TextField()),
                ("to_state", models.TextField()),
            ],
            options={
                "db_table": "cards_function_move",
            },
        ),
        migrations.CreateModel(
            name="Move",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "from_state", "to_state", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("from_state", models.TextField()),
                ("to_state", models.TextField()),
            ],
            options={
                "db_table": "cards_move",
            },
        ),
        migrations.CreateModel(
            name="Standing",
            fields=[
                ("card_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("holder_id", models.BigIntegerField(db_index=True)),
                ("issuing_place", models.CharField(max_length=6)),
                ("generation", models.SmallIntegerField()),
                ("card_state", models.TextField()),
                ("social_security", models.TextField()),
                ("financial", models.TextField()),
                ("transit", models.TextField()),
                ("number_index", models.BinaryField(unique=True)),
                ("ecard_serial", models.IntegerField(null=True, unique=True)),
                ("purse_account_id", models.BigIntegerField(null=True)),
                ("classes", models.JSONField()),
                ("chip_counter", models.BigIntegerField(db_default=0)),
                ("codes_from", models.DateTimeField(null=True)),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "cards_standing",
                "indexes": [
                    models.Index(
                        condition=models.Q(("card_state", "active"), _negated=True),
                        fields=["card_id"],
                        include=("card_state", "ecard_serial"),
                        name="cards_standing_not_active",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("card_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("token", models.TextField()),
                (
                    "bank",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="partners.party"
                    ),
                ),
            ],
            options={
                "db_table": "cards_account",
                "constraints": [
                    models.UniqueConstraint(fields=("bank", "token"), name="cards_account_once"),
                    models.CheckConstraint(
                        condition=models.Q(("token__regex", "^(?=.*[A-Za-z])[A-Za-z0-9_-]{16,64}$")),
                        name="cards_account_token_form",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Card",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=9, unique=True)),
                ("identifier", models.CharField(max_length=32, unique=True)),
                ("issuing_place", models.CharField(max_length=6)),
                ("generation", models.SmallIntegerField()),
                ("state", models.TextField()),
                ("state_before_loss", models.TextField(blank=True, null=True)),
                ("issued_on", models.DateField()),
                ("valid_to", models.DateField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("version", models.IntegerField(db_default=1)),
                (
                    "bank",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="partners.party"
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cards", to="holders.holder"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CardFunction",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("function", models.TextField()),
                ("state", models.TextField()),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "card",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="functions", to="cards.card"
                    ),
                ),
            ],
            options={
                "db_table": "cards_function",
            },
        ),
        migrations.AddIndex(
            model_name="card",
            index=models.Index(models.F("state"), models.F("id"), name="cards_card_by_state"),
        ),
        migrations.AddConstraint(
            model_name="card",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__regex", "^[A-Z0-9][0-9]{8}$")), name="cards_card_number_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="card",
            constraint=models.CheckConstraint(
                condition=models.Q(("identifier__regex", "^[0-9A-F]{32}$")), name="cards_card_identifier_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="card",
            constraint=models.CheckConstraint(
                condition=models.Q(("issuing_place__regex", "^[0-9]{6}$")), name="cards_card_place_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="card",
            constraint=models.CheckConstraint(
                condition=models.Q(("generation__in", (2, 3))), name="cards_card_generation_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="card",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "allocated",
                            "inactive",
                            "active",
                            "temp_lost",
                            "lost",
                            "locked",
                            "cancelled_after_loss",
                            "cancelled",
                        ],
                    )
                ),
                name="cards_card_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="card",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("state", "temp_lost"),
                        ("state_before_loss__in", ("inactive", "active")),
                        ("state_before_loss__isnull", False),
                    ),
                    models.Q(models.Q(("state", "temp_lost"), _negated=True), ("state_before_loss__isnull", True)),
                    _connector="OR",
                ),
                name="cards_card_before_loss_kept",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardfunction",
            constraint=models.UniqueConstraint(fields=("card", "function"), name="cards_function_once"),
        ),
        migrations.AddConstraint(
            model_name="cardfunction",
            constraint=models.CheckConstraint(
                condition=models.Q(("function__in", ["social_security", "financial", "transit"])),
                name="cards_function_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardfunction",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["inactive", "active", "suspended", "closed"])),
                name="cards_function_state_known",
            ),
        ),
    ]
