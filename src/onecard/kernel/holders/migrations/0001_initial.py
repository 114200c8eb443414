import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Holder",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("place", models.CharField(max_length=6)),
                ("number_sealed", models.BinaryField()),
                ("number_index", models.BinaryField(unique=True)),
                ("name_sealed", models.BinaryField()),
                ("name_index", models.BinaryField()),
                ("initials_index", models.BinaryField()),
                ("phone_sealed", models.BinaryField(null=True)),
                ("phone_index", models.BinaryField(null=True)),
                ("address_sealed", models.BinaryField(null=True)),
                ("birth_date", models.DateField()),
                ("sex", models.SmallIntegerField()),
                ("life", models.TextField(db_default="alive")),
                ("synthetic", models.BooleanField(db_default=False)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("version", models.IntegerField(db_default=1)),
            ],
            options={
                "indexes": [
                    models.Index(models.F("name_index"), models.F("id"), name="holders_holder_by_name"),
                    models.Index(models.F("initials_index"), models.F("id"), name="holders_holder_by_initials"),
                    models.Index(
                        models.F("phone_index"),
                        models.F("id"),
                        condition=models.Q(("phone_index__isnull", False)),
                        name="holders_holder_by_phone",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("place__regex", "^[0-9]{6}$")), name="holders_holder_place_form"
                    ),
                    models.CheckConstraint(condition=models.Q(("sex__in", (1, 2))), name="holders_holder_sex_known"),
                    models.CheckConstraint(
                        condition=models.Q(("life__in", ("alive", "deceased"))), name="holders_holder_life_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("phone_index__isnull", True), ("phone_sealed__isnull", True)),
                            models.Q(("phone_index__isnull", False), ("phone_sealed__isnull", False)),
                            _connector="OR",
                        ),
                        name="holders_holder_phone_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Correction",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("field", models.TextField()),
                ("old_sealed", models.BinaryField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("actor", models.TextField()),
                ("reason", models.TextField()),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="corrections", to="holders.holder"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Certificate",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.TextField()),
                ("issuer", models.TextField()),
                ("number_sealed", models.BinaryField(null=True)),
                ("valid_from", models.DateField()),
                ("valid_to", models.DateField(null=True)),
                ("granted_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="certificates", to="holders.holder"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at__isnull", True)),
                        fields=("holder", "kind", "valid_from"),
                        name="holders_certificate_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_to__isnull", True), ("valid_to__gte", models.F("valid_from")), _connector="OR"
                        ),
                        name="holders_certificate_days_in_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HolderClass",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("code", models.TextField()),
                ("from_day", models.DateField()),
                ("to_day", models.DateField(null=True)),
                ("source", models.TextField()),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="classes", to="holders.holder"
                    ),
                ),
            ],
            options={
                "db_table": "holders_class",
                "constraints": [
                    models.UniqueConstraint(fields=("holder", "code", "from_day", "source"), name="holders_class_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("to_day__isnull", True), ("to_day__gt", models.F("from_day")), _connector="OR"
                        ),
                        name="holders_class_days_in_order",
                    ),
                ],
            },
        ),
    ]
