"""The code as a picture: what a phone shows is read by two decoders of strangers, and by a gate's camera."""

import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import PIL.Image
import PIL.ImageFilter
import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gate import debian
from tests.gate.process import a_gate, run, told, until
from tests.gate.stand_in import a_platform
from tests.kit.packs import LASTING, PLACE, SIGNER, a_code

from onecard_gate.errors import GateError
from onecard_gate.inputs import Again, camera
from onecard_kit import codes
from onecard_kit.codes import CHARS_MAX, Claims, Via, encode


def pyzbar_reads(path: Path) -> list[str]:
    """By ZBar's library, where it is installed (libzbar0)."""
    debian.need("libzbar0")
    from pyzbar import pyzbar

    return [each.data.decode() for each in pyzbar.decode(PIL.Image.open(path), [pyzbar.ZBarSymbol.QRCODE])]


def zxing_reads(path: Path) -> list[str]:
    return [each.text for each in zxingcpp.read_barcodes(PIL.Image.open(path))]


def zbarimg_reads(path: Path) -> list[str]:
    debian.need("zbar-tools")
    command = ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def drawn(text: str, path: Path, scale: int = 4) -> Path:
    """As a phone draws it: alphanumeric mode, error correction M."""
    made = segno.make(text, error="m", boost_error=False, micro=False)
    assert made.mode == "alphanumeric"
    made.save(str(path), scale=scale)
    return path


WINDOW = (1_772_337_600, 1_772_337_660)
LONGEST = encode(Claims(PLACE, SIGNER.kid, 2**24 - 1, Via.SELF, *WINDOW, bytes(range(12)), tuple(range(9))), SIGNER)
CODES = {
    "usual": a_code(),
    "longest": LONGEST,
    "paper": a_code(LASTING, via=Via.PAPER, kid=LASTING.kid),
}


@pytest.mark.parametrize("decode", [zxing_reads, pyzbar_reads, zbarimg_reads, camera.read])
@pytest.mark.parametrize("name", CODES)
def test_strangers_decode_the_picture(name: str, decode: Any, tmp_path: Path) -> None:
    text = CODES[name]
    assert len(LONGEST) == CHARS_MAX
    assert decode(drawn(text, tmp_path / "code.png")) == [text]


@pytest.mark.parametrize("scale", [2, 3, 8])
@pytest.mark.parametrize(("angle", "blur"), [(0, 0.0), (7, 0.6), (90, 0.4), (173, 0.0)])
def test_a_phone_is_held_as_it_is_held(scale: int, angle: int, blur: float, tmp_path: Path) -> None:
    path = drawn(a_code(), tmp_path / "code.png", scale)
    picture = PIL.Image.open(path).convert("L").rotate(angle, expand=True, fillcolor=255)
    picture.filter(PIL.ImageFilter.GaussianBlur(blur)).save(tmp_path / "frame.jpg", quality=80)
    assert len(camera.read(tmp_path / "frame.jpg")) == 1


def test_a_picture_without_a_code_and_no_picture(tmp_path: Path) -> None:
    PIL.Image.new("L", (640, 480), 128).save(tmp_path / "empty.pgm")
    assert camera.read(tmp_path / "empty.pgm") == []
    (tmp_path / "text.png").write_text("no picture")
    for name in ("text.png", "nowhere.png"):
        with pytest.raises(GateError, match="no picture"):
            camera.read(tmp_path / name)


@given(st.data())
@settings(max_examples=60)
def test_a_broken_picture_ends_no_camera(data: st.DataObject) -> None:
    with TemporaryDirectory() as name:
        path = Path(name) / "code.png"
        raw = bytearray(drawn(CODES["usual"], path).read_bytes())
        for _ in range(data.draw(st.integers(1, 20))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
        try:
            found = camera.read(path)
        except GateError:
            return
        assert found in ([], [CODES["usual"]])


def test_a_phone_before_the_camera_is_presented_once() -> None:
    now = [0.0]
    again = Again(5, lambda: now[0])
    seen = []
    for at, text in ((0, "a"), (1, "a"), (5.5, "a"), (10.4, "a"), (15.5, "a"), (16, "b"), (17, "a")):
        now[0] = at
        seen.append(again.is_again(text))
    assert seen == [False, True, True, True, False, False, False]


@pytest.mark.processes
def test_a_gate_with_a_camera(tmp_path: Path) -> None:
    folder, frame = tmp_path / "gate", tmp_path / "frame.png"
    with a_platform() as platform:
        run(folder, "pair", platform.url, "TRYTHECARD")
        (folder / "gate.toml").write_text(f"[camera]\nfile = '{frame}'\nevery_ms = 20\n")
        with a_gate(folder) as gate:
            for _ in range(3):
                code = a_code(at=int(time.time()))
                drawn(code, frame)
                result = gate.results.get(timeout=60)
                assert (result["mode"], result["verdict"]) == ("online", "ADMITTED")
                assert platform.asked[-1]["code"] == code
            frame.write_bytes(b"half a picture")
            drawn(a_code(at=int(time.time())), frame)
            assert gate.results.get(timeout=60)["admitted"]
            until(gate.results.empty, "nothing else")
        (one,) = told(folder, "present", "--image", str(drawn(a_code(at=int(time.time())), frame)))
        assert one["admitted"]
        PIL.Image.new("L", (64, 64)).save(frame)
        run(folder, "present", "--image", str(frame), status=2)


def test_the_codes_that_are_drawn_here_are_codes() -> None:
    assert all(codes.decode(text).claims for text in CODES.values())
