"""Pictures of a camera, decoded by ZXing. The camera's own program replaces one file with each picture (`fswebcam`,
`rpicam-still`, `ffmpeg -update 1`); this looks whether there is a new one.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from onecard_gate.asked import Asked
from onecard_gate.errors import GateError
from onecard_gate.inputs import Again

PIXELS_MAX: Final = 16_000_000
BYTES_MAX: Final = 32 << 20


def missing() -> str | None:
    """Which library is not there; None: pictures can be read."""
    try:
        import PIL.Image  # noqa: F401
        import zxingcpp  # noqa: F401
    except ImportError as error:
        return str(error)
    return None


def read(path: Path) -> list[str]:
    """The texts of the QR codes in a picture, JPEG, PNG or PGM. Raises GateError PICTURE for what is none."""
    import PIL.Image
    import zxingcpp

    try:
        if path.stat().st_size > BYTES_MAX:
            raise ValueError("it is too large")
        with PIL.Image.open(path) as picture:
            if picture.width * picture.height > PIXELS_MAX:
                raise ValueError("it has too many points")
            grey = picture.convert("L")
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise GateError("PICTURE", f"无法读取图片 {path}：{error}", f"{path} is no picture: {error}") from None
    found = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode]))
    return [each.text for each in found if each.valid]


def presentations(path: Path, every_s: float, again: Again) -> Iterator[Asked]:
    """Each code that comes before the camera, once. A picture that is being written is looked at again."""
    seen: tuple[int, int] | None = None
    while True:
        stamp = _stamp(path)
        if stamp is not None and stamp != seen:
            seen = stamp
            for text in _texts(path):
                if not again.is_again(text):
                    yield Asked(code=text)
        time.sleep(every_s)


def _texts(path: Path) -> list[str]:
    try:
        return read(path)
    except GateError:
        return []


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
