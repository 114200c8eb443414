"""Error pages. They touch neither database nor session nor scripts: what they explain may be that those are down."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from onecard.foundation.errors import OneCardError, Unavailable

RETRY_AFTER_S = 30


def page(request: HttpRequest, status: int, title: str, text: str, next_step: str = "") -> HttpResponse:
    """One error page: what happened, and what to do next."""
    context = {"status": status, "title": title, "text": text, "next_step": next_step}
    body = render_to_string("error.html", context, request)
    return HttpResponse(body, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 400, _("请求有误"), _("服务器无法理解这个请求。"), _("请返回上一页重试。"))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 403, _("没有权限"), _("您的账号不能打开这个页面。"), _("如需使用，请联系本单位管理员授权。"))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 404, _("找不到页面"), _("这个地址不存在，或者已经变更。"), _("请从首页重新进入。"))


def not_opened(request: HttpRequest, allowed: str) -> HttpResponse:
    """An address that takes what a form sends, opened by itself: after signing in again, or from a list of addresses
    visited before. `allowed` are the methods that it takes.
    """
    text = _("这一步要从页面上的按钮进入。没有任何改动。")
    response = page(request, 405, _("不能直接打开这个地址"), text, _("请从首页重新进入。"))
    response["Allow"] = allowed
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    text = _("页面打开太久或浏览器未保存 Cookie，提交没有生效，没有任何改动。")
    return page(request, 403, _("页面已过期"), text, _("请返回上一页，刷新后再提交一次。"))


def too_many_requests(request: HttpRequest) -> HttpResponse:
    text = _("短时间内尝试次数过多，为保护账号已暂停。")
    return page(request, 429, _("请稍后再试"), text, _("请等待十五分钟后再试。"))


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours; where it is the database that is away, the page says so, and that it comes back."""
    error = sys.exception()
    if isinstance(error, (OperationalError, InterfaceError)):
        return maintenance(request)
    return page(request, 500, _("系统出错了"), _("问题在我们这边，未提交完成的内容没有保存。"), _("请稍后再试。"))


def maintenance(request: HttpRequest) -> HttpResponse:
    """While the database is restarted, or cannot be reached."""
    text = _("数据库正在维护或重启。刚才提交的内容没有办理，没有任何改动。")
    response = page(request, 503, _("系统维护中"), text, _("请稍后刷新本页。紧急挂失请拨打 12333。"))
    response["Retry-After"] = str(RETRY_AFTER_S)
    return response


def busy() -> Unavailable:
    """A wait for the database took longer than its role may wait; the transaction is rolled back."""
    return Unavailable(
        "DATABASE_BUSY",
        "系统繁忙，本次没有办理，没有任何改动。",
        "The system is busy; this was not done and nothing has changed.",
        next_zh="请稍后再试。",
        next_en="Try again shortly.",
    )


def database_away() -> Unavailable:
    """The database does not answer."""
    return Unavailable(
        "DATABASE_AWAY",
        "系统暂时无法处理。",
        "We cannot answer just now.",
        next_zh="请稍后重试，重复提交不会办理两次。",
        next_en="Try again shortly; sending it again does nothing twice.",
    )


def refused(request: HttpRequest, error: OneCardError) -> HttpResponse:
    """The page of an error of ours, in its own words."""
    english = (get_language() or "").startswith("en")
    title = {403: _("没有权限"), 404: _("没有找到")}.get(error.status) or _("办理没有成功")
    if english:
        return page(request, error.status, title, error.en, error.next_en)
    return page(request, error.status, title, error.zh, error.next_zh)
