"""The table that counts attempts: the layout Django's database cache expects."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("signins", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TABLE signins_throttle (
                cache_key varchar(255) PRIMARY KEY,
                value text NOT NULL,
                expires timestamptz NOT NULL
            );
            CREATE INDEX signins_throttle_expires ON signins_throttle (expires);
            """,
            "DROP TABLE signins_throttle",
        )
    ]
