"""Allowances: see the SQL beside this file."""

from django.db import migrations

from onecard.foundation.postgres.migration import sql_beside


class Migration(migrations.Migration):
    dependencies = [("sharing", "0001_initial")]

    operations = [sql_beside(__file__)]
