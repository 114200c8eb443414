"""What OAuth 2 asks of us through its library: which scopes a credential may have, and how its secret is hashed."""

from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from oauth2_provider.scopes import BaseScopes

from onecard.foundation import clock
from onecard.kernel.sharing.models import Agreement
from onecard.kernel.sharing.scopes import ONLY_BY_NAME, SCOPES


class AgreedScopes(BaseScopes):  # type: ignore[misc]  # untyped
    """What is agreed with a credential's client today; where a request names no scope all of it, but for what is given
    only by name.
    """

    def get_all_scopes(self) -> dict[str, str]:
        return {scope.value: said.en for scope, said in SCOPES.items()}

    def get_available_scopes(
        self, application: Any = None, request: object = None, *args: object, **kwargs: object
    ) -> list[str]:
        if application is None:
            return []
        agreed = Agreement.in_force(clock.today()).filter(client_id=application.owner_id)
        return sorted(agreed.values_list("scope", flat=True))

    def get_default_scopes(
        self, application: Any = None, request: object = None, *args: object, **kwargs: object
    ) -> list[str]:
        return [scope for scope in self.get_available_scopes(application, request) if scope not in ONLY_BY_NAME]


class DrawnSecretHasher(PBKDF2PasswordHasher):
    """For secrets that we draw ourselves, 256 random bits: there is nothing to guess, so once is enough, and whoever
    sends wrong ones costs us nothing.
    """

    algorithm = "pbkdf2_drawn"
    iterations = 1
