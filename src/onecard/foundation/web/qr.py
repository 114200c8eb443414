"""QR codes as pages draw them."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import qrcode
from markupsafe import Markup


def drawn(matrix: list[list[bool]]) -> Markup:
    """A code as an image: a stroke for each run of dark modules, with the quiet zone of four that readers need."""
    lines = (f"M{x + 4} {y + 4.5}h{length}" for y, row in enumerate(matrix) for x, length in _runs(row))
    size = len(matrix) + 8
    image = Markup(
        '<svg class="q" viewBox="0 0 {} {}" shape-rendering="crispEdges" aria-hidden="true"><path d="{}"/></svg>'
    )
    return image.format(size, size, "".join(lines))


def _runs(row: list[bool]) -> Iterator[tuple[int, int]]:
    """Where dark modules begin in a row, and how many follow each other."""
    for dark, run in groupby(enumerate(row), key=itemgetter(1)):
        if dark:
            columns = [x for x, _ in run]
            yield columns[0], len(columns)


def matrix_of(text: str) -> list[list[bool]]:
    """The modules of a code, row by row, without its quiet zone; level M."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(text)
    found: list[list[bool]] = code.get_matrix()
    return found
