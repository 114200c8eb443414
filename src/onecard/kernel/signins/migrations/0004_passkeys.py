"""The public web process sees residents' passkeys only: the database itself hides the staff's factors from its role."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("signins", "0003_rows"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [
        migrations.RunSQL(
            r"""
            ALTER TABLE mfa_authenticator ENABLE ROW LEVEL SECURITY;
            CREATE POLICY mfa_authenticator_of_the_face ON mfa_authenticator
                USING (current_user NOT LIKE 'onecard\_public%%' OR (
                    type = 'webauthn' AND user_id IN (SELECT id FROM signins_user WHERE kind = 'holder')));
            """,
            "DROP POLICY mfa_authenticator_of_the_face ON mfa_authenticator;"
            "ALTER TABLE mfa_authenticator DISABLE ROW LEVEL SECURITY;",
        )
    ]
