"""What the gateway answers instead of a verdict, besides the errors of `foundation.errors`."""

from onecard.foundation.errors import BadInput, Conflict, OneCardError, Unavailable


class Unauthenticated(OneCardError):
    """The terminal or device could not prove itself; nothing was recorded."""

    status = 401


class TooLarge(BadInput):
    status = 413


class TooSlow(BadInput):
    status = 408


class NoSuchPath(OneCardError):
    status = 404


class MethodNotAllowed(OneCardError):
    """Another method than the one that a path takes."""

    status = 405

    def __init__(self, code: str, zh: str, en: str, *, allowed: str) -> None:
        super().__init__(code, zh, en)
        self.allowed = allowed


class NotAcceptable(OneCardError):
    status = 406


class OurFault(OneCardError):
    """A fault of ours: this line was not recorded, those beside it are untouched."""

    status = 500


_AGAIN = {
    "next_zh": "请用同一序号重发，不会重复记账。",
    "next_en": "Send it again under the same sequence; it cannot count twice.",
}


def no_such_path() -> NoSuchPath:
    return NoSuchPath("NO_SUCH_PATH", "没有这个接口。", "There is no such path.")


def signature_invalid() -> Unauthenticated:
    return Unauthenticated(
        "TERMINAL_SIGNATURE_INVALID",
        "终端签名无效。",
        "The terminal's signature is not valid.",
        next_zh="请检查终端密钥；必要时重新配对。",
        next_en="Check the terminal's key; pair it again if need be.",
    )


def clock_off(server_time: int) -> Unauthenticated:
    return Unauthenticated(
        "TERMINAL_CLOCK_OFF",
        f"终端时间与服务器相差过大，服务器时间为 {server_time}。",
        f"The terminal's clock is too far off; the server's time is {server_time}.",
        next_zh="请先校准终端时间。",
        next_en="Set the terminal's clock first.",
    )


def not_acceptable(offered: str) -> NotAcceptable:
    return NotAcceptable(
        "NOT_ACCEPTABLE",
        f"只提供以下形式：{offered}。",
        f"These forms are offered: {offered}.",
        next_zh="请在 Accept 中写明其一。",
        next_en="Name one of them in Accept.",
    )


def too_slow() -> TooSlow:
    return TooSlow("REQUEST_TOO_SLOW", "请求发送过慢。", "The request came too slowly.")


def queue_full() -> Unavailable:
    return Unavailable("QUEUE_FULL", "系统繁忙，请稍候。", "The gateway is busy.", **_AGAIN)


def database_away() -> Unavailable:
    return Unavailable("DATABASE_AWAY", "系统暂时无法记录。", "We cannot record just now.", **_AGAIN)


def our_fault() -> OurFault:
    return OurFault("OUR_FAULT", "系统内部错误，本笔未记录。", "A fault of ours; this line was not recorded.", **_AGAIN)


def sequence_reused() -> Conflict:
    return Conflict(
        "SEQUENCE_REUSED",
        "该序号已用于另一笔内容。",
        "This sequence was used with other content.",
        next_zh="请使用新的序号。",
        next_en="Use a new sequence.",
    )
