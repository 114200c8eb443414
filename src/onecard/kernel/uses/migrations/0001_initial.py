"""Tables of uses: see the SQL beside this file."""

from django.db import migrations

from onecard.foundation.postgres.migration import sql_beside


class Migration(migrations.Migration):
    dependencies = [("foundation", "0001_guards")]

    operations = [sql_beside(__file__)]
