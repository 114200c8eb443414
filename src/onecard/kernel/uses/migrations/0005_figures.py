"""Figures that the worker counts: see the SQL beside this file."""

from django.db import migrations

from onecard.foundation.postgres.migration import sql_beside


class Migration(migrations.Migration):
    dependencies = [("uses", "0004_exports")]

    operations = [sql_beside(__file__)]
