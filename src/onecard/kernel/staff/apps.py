"""Keeps the table of roles equal to the shipped list."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class StaffConfig(AppConfig):
    name = "onecard.kernel.staff"

    def ready(self) -> None:
        post_migrate.connect(_load_roles, sender=self, dispatch_uid="onecard.staff.roles")


def _load_roles(**_signal: object) -> None:
    from onecard.kernel.staff import roles

    roles.load()
