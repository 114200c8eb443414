"""What pages of exports have in common, whatever they hold."""

import datetime as dt
from collections.abc import Iterable

from django.http import StreamingHttpResponse

from onecard.foundation.clock import CHINA
from onecard.foundation.exports import State

Words = dict[str, str]
STATES: dict[State, tuple[Words, str]] = {
    State.WAITING: ({"zh": "等待中", "en": "Waiting"}, "info"),
    State.RUNNING: ({"zh": "正在导出", "en": "Being written"}, "info"),
    State.DONE: ({"zh": "已完成", "en": "Done"}, "ok"),
    State.STOPPED: ({"zh": "已停止", "en": "Stopped"}, "warn"),
}


def file_of(name: str, asked_at: dt.datetime, content: Iterable[bytes]) -> StreamingHttpResponse:
    """A list that is done, as a file that is offered for saving, named after when it was asked for."""
    response = StreamingHttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{asked_at.astimezone(CHINA):%Y%m%d-%H%M}.csv"'
    return response
