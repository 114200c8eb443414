"""What gates decided without a line: see the SQL beside this file."""

from django.db import migrations

from onecard.foundation.postgres.migration import sql_beside


class Migration(migrations.Migration):
    dependencies = [
        ("uses", "0002_bank_orders"),
        ("ledger", "0001_initial"),
        ("cards", "0003_past"),
        ("catalogue", "0003_past"),
    ]

    operations = [sql_beside(__file__)]
