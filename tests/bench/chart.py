"""A picture of how cost grows: seconds and MiB for 1,000 images, by the number of images."""

from collections.abc import Sequence
from math import ceil, floor, log10

from tests.bench.repositories import Cost

WIDTH, HEIGHT, MARGIN = 640, 360, 60
COLORS = {"seconds for 1,000 images": "#1f77b4", "MiB for 1,000 images": "#d62728"}


def draw(growth: Sequence[tuple[int, Cost]]) -> str:
    """Return the picture as SVG; both axes are logarithmic."""
    lines = [
        [(size, 1000 * cost.seconds / size) for size, cost in growth],
        [(size, 1000 * cost.memory / size) for size, cost in growth],
    ]
    sizes = [size for size, _ in growth]
    values = [value for line in lines for _, value in line]
    left, right = floor(log10(min(sizes))), ceil(log10(max(sizes)))
    bottom, top = floor(log10(min(values))), ceil(log10(max(values)))

    def x(size: float) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * (log10(size) - left) / (right - left)

    def y(value: float) -> float:
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (log10(value) - bottom) / (top - bottom)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for power in range(left, right + 1):
        at = x(10**power)
        parts.append(_grid(at, MARGIN, at, HEIGHT - MARGIN))
        parts.append(_text(at, HEIGHT - MARGIN + 18, f"{10**power:,}", "middle"))
    for power in range(bottom, top + 1):
        at = y(10**power)
        parts.append(_grid(MARGIN, at, WIDTH - MARGIN, at))
        parts.append(_text(MARGIN - 6, at + 4, f"{10**power:g}", "end"))
    for number, ((label, color), line) in enumerate(zip(COLORS.items(), lines, strict=True)):
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in line)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x(size):.1f}" cy="{y(value):.1f}" r="3" fill="{color}"/>'
            for size, value in line
        ]
        parts.append(_text(MARGIN + 260 * number, MARGIN - 20, label, "start", color))
    parts.append(_text(WIDTH / 2, HEIGHT - 14, "images", "middle"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _grid(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="#ddd"/>'


def _text(x: float, y: float, text: str, anchor: str, color: str = "black") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{text}</text>'
