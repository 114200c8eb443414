"""The log of calls, and how far a credential may be changed: see the SQL beside this file."""

from django.db import migrations

from onecard.foundation.postgres.migration import sql_beside


class Migration(migrations.Migration):
    dependencies = [("sharing", "0002_allowance"), ("foundation", "0001_guards")]

    operations = [sql_beside(__file__)]
