from django.db import migrations

from onecard.foundation.postgres.migration import sql_beside


class Migration(migrations.Migration):
    dependencies = [("ecards", "0001_initial")]
    operations = [sql_beside(__file__)]
