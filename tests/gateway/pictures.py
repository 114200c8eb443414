"""What a camera sees, as a film for Chromium's fake one (YUV4MPEG2): a phone that shows a code, held a little askew."""

import io
import math
from pathlib import Path

import qrcode
from PIL import Image

WIDTH, HEIGHT, FRAMES = 1280, 720, 10
BRIGHT, DARK, ROOM = 235, 30, 90
QUIET = 4


def modules(text: str) -> list[list[bool]]:
    """The modules of a code's QR, as phones draw it: error correction M, without its quiet zone."""
    drawn = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    drawn.add_data(text)
    found: list[list[bool]] = drawn.get_matrix()
    return found


def film(path: Path, text: str, *, size_px: int = 420, angle: float = 0.08) -> Path:
    """Write a film of a code that stands still."""
    frame = _luma(modules(text), size_px, angle) + bytes([128]) * (WIDTH * HEIGHT // 2)
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(header + (b"FRAME\n" + frame) * FRAMES)
    return path


def film_of(path: Path, screenshot: bytes | None, *, size_px: int = 460, angle: float = 0.08) -> Path:
    """Write a film of a phone's screen held up, by a picture of it; of an empty room where there is none."""
    room = Image.new("L", (WIDTH, HEIGHT), ROOM)
    if screenshot is not None:
        screen = Image.open(io.BytesIO(screenshot)).convert("L").resize((size_px, size_px), Image.Resampling.BILINEAR)
        held = screen.rotate(math.degrees(angle), Image.Resampling.BILINEAR, expand=True, fillcolor=ROOM)
        room.paste(held, ((WIDTH - held.width) // 2, (HEIGHT - held.height) // 2))
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(header + (b"FRAME\n" + room.tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2)) * FRAMES)
    return path


def _luma(matrix: list[list[bool]], size_px: int, angle: float) -> bytes:
    count = len(matrix)
    module_px = size_px / (count + 2 * QUIET)
    across, down = math.cos(angle) / module_px, math.sin(angle) / module_px
    shown = bytearray([ROOM]) * (WIDTH * HEIGHT)
    reach = int(size_px * 0.75)
    for y in range(HEIGHT // 2 - reach, HEIGHT // 2 + reach):
        if not 0 <= y < HEIGHT:
            continue
        for x in range(WIDTH // 2 - reach, WIDTH // 2 + reach):
            dx, dy = x - WIDTH / 2, y - HEIGHT / 2
            column, row = across * dx + down * dy + count / 2, -down * dx + across * dy + count / 2
            if -QUIET <= column < count + QUIET and -QUIET <= row < count + QUIET:
                is_dark = 0 <= column < count and 0 <= row < count and matrix[int(row)][int(column)]
                shown[y * WIDTH + x] = DARK if is_dark else BRIGHT
    return bytes(shown)
