from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Party",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("code", models.TextField(unique=True)),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("bank", "合作银行"),
                            ("operator", "运营单位"),
                            ("treasury", "财政"),
                            ("department", "部门"),
                        ]
                    ),
                ),
                ("name_zh", models.TextField()),
                ("name_en", models.TextField()),
                ("division", models.CharField(max_length=6)),
                (
                    "state",
                    models.TextField(
                        choices=[("active", "正常"), ("suspended", "暂停")], db_default="active", default="active"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["bank", "operator", "treasury", "department"])),
                        name="partners_party_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["active", "suspended"])), name="partners_party_state"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("division__regex", "^[0-9]{6}$")), name="partners_party_division"
                    ),
                ],
            },
        ),
    ]
