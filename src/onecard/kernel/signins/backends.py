"""Who may authenticate where: one backend for each web process."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from onecard.kernel.signins.models import Kind


class AnyKind(AuthenticationBackend):  # type: ignore[misc]  # allauth ships no types
    """Both kinds: for the command line and tests only."""

    kinds: tuple[str, ...] = tuple(Kind.values)

    def user_can_authenticate(self, user: Any) -> bool:
        """Active, and of a kind that signs in here. Asked at sign-in and again on every request of a session."""
        return user.kind in self.kinds and bool(super().user_can_authenticate(user))

    def _check_password(self, user: Any, password: str) -> Any:
        """As allauth's, without its page for inactive users: it would tell that the password was right."""
        if user is None:
            return None
        self._did_check_password = True
        return user if user.check_password(password) and self.user_can_authenticate(user) else None


class HoldersOnly(AnyKind):
    """The public web process."""

    kinds = (Kind.HOLDER.value,)


class StaffOnly(AnyKind):
    """The staff web process."""

    kinds = (Kind.STAFF.value,)
