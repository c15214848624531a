"""Pictures of how cost grows: seconds, by a number of images, releases or objects."""

from collections.abc import Mapping, Sequence
from math import ceil, log10

WIDTH, HEIGHT, MARGIN = 640, 360, 60
COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")
# Lines of the grid between zero and the top.
STEPS = 5

Points = Sequence[tuple[float, float]]


def draw(title: str, unit: str, lines: Mapping[str, Points]) -> str:
    """Return a picture as SVG of the `lines`, by label: `title` is what is counted from left to
    right, on a logarithmic scale; `unit` is what is measured, from zero.
    """
    sizes = [size for points in lines.values() for size, _ in points]
    right = ceil(log10(max(sizes)))
    top = _rounded(max(value for points in lines.values() for _, value in points))

    def x(size: float) -> float:
        # Nothing is where one would be: a logarithm has no zero.
        return MARGIN + (WIDTH - 2 * MARGIN) * log10(max(size, 1)) / right

    def y(value: float) -> float:
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * value / top

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for power in range(right + 1):
        at = x(10**power)
        name = "0" if not power and min(sizes) == 0 else f"{10**power:,}"
        parts += [_grid(at, MARGIN, at, HEIGHT - MARGIN)]
        parts += [_text(at, HEIGHT - MARGIN + 18, name, "middle")]
    for step in range(STEPS + 1):
        value = top * step / STEPS
        parts += [_grid(MARGIN, y(value), WIDTH - MARGIN, y(value))]
        parts += [_text(MARGIN - 6, y(value) + 4, f"{value:g}", "end")]
    for number, (label, points) in enumerate(lines.items()):
        color = COLORS[number]
        path = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x(size):.1f}" cy="{y(value):.1f}" r="3" fill="{color}"/>'
            for size, value in points
        ]
        parts.append(_text(MARGIN + 150 * number, MARGIN - 14, label, "start", color))
    parts.append(_text(WIDTH / 2, HEIGHT - 14, title, "middle"))
    parts.append(_text(8, MARGIN - 34, unit, "start"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _rounded(value: float) -> float:
    """Return a round number that is at least `value`."""
    unit: float = 10.0 ** (ceil(log10(value)) - 1)
    return unit * ceil(value / unit)


def _grid(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="#ddd"/>'


def _text(x: float, y: float, text: str, anchor: str, color: str = "black") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{text}</text>'
