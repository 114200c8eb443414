"""Who calls, what they may do, and how often: asked before anything of a request is read."""

from django.http import HttpRequest
from ninja.security.base import AuthBase

from onecard.api import errors
from onecard.foundation.errors import NotPermitted
from onecard.kernel.sharing import queries
from onecard.kernel.sharing.queries import Caller, Refused, TurnedAway
from onecard.kernel.sharing.scopes import SCOPES, Scope

TOKEN_PATH = "/v1/token"  # noqa: S105 - a path
REFUSALS = {
    Refused.UNKNOWN: errors.token_unknown,
    Refused.EXPIRED: errors.token_expired,
    Refused.CREDENTIAL_ENDED: errors.credential_ended,
    Refused.CLIENT_SUSPENDED: errors.client_suspended,
}


class OAuth2(AuthBase):
    """Open to callers whose token and whose agreements in force say a scope, as often as the agreement bears."""

    openapi_type = "oauth2"
    openapi_flows = {
        "clientCredentials": {
            "tokenUrl": TOKEN_PATH,
            "scopes": {scope.value: said.en for scope, said in SCOPES.items()},
        }
    }

    def __init__(self, scope: Scope, operation: str) -> None:
        super().__init__()
        self.scope = scope
        self.operation = operation

    def __call__(self, request: HttpRequest) -> Caller:
        request.operation = self.operation  # type: ignore[attr-defined]  # what the log of calls names
        known = caller_of(request)
        request.auth = known  # type: ignore[attr-defined]  # also of a refused request: the log names who it was
        if self.scope not in known.scopes:
            raise _scope_missing(self.scope)
        wait_s = queries.take(known, self.scope)
        if wait_s:
            raise too_many(known.scopes[self.scope], wait_s)
        return known


def caller(request: HttpRequest) -> Caller:
    """Who calls an operation that let them in."""
    known: Caller = request.auth  # type: ignore[attr-defined]
    return known


def caller_of(request: HttpRequest) -> Caller:
    """Who shows a bearer token in the Authorization header (RFC 6750 §2.1). Raises Unauthenticated."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise errors.token_missing()
    found = queries.caller_of(token.strip())
    if isinstance(found, TurnedAway):
        request.auth = found  # type: ignore[attr-defined]  # whose call it was, the log says all the same
        raise REFUSALS[found.why]()
    return found


def _scope_missing(scope: Scope) -> NotPermitted:
    return NotPermitted(
        "SCOPE_MISSING",
        f"此操作需要授权项 {scope}（{SCOPES[scope].zh}）。",
        f"This takes the scope {scope} ({SCOPES[scope].en}).",
        next_zh="请在取令牌时申请该项；协议中没有的，请向本市一卡通管理部门申请。",
        next_en="Ask for it when you get a token; if it is not agreed, ask the city's one-card office.",
    )


def too_many(per_minute: int, wait_s: int) -> errors.TooMany:
    """A client asked more than its allowance bears."""
    return errors.TooMany(
        "TOO_MANY_REQUESTS",
        f"超过每分钟 {per_minute} 次的限额。",
        f"This is over the {per_minute} requests a minute that are agreed.",
        next_zh=f"请在 {wait_s} 秒后重试。",
        next_en=f"Come again in {wait_s} s.",
        after_s=wait_s,
    )
