"""Guards and helpers that every primitive's tables share: see the SQL beside this file."""

from django.db import migrations

from onecard.foundation.postgres.migration import sql_beside


class Migration(migrations.Migration):
    operations = [sql_beside(__file__)]
