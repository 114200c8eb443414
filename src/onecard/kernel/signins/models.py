"""Tables of the sign-ins."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class Kind(models.TextChoices):
    """Which web process opens sessions for a user."""

    STAFF = "staff", "工作人员"
    HOLDER = "holder", "持卡人"


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, username: str, password: str | None = None, *, kind: str, holder_id: int | None = None
    ) -> "User":
        """Make a user; without a password nobody can sign in as it."""
        user = User(username=self.model.normalize_username(username), kind=kind, holder_id=holder_id)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username=username)


class User(AbstractBaseUser):
    """A name and a password; `pin`, hashed as one, unlocks a holder's codes. `holder_id` names a person in `holders`,
    which lies above: hence no foreign key.
    """

    username = models.CharField(max_length=64, unique=True)
    is_active = models.BooleanField(default=True)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    holder_id = models.BigIntegerField(null=True, blank=True, unique=True)
    language = models.CharField(max_length=10, blank=True, default="")
    elder = models.BooleanField(default=False)
    pin = models.CharField(max_length=128, blank=True, default="")

    USERNAME_FIELD = "username"
    objects = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="signins_user_one_kind",
                condition=models.Q(kind="staff", holder_id__isnull=True)
                | models.Q(kind="holder", holder_id__isnull=False),
            )
        ]


class Code(models.Model):
    """A code by short message, sealed. `holder_id` is null where nobody has the number that was given."""

    id = models.UUIDField(primary_key=True)
    holder_id = models.BigIntegerField(null=True)
    code_sealed = models.BinaryField()
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    tries = models.SmallIntegerField(db_default=0)
    used_at = models.DateTimeField(null=True)


class Invitation(models.Model):
    """A code by which one officer sets their password once, by its digest (SHA-256). At most one is open for a user."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="invitation")
    digest = models.BinaryField()
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)


class PublicSession(AbstractBaseSession):
    """Sessions of the public web process; the staff process cannot read them, nor the other way round. Of who is signed
    in it says who, since when, and in which browser.
    """

    user_id = models.BigIntegerField(null=True, db_index=True)
    began_at = models.DateTimeField(null=True)
    browser = models.TextField(blank=True, db_default="")

    class Meta(AbstractBaseSession.Meta):
        abstract = False


class StaffSession(AbstractBaseSession):
    """Sessions of the staff web process. `user_id` is who is signed in, so that all of theirs can be ended at once."""

    user_id = models.BigIntegerField(null=True, db_index=True)

    class Meta(AbstractBaseSession.Meta):
        abstract = False
