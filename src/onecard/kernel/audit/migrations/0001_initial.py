from django.db import migrations, models

from onecard.foundation.postgres.migration import sql_beside


class Migration(migrations.Migration):
    initial = True

    dependencies = [("foundation", "0001_guards")]

    operations = [
        migrations.CreateModel(
            name="Anchor",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("seal", models.BigIntegerField()),
                ("digest", models.BinaryField()),
                ("key_id", models.IntegerField()),
                ("signature", models.BinaryField()),
            ],
            options={
                "db_table": "audit_anchor",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Fact",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("xid", models.TextField()),
                ("at", models.DateTimeField()),
                ("actor", models.TextField()),
                ("verb", models.TextField()),
                ("subject", models.TextField()),
                ("place", models.CharField(max_length=6)),
                ("reason", models.TextField()),
                ("detail", models.JSONField()),
            ],
            options={
                "db_table": "audit_fact",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="RiskFact",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("kind", models.TextField()),
                ("subject", models.TextField()),
                ("detail", models.JSONField()),
                ("window_from", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "audit_risk_fact",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("xid_from", models.TextField()),
                ("xid_to", models.TextField()),
                ("facts", models.IntegerField()),
                ("digest", models.BinaryField()),
                ("previous", models.BinaryField()),
                ("sealed_at", models.DateTimeField()),
            ],
            options={
                "db_table": "audit_seal",
                "managed": False,
            },
        ),
        sql_beside(__file__),
    ]
