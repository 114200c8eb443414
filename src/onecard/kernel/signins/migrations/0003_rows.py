"""The public web process sees residents' sign-ins only: the database itself hides the staff's rows from its role."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("signins", "0002_throttle")]

    operations = [
        migrations.RunSQL(
            r"""
            ALTER TABLE signins_user ENABLE ROW LEVEL SECURITY;
            CREATE POLICY signins_user_of_the_face ON signins_user
                USING (kind = 'holder' OR current_user NOT LIKE 'onecard\_public%%');
            """,
            "DROP POLICY signins_user_of_the_face ON signins_user;ALTER TABLE signins_user DISABLE ROW LEVEL SECURITY;",
        )
    ]
