"""Words for the states of exports."""

from onecard.foundation.exports import State

Words = dict[str, str]
STATES: dict[State, tuple[Words, str]] = {
    State.WAITING: ({"zh": "等待中", "en": "Waiting"}, "info"),
    State.RUNNING: ({"zh": "正在导出", "en": "Being written"}, "info"),
    State.DONE: ({"zh": "已完成", "en": "Done"}, "ok"),
    State.STOPPED: ({"zh": "已停止", "en": "Stopped"}, "warn"),
}
