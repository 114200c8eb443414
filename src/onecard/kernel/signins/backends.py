"""Who may authenticate where: one backend for each web process."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from onecard.kernel.signins.models import Kind


class AnyKind(AuthenticationBackend):
    """Both kinds: for the command line and tests only."""

    kinds: tuple[str, ...] = tuple(Kind.values)

    def user_can_authenticate(self, user: Any) -> bool:
        """Active, and of a kind that signs in here. Asked at sign-in and again on every request of a session."""
        return user.kind in self.kinds and bool(super().user_can_authenticate(user))


class HoldersOnly(AnyKind):
    """The public web process."""

    kinds = (Kind.HOLDER.value,)


class StaffOnly(AnyKind):
    """The staff web process."""

    kinds = (Kind.STAFF.value,)
