"""What a browser is called where its owner is to know it again: "Android · Chrome". Proper names, in every language."""

from django.http import HttpRequest

_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
# The first that fits: most browsers also claim to be the ones after them.
_BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("AlipayClient", "Alipay"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("MiuiBrowser", "Mi Browser"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
UNKNOWN = "?"


def name_of(request: HttpRequest) -> str:
    """A name from what the browser says of itself; ``?`` for what says nothing that is known."""
    user_agent = request.headers.get("User-Agent", "")
    found = [_first(names, user_agent) for names in (_SYSTEMS, _BROWSERS)]
    return " · ".join(each for each in found if each) or UNKNOWN


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")
