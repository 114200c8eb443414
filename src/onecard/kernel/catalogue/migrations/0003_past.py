"""What was before the present state: see the SQL beside this file."""

from django.db import migrations

from onecard.foundation.postgres.migration import sql_beside


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0002_guards")]
    operations = [sql_beside(__file__)]
