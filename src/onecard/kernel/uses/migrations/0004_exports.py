"""Lists of uses for officers to take along: see the SQL beside this file."""

from django.db import migrations

from onecard.foundation.postgres.migration import sql_beside


class Migration(migrations.Migration):
    dependencies = [("uses", "0003_journals")]

    operations = [sql_beside(__file__)]
