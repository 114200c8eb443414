"""Tables and functions of the ledger: see the SQL beside this file. The models are for reading."""

import django.db.models.deletion
from django.db import migrations, models

from onecard.foundation.postgres.migration import sql_beside


class Migration(migrations.Migration):
    initial = True

    dependencies = [("foundation", "0001_guards")]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("ledger", models.TextField()),
                ("role", models.TextField()),
                ("owner", models.TextField()),
                ("limited", models.BooleanField()),
                ("ceiling_fen", models.BigIntegerField(null=True)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "ledger_account",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("expires_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "ledger_hold",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Resolution",
            fields=[
                ("pending_id", models.UUIDField(primary_key=True, serialize=False)),
                ("transfer_id", models.UUIDField()),
            ],
            options={
                "db_table": "ledger_resolution",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("debit_account", models.BigIntegerField()),
                ("credit_account", models.BigIntegerField()),
                ("amount_fen", models.BigIntegerField()),
                ("kind", models.TextField()),
                ("code", models.TextField()),
                ("pending_id", models.UUIDField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("reference", models.UUIDField(null=True)),
                ("at", models.DateTimeField()),
                ("xid", models.TextField()),
            ],
            options={
                "db_table": "ledger_transfer",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Balance",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="balance",
                        serialize=False,
                        to="ledger.account",
                    ),
                ),
                ("ledger", models.TextField(null=True)),
                ("free_fen", models.BigIntegerField()),
                ("room_fen", models.BigIntegerField(null=True)),
                ("debits_posted", models.BigIntegerField()),
                ("debits_pending", models.BigIntegerField()),
                ("credits_pending", models.BigIntegerField()),
            ],
            options={
                "db_table": "ledger_balance",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Fold",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="fold",
                        serialize=False,
                        to="ledger.account",
                    ),
                ),
                ("xid", models.TextField()),
                ("debits", models.DecimalField(decimal_places=0, max_digits=40)),
                ("credits", models.DecimalField(decimal_places=0, max_digits=40)),
                ("folded_at", models.DateTimeField()),
            ],
            options={
                "db_table": "ledger_fold",
                "managed": False,
            },
        ),
        sql_beside(__file__),
    ]
