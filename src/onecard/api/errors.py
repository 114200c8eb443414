"""Refusals of the API besides those of `foundation.errors`."""

from onecard.foundation.errors import BadInput, OneCardError


class Unauthenticated(OneCardError):
    """The client did not prove itself, or what proved it is worth nothing any more."""

    status = 401


class NoSuchPath(OneCardError):
    status = 404


class MethodNotAllowed(OneCardError):
    status = 405


class TooLarge(BadInput):
    status = 413


class NotJSON(BadInput):
    status = 415


class TooMany(OneCardError):
    """More requests than the agreement bears; `after_s` is when to come again, in seconds."""

    status = 429

    def __init__(self, code: str, zh: str, en: str, *, next_zh: str, next_en: str, after_s: int) -> None:
        super().__init__(code, zh, en, next_zh=next_zh, next_en=next_en)
        self.after_s = after_s


class OurFault(OneCardError):
    status = 500


def malformed(what: str) -> BadInput:
    """The request is not what the reference says; `what` names the place and the fault."""
    return BadInput(
        "REQUEST_MALFORMED",
        f"请求格式不正确：{what}",
        f"The request is malformed: {what}",
        next_zh="请对照接口文档修正。",
        next_en="Correct it after the reference.",
    )


def too_large() -> TooLarge:
    return TooLarge("REQUEST_TOO_LARGE", "请求过大。", "The request is too large.")


def not_json() -> NotJSON:
    return NotJSON(
        "BODY_NOT_JSON",
        "请求正文应为 application/json。",
        "The body has to be application/json.",
        next_zh="请以 Content-Type: application/json 发送。",
        next_en="Send it with Content-Type: application/json.",
    )


def no_such_path() -> NoSuchPath:
    return NoSuchPath(
        "NO_SUCH_PATH",
        "没有这个接口。",
        "There is no such path.",
        next_zh="接口清单见 /v1/openapi.json。",
        next_en="See /v1/openapi.json for what there is.",
    )


def method_not_allowed(allowed: str) -> MethodNotAllowed:
    return MethodNotAllowed("METHOD_NOT_ALLOWED", f"请使用 {allowed}。", f"Use {allowed}.")


def token_missing() -> Unauthenticated:
    return Unauthenticated(
        "TOKEN_MISSING",
        "请求未带访问令牌。",
        "The request carries no access token.",
        next_zh="请以凭据向 /v1/token 取令牌，放入 Authorization: Bearer。",
        next_en="Get one at /v1/token with your credential and send it as Authorization: Bearer.",
    )


def token_unknown() -> Unauthenticated:
    return Unauthenticated(
        "TOKEN_UNKNOWN",
        "访问令牌无效。",
        "The access token is not known.",
        next_zh="请重新取令牌。",
        next_en="Get a new one.",
    )


def token_expired() -> Unauthenticated:
    return Unauthenticated(
        "TOKEN_EXPIRED",
        "访问令牌已过期。",
        "The access token has expired.",
        next_zh="请重新取令牌。",
        next_en="Get a new one.",
    )


def credential_ended() -> Unauthenticated:
    return Unauthenticated(
        "CREDENTIAL_ENDED",
        "取得该令牌的凭据已失效。",
        "The credential that got this token is no longer valid.",
        next_zh="请改用新的凭据。",
        next_en="Use your new credential.",
    )


def client_suspended() -> Unauthenticated:
    return Unauthenticated(
        "CLIENT_SUSPENDED",
        "接入系统已停用。",
        "The connected system is suspended.",
        next_zh="请联系本市一卡通管理部门。",
        next_en="Ask the city's one-card office.",
    )


def our_fault() -> OurFault:
    return OurFault(
        "OUR_FAULT",
        "系统内部错误。",
        "A fault of ours.",
        next_zh="请凭 trace 联系我们。",
        next_en="Tell us the trace.",
    )
