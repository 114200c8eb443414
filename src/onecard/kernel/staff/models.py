"""Tables of the staff."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Officer(models.Model):
    """A member of staff. `is_active` False: suspended, for a while or for good; all permissions rest."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="officer")
    display_name = models.CharField(max_length=64)
    department = models.CharField(max_length=64, blank=True, default="")
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"staff:{self.pk}"


class Role(models.Model):
    """A named set of permissions, each ``primitive.verb``."""

    code = models.CharField(max_length=32, unique=True)
    name_zh = models.CharField(max_length=64)
    name_en = models.CharField(max_length=64)
    permissions = ArrayField(models.CharField(max_length=64), default=list)

    def __str__(self) -> str:
        return self.code


class Assignment(models.Model):
    """One officer holds one role in the places that begin with `place`, up to and including the day `until`."""

    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="assignments")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="assignments")
    place = models.CharField(max_length=6, blank=True, default="")
    department = models.CharField(max_length=64, blank=True, default="")
    assigned_at = models.DateTimeField(db_default=Now())
    until = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["officer", "role", "place"], name="staff_assignment_once"),
            models.CheckConstraint(
                condition=models.Q(place__regex=r"^([0-9]{2}){0,3}$"), name="staff_assignment_place"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.officer_id} {self.role_id} {self.place}"
