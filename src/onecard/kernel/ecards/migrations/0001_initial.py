import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cards", "0001_initial"),
        ("holders", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Ecard",
            fields=[
                ("serial", models.IntegerField(primary_key=True, serialize=False)),
                ("signed_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "card",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="ecard", to="cards.card"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Tie",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.TextField()),
                ("offered_at", models.DateTimeField()),
                ("agreed_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ecard",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="ties", to="ecards.ecard"
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="ties", to="holders.holder"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("ecard", "holder"),
                        name="ecards_tie_one_is_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ("parent", "child", "spouse", "other"))),
                        name="ecards_tie_kind_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Device",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("token_digest", models.BinaryField(unique=True)),
                ("label", models.TextField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ecard",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="devices", to="ecards.ecard"
                    ),
                ),
                (
                    "tie",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="devices",
                        to="ecards.tie",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Key",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kid", models.BinaryField(unique=True)),
                ("purpose", models.TextField(db_default="codes")),
                ("suite", models.TextField()),
                ("public", models.BinaryField()),
                ("private_sealed", models.BinaryField()),
                ("sign_from", models.DateTimeField(blank=True, null=True)),
                ("sign_to", models.DateTimeField(blank=True, null=True)),
                ("verify_to", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("suite__in", ("ed25519", "sm2"))), name="ecards_key_suite_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("purpose__in", ["codes", "lasting"])), name="ecards_key_purpose_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sign_to__isnull", True), ("verify_to__isnull", True)),
                            models.Q(
                                ("sign_to__isnull", False),
                                ("verify_to__gte", models.F("sign_to")),
                                ("verify_to__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="ecards_key_verifies_as_long_as_it_signed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("withdrawn_at__isnull", True), ("sign_to__isnull", False), _connector="OR"),
                        name="ecards_key_withdrawn_signs_no_more",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sign_from__isnull", False), ("sign_to__isnull", True), _connector="OR"),
                        name="ecards_key_ends_after_it_began",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("sign_from__isnull", False), ("sign_to__isnull", True)),
                        fields=("purpose",),
                        name="ecards_key_one_signs",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("sign_from__isnull", True)),
                        fields=("purpose",),
                        name="ecards_key_one_stands_by",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RefKey",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("from_day", models.DateField(unique=True)),
                ("key_sealed", models.BinaryField()),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={"db_table": "ecards_ref_key"},
        ),
        migrations.AddConstraint(
            model_name="ecard",
            constraint=models.CheckConstraint(
                condition=models.Q(("serial__gte", 0), ("serial__lt", 16777216)), name="ecards_ecard_serial_24_bits"
            ),
        ),
        migrations.AddIndex(
            model_name="ecard",
            index=models.Index(
                models.F("serial"), condition=models.Q(("closed_at__isnull", False)), name="ecards_ecard_closed"
            ),
        ),
        migrations.CreateModel(
            name="Number",
            fields=[
                (
                    "ecard",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="number",
                        serialize=False,
                        to="ecards.ecard",
                    ),
                ),
                ("digest", models.BinaryField(unique=True)),
                ("nonce", models.BinaryField()),
                ("expires_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="PaperCode",
            fields=[
                ("serial", models.IntegerField(primary_key=True, serialize=False)),
                ("kid", models.BinaryField()),
                ("issued_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ecard",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="paper_codes", to="ecards.ecard"
                    ),
                ),
            ],
            options={
                "db_table": "ecards_paper_code",
                "indexes": [
                    models.Index(
                        models.F("serial"),
                        condition=models.Q(("revoked_at__isnull", False)),
                        name="ecards_paper_code_revoked",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("serial__gte", 0), ("serial__lt", 16777216)),
                        name="ecards_paper_code_24_bits",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at__isnull", True)),
                        fields=("ecard",),
                        name="ecards_paper_code_one_is_good",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CardFile",
            fields=[
                (
                    "card",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="file",
                        serialize=False,
                        to="cards.card",
                    ),
                ),
                ("kid", models.BinaryField()),
                ("written_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "db_table": "ecards_card_file",
                "indexes": [models.Index(models.F("kid"), name="ecards_card_file_by_key")],
            },
        ),
        migrations.CreateModel(
            name="StatusList",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "name", "form", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.TextField()),
                ("day", models.DateField(null=True)),
                ("form", models.TextField()),
                ("number", models.BigIntegerField()),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("kid", models.BinaryField()),
                ("digest", models.BinaryField()),
                ("etag", models.TextField()),
                ("body", models.BinaryField()),
            ],
            options={
                "db_table": "ecards_status_list",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("form__in", ("cwt", "jwt"))), name="ecards_status_list_form_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("day__isnull", True), ("name__in", ("papers", "cards", "terminals"))),
                            models.Q(("day__isnull", False), ("name__regex", "^\\d{4}-\\d\\d-\\d\\d$")),
                            _connector="OR",
                        ),
                        name="ecards_status_list_named",
                    ),
                ],
            },
        ),
    ]
