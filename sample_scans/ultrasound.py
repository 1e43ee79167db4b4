"""An ultrasound-like frame: a fan of speckle with text burned into the pixels."""

from __future__ import annotations

import numpy as np
from exact import F32, Array, binomial, bump, gauss, smooth_field
from identity import Plant

ROWS, COLUMNS = 600, 800
APEX = (400.0, 40.0)  # column, row
NEAR, FAR = 60.0, 500.0
MM_PER_PIXEL = 0.35
REGION = (130, 70, 670, 560)  # x0, y0, x1, y1 of the fan, as the header gives it
TEXTS = (  # column, row, size of a dot, text
    (16, 8, 2, "MUSTER ERIKA MARLENE"),
    (16, 28, 2, "ID EX-4711-0815"),
    (560, 8, 2, "2025-03-18 09:34:12"),
    (470, 28, 2, "ST. EXAMPLE HOSPITAL"),
    (16, 572, 2, "SONO-EXAMPLE SILJA"),
    (330, 150, 2, "ERIKA M. LIVER"),
)
PLAIN = ((620, 572, 2, "MI 1.1 TIS 0.4"), (16, 60, 2, "C5-1"))
_GLYPHS = """
A 01110 10001 10001 11111 10001 10001 10001|B 11110 10001 10001 11110 10001 10001 11110
C 01111 10000 10000 10000 10000 10000 01111|D 11110 10001 10001 10001 10001 10001 11110
E 11111 10000 10000 11110 10000 10000 11111|F 11111 10000 10000 11110 10000 10000 10000
G 01111 10000 10000 10011 10001 10001 01111|H 10001 10001 10001 11111 10001 10001 10001
I 01110 00100 00100 00100 00100 00100 01110|J 00111 00010 00010 00010 00010 10010 01100
K 10001 10010 10100 11000 10100 10010 10001|L 10000 10000 10000 10000 10000 10000 11111
M 10001 11011 10101 10101 10001 10001 10001|N 10001 11001 10101 10011 10001 10001 10001
O 01110 10001 10001 10001 10001 10001 01110|P 11110 10001 10001 11110 10000 10000 10000
R 11110 10001 10001 11110 10100 10010 10001|S 01111 10000 10000 01110 00001 00001 11110
T 11111 00100 00100 00100 00100 00100 00100|U 10001 10001 10001 10001 10001 10001 01110
V 10001 10001 10001 10001 10001 01010 00100|X 10001 10001 01010 00100 01010 10001 10001
0 01110 10001 10011 10101 11001 10001 01110|1 00100 01100 00100 00100 00100 00100 01110
2 01110 10001 00001 00110 01000 10000 11111|3 11110 00001 00001 01110 00001 00001 11110
4 00010 00110 01010 10010 11111 00010 00010|5 11111 10000 11110 00001 00001 10001 01110
7 11111 00001 00010 00100 01000 01000 01000|8 01110 10001 10001 01110 10001 10001 01110
9 01110 10001 10001 01111 00001 00010 01100|- 00000 00000 00000 11111 00000 00000 00000
. 00000 00000 00000 00000 00000 00110 00110|: 00000 00110 00110 00000 00110 00110 00000
"""


def _font() -> dict[str, Array]:
    found = {" ": np.zeros((7, 5), bool)}
    for entry in _GLYPHS.strip().replace("\n", "|").split("|"):
        name, *rows = entry.split()
        found[name] = np.array([[c == "1" for c in row] for row in rows])
    return found


FONT = _font()


def draw_text(
    frame: Array, column: int, row: int, dot: int, text: str
) -> tuple[int, int, int, int]:
    """Burn `text` into `frame` and return its box as x0, y0, x1, y1 (last pixel included)."""
    for k, letter in enumerate(text):
        glyph = np.repeat(np.repeat(FONT[letter], dot, 0), dot, 1)
        x = column + k * 6 * dot
        part = frame[row : row + 7 * dot, x : x + 5 * dot]
        part[glyph] = 235
    return (column, row, column + (len(text) * 6 - 1) * dot - 1, row + 7 * dot - 1)


def _speckle() -> Array:
    """Grainy echoes (0 to about 90) with vessels and a cyst, not yet cut to the fan."""
    x = np.arange(COLUMNS).astype(F32)[None, :]
    y = np.arange(ROWS).astype(F32)[:, None]
    a = binomial(gauss((ROWS, COLUMNS), 301)).astype(F32)
    b = binomial(gauss((ROWS, COLUMNS), 302)).astype(F32)
    grain = np.sqrt(a * a + b * b) * F32(1 / 1700.0)
    echo = F32(62) + smooth_field((ROWS, COLUMNS), 40, 0.5, 303) * F32(9)
    for cx, cy, rx, ry, level in (
        (300.0, 300.0, 46.0, 38.0, 4.0),
        (470.0, 250.0, 60.0, 10.0, 8.0),
        (520.0, 360.0, 12.0, 60.0, 8.0),
        (430.0, 420.0, 70.0, 44.0, 34.0),
    ):
        ux, uy = (x - F32(cx)) * F32(1 / rx), (y - F32(cy)) * F32(1 / ry)
        inside = np.minimum(np.maximum((F32(1) - ux * ux - uy * uy) * F32(6), F32(0)), F32(1))
        echo = echo + (F32(level) - echo) * inside
    diaphragm = y - F32(500) + (x - F32(360)) * (x - F32(360)) * F32(1 / 900.0)
    echo = echo + bump(diaphragm * F32(1 / 9.0)) * F32(95)
    shadow = bump((x - F32(300)) * F32(1 / 50.0)) * (y > 340) * F32(16)
    return (echo + shadow) * (F32(0.35) + grain)


def frame() -> tuple[Array, list[Plant]]:
    """Return the frame (uint8) and the burned-in identities with their boxes."""
    x = np.arange(COLUMNS).astype(F32)[None, :] - F32(APEX[0])
    y = np.arange(ROWS).astype(F32)[:, None] - F32(APEX[1])
    r2 = x * x + y * y
    fan = (r2 > F32(NEAR * NEAR)) & (r2 < F32(FAR * FAR)) & (np.abs(x) < y * F32(0.62))
    gain = F32(1.15) - np.sqrt(r2) * F32(0.0007)
    value = np.where(fan, _speckle() * gain, F32(0))
    image = np.minimum(np.maximum(np.floor(value + F32(0.5)), F32(0)), F32(255)).astype(
        np.uint8
    )
    for k in range(16):  # grey bar and depth scale: ticks every 10 mm
        image[100 + k * 12 : 112 + k * 12, 60:76] = 255 - k * 16
    step = 200 / 7  # 10 mm in pixels
    for k in range(17):
        row = 100 + int(k * step + 0.5)
        image[row, 776 - (12 if k % 5 == 0 else 6) : 776] = 200
    for text in PLAIN:
        draw_text(image, *text)
    found = []
    for column, row, dot, text in TEXTS:
        box = draw_text(image, column, row, dot, text)
        found.append(
            Plant("pixels " + " ".join(str(b) for b in box), text, "pixels", "us_burned_in.dcm")
        )
    return image, found
