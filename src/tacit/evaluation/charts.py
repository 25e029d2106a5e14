"""Charts as inline SVG: text that scales, colours from the page's variables (light and dark), no script."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np

WIDTH, HEIGHT = 380, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 30, 34
BINS = 200  # of a curve: more points are averaged, and their range is shaded
BARS = 36  # of a profile: longer rows of numbers are averaged
FEW = 25  # points of a curve that are marked one by one
COLOURS = 6  # the page's variables --c0 … --c5
SHAPES = ("circle", "square", "triangle", "diamond")


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers in [low, high], two at least, steps of 1, 2 or 5 times a power of ten."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low]
    power = 10 ** math.floor(math.log10(span / about))
    step = next(m * power for m in (1, 2, 5, 10) if span / (m * power) <= about)
    found = [round(i * step, 12) for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return found if len(found) > 1 else ticks(low, high, 2 * about)


def short(x: float) -> str:
    """A tick's label: 0.05, 12, 3k, 2e−5."""
    if x and abs(x) >= 1e6:
        return f"{x / 1e6:g}M"
    if abs(x) >= 1e4:
        return f"{x / 1e3:g}k"
    if x and abs(x) < 1e-3:
        mantissa, exponent = f"{x:.3g}".split("e") if "e" in f"{x:.3g}" else (f"{x * 1e4:.3g}", "-4")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    return f"{x:.4g}".replace("-", "−")


def curve(
    title: str, x: Sequence[float], y: Sequence[float], x_name: str = "step", x_range: tuple[float, float] | None = None
) -> str:
    """A quantity over steps, its last value written out; values that are not finite leave a gap in the count only.

    Curves drawn over one x_range can be compared by eye; a few values are marked by points.
    """
    xs, ys = np.asarray(x, float), np.asarray(y, float)
    finite = np.isfinite(xs) & np.isfinite(ys)
    if not finite.any():
        return _empty(title, "no finite value was logged")
    xs, ys = xs[finite], ys[finite]
    parts = np.array_split(np.arange(len(xs)), min(BINS, len(xs)))
    at, mean = (np.array([values[part].mean() for part in parts]) for values in (xs, ys))
    low, high = (np.array([pick(ys[part]) for part in parts]) for pick in (np.min, np.max))
    bottom, top = _room(float(low.min()), float(high.max()))
    start, end = x_range or (xs[0], xs[-1])
    to_x, to_y = _scale(start, end, LEFT, WIDTH - RIGHT), _scale(bottom, top, HEIGHT - BOTTOM, TOP)
    px, line = to_x(at), to_y(mean)
    band = ""
    if len(parts) < len(xs):
        edge = [*zip(px, to_y(high)), *zip(px[::-1], to_y(low)[::-1])]
        band = f'<polygon class="band" points="{_points(edge)}"/>'
    drawn = f'<polyline class="line" points="{_points(zip(px, line))}"/>' if len(parts) > 1 else ""
    if len(parts) <= FEW:
        drawn += "".join(f'<circle class="end" cx="{at:.1f}" cy="{value:.1f}" r="2.6"/>' for at, value in zip(px, line))
    axes = _axes(to_x, to_y, ticks(start, end), ticks(bottom, top, 4), x_name)
    first, last = short(float(ys[0])), short(float(ys[-1]))
    return _svg(title, f"{title}, from {first} to {last}", axes + band + drawn, note=f"last {last}")


def spectrum(values: Sequence[float]) -> str:
    """Singular values, largest first, as shares of the largest on a logarithmic scale down to 1e−6."""
    sizes = np.asarray(values, float)
    if not len(sizes) or not np.isfinite(sizes).all() or sizes.max() <= 0:
        return _empty("Spectrum", "all singular values are zero or not finite")
    shares = np.log10(np.clip(np.sort(sizes)[::-1] / sizes.max(), 1e-6, 1))
    keep = np.unique(np.linspace(0, len(shares) - 1, min(len(shares), 2 * BINS)).astype(int))
    lowest = math.floor(min(-1.0, shares.min()))
    to_x, to_y = _scale(1, max(2, len(shares)), LEFT, WIDTH - RIGHT), _scale(lowest, 0, HEIGHT - BOTTOM, TOP)
    decades = list(range(lowest, 1, 1 if lowest > -4 else 2))
    axes = _axes(to_x, to_y, [1, *ticks(1, len(shares))], decades, "dimension", y_labels=[_power(e) for e in decades])
    line = f'<polyline class="line" points="{_points(zip(to_x(keep + 1.0), to_y(shares[keep])))}"/>'
    return _svg("Singular values, as shares of the largest", f"{len(shares)} singular values", axes + line)


def scatter(points: np.ndarray, labels: Sequence[str], ids: Sequence[str]) -> str:
    """Points n × 2, coloured and shaped by label ("" for none), labels written at their medians, ids on hover.

    24 labels, the most frequent, are told apart by colour and shape; the others are grey.
    """
    width, height, edge = 760, 520, 14
    finite = np.isfinite(points).all(1)
    if not finite.any():
        return _empty("Map", "no point is finite")
    low, high = points[finite].min(0), points[finite].max(0)
    x, y = _scale(low[0], high[0], edge, width - edge)(points[:, 0]), _scale(low[1], high[1], height - edge, edge)(points[:, 1])
    names, counts = np.unique([label for label in labels if label], return_counts=True)
    told = [str(name) for name in names[np.argsort(-counts, kind="stable")][: COLOURS * len(SHAPES)]]
    look = {name: f"k{i % COLOURS}" for i, name in enumerate(sorted(told))}
    shape = {name: SHAPES[i // COLOURS] for i, name in enumerate(sorted(told))}
    size = min(1.6, max(0.9, 50 / math.sqrt(len(points))))
    marks = [
        f'<g class="{look.get(label, "k")}">{_mark(shape.get(label, "circle"), x[i], y[i], size)}'
        f"<title>{escape(ids[i])}{escape(' · ' + label if label else '')}</title></g>"
        for i, label in enumerate(labels)
        if finite[i]
    ]
    where = {name: np.flatnonzero(finite & (np.asarray(labels) == name)) for name in told}
    anchors = {name: (float(np.median(x[rows])), float(np.median(y[rows]))) for name, rows in where.items() if len(rows)}
    texts = "".join(
        f'<text class="label" x="{px:.0f}" y="{py:.0f}" text-anchor="middle">{escape(name)}</text>'
        for name, (px, py) in _apart(anchors, width, height).items()
    )
    head = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="map of {int(finite.sum())} samples">'
    return f"{head}{''.join(marks)}{texts}</svg>{_legend(sorted(told), look, shape)}"


def distributions(title: str, edges: np.ndarray, filled: np.ndarray, outlined: np.ndarray, x_name: str) -> str:
    """Two histograms over the same bins, shares that each sum to 1: the first as an area, the second as an outline.

    Empty bins at both ends are left out, so that charts of one axis need `edges` and shares that were cut alike.
    """
    bounds, first, second = (np.asarray(values, float) for values in (edges, filled, outlined))
    occupied = np.flatnonzero((first > 0) | (second > 0))
    if not len(occupied) or not np.isfinite([*first, *second]).all():
        return _empty(title, "there are no finite values")
    start, stop = max(occupied[0] - 1, 0), min(occupied[-1] + 2, len(first))
    bounds, first, second = bounds[start : stop + 1], first[start:stop], second[start:stop]
    top = 1.06 * max(first.max(), second.max())
    to_x, to_y = _scale(bounds[0], bounds[-1], LEFT, WIDTH - RIGHT), _scale(0.0, top, HEIGHT - BOTTOM, TOP)
    area, line = (_points(zip(*_steps(to_x(bounds), to_y(shares), float(to_y(0.0))))) for shares in (first, second))
    shown = [share for share in ticks(0.0, top, 4) if share <= top]
    names = [f"{100 * share:g} %" for share in shown]
    axes = _axes(to_x, to_y, ticks(float(bounds[0]), float(bounds[-1])), shown, x_name, y_labels=names)
    drawn = f'<polygon class="area" points="{area}"/><polyline class="outline" points="{line}"/>'
    middles = (bounds[1:] + bounds[:-1]) / 2
    means = [short(round(float((middles * shares).sum() / shares.sum()), 2)) for shares in (first, second)]
    return _svg(title, f"{title}: the area lies around {means[0]}, the outline around {means[1]}", axes + drawn)


def bands(
    title: str, x: Sequence[float], filled: np.ndarray, outlined: np.ndarray, x_name: str, x_range: tuple[float, float]
) -> str:
    """Two distributions over steps, each by three rows of quantiles (low, median, high; 3 × steps): a band and its median.

    Steps at which any of them is not finite are left out.
    """
    xs, first, second = np.asarray(x, float), np.asarray(filled, float), np.asarray(outlined, float)
    finite = np.isfinite(xs) & np.isfinite(first).all(0) & np.isfinite(second).all(0)
    if finite.sum() < 2:
        return _empty(title, "fewer than two looks were logged")
    xs, first, second = xs[finite], first[:, finite], second[:, finite]
    bottom, top = _room(float(min(first.min(), second.min())), float(max(first.max(), second.max())))
    to_x, to_y = _scale(*x_range, LEFT, WIDTH - RIGHT), _scale(bottom, top, HEIGHT - BOTTOM, TOP)
    px, drawn = to_x(xs), ""
    for low, middle, high, area, line in ((*first, "area", "line"), (*second, "other", "outline")):
        edge = [*zip(px, to_y(high)), *zip(px[::-1], to_y(low)[::-1])]
        drawn += f'<polygon class="{area}" points="{_points(edge)}"/>'
        drawn += f'<polyline class="{line}" points="{_points(zip(px, to_y(middle)))}"/>'
    said = f"{title}: medians at last {short(round(float(first[1, -1]), 2))} and {short(round(float(second[1, -1]), 2))}"
    return _svg(title, said, _axes(to_x, to_y, ticks(*x_range), ticks(bottom, top, 4), x_name) + drawn)


def profile(values: Sequence[float], name: str) -> str:
    """A row of numbers in standard deviations as bars up and down from the middle, cut at ±3; long rows are averaged."""
    row = np.nan_to_num(np.asarray(values, float), posinf=3.0, neginf=-3.0)
    parts = np.array_split(row, min(BARS, len(row)))
    heights = np.clip([part.mean() for part in parts], -3, 3) * 11
    wide = 72 / len(heights)
    bars = "".join(
        f'<rect x="{i * wide:.1f}" y="{36 - max(h, 0):.1f}" width="{max(wide - 0.6, 0.6):.1f}" height="{abs(h):.1f}"/>'
        for i, h in enumerate(heights)
    )
    middle = '<path class="axis" d="M0 36H72"/>'
    return f'<svg class="profile" viewBox="0 0 72 72" role="img" aria-label="{escape(name)}">{bars}{middle}</svg>'


def interval(value: float, low: float, high: float) -> str:
    """A fraction on [0, 1] as a bar with its interval as a whisker; what is below 0, by chance, is an empty bar."""
    value, low, high = (max(number, 0.0) for number in (value, low, high))
    whisker = ""
    if math.isfinite(low) and math.isfinite(high):
        whisker = f'<path class="whisker" d="M{100 * low:.1f} 5H{100 * high:.1f}M{100 * low:.1f} 2V8M{100 * high:.1f} 2V8"/>'
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="rail" width="100" height="10"/>'
        f'<rect class="value" width="{100 * value:.1f}" height="10"/>{whisker}</svg>'
    )


def _scale(low: float, high: float, start: float, end: float):
    span = (high - low) or 1.0
    return lambda values: start + (np.asarray(values, float) - low) / span * (end - start)


def _steps(x: np.ndarray, y: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """The corners of a histogram: n + 1 bounds and n heights, begun and ended on the floor."""
    return np.repeat(x, 2), np.concatenate([[floor], np.repeat(y, 2), [floor]])


def _room(low: float, high: float) -> tuple[float, float]:
    """A little air above and below; a constant gets an axis too."""
    air = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return (0.0 if 0 <= low < 3 * air else low - air), high + air


def _points(pairs) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)


def _axes(to_x, to_y, x_ticks, y_ticks, x_name: str, y_labels: Sequence[str] | None = None) -> str:
    floor = HEIGHT - BOTTOM
    rows = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{to_y(t):.1f}" y2="{to_y(t):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{to_y(t) + 4:.1f}" text-anchor="end">{name}</text>'
        for t, name in zip(y_ticks, y_labels or [short(t) for t in y_ticks])
    ]
    columns = [
        f'<line class="tick" x1="{to_x(t):.1f}" x2="{to_x(t):.1f}" y1="{floor}" y2="{floor + 4}"/>'
        f'<text x="{to_x(t):.1f}" y="{floor + 16}" text-anchor="middle">{short(t)}</text>'
        for t in x_ticks
    ]
    base = f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}"/>'
    name = f'<text class="name" x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">{escape(x_name)}</text>'
    return "".join([*rows, base, *columns, name])


def _svg(title: str, description: str, body: str, note: str = "") -> str:
    head = f'<text class="title" x="0" y="14">{escape(title)}</text>'
    tail = f'<text class="name" x="{WIDTH - RIGHT}" y="14" text-anchor="end">{escape(note)}</text>' if note else ""
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(description)}">{head}{tail}{body}</svg>'


def _empty(title: str, why: str) -> str:
    text = f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">{escape(why)}</text>'
    return _svg(title, f"{title}: {why}", text)


def _power(exponent: int) -> str:
    return "1" if exponent == 0 else f"10{''.join('⁰¹²³⁴⁵⁶⁷⁸⁹'[int(c)] if c.isdigit() else '⁻' for c in str(exponent))}"


def _mark(shape: str, x: float, y: float, size: float) -> str:
    """About equally much ink for each shape: 9 square units at size 1."""
    if shape == "square":
        return f'<rect x="{x - 1.5 * size:.1f}" y="{y - 1.5 * size:.1f}" width="{3 * size:.1f}" height="{3 * size:.1f}"/>'
    if shape == "triangle":
        return f'<path d="M{x:.1f} {y - 2.4 * size:.1f}l{2.2 * size:.1f} {4 * size:.1f}h{-4.4 * size:.1f}z"/>'
    if shape == "diamond":
        a = 2.1 * size
        return f'<path d="M{x:.1f} {y - a:.1f}l{a:.1f} {a:.1f}l{-a:.1f} {a:.1f}l{-a:.1f} {-a:.1f}z"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{1.7 * size:.1f}"/>'


def _apart(anchors: dict[str, tuple[float, float]], width: float, height: float) -> dict[str, tuple[float, float]]:
    """Label positions moved down or up, one after another, until none covers another."""
    placed: dict[str, tuple[float, float]] = {}
    size = {name: 5.8 * len(name) + 4 for name in anchors}  # half a label's width at 20 pixels
    for name, (x, y) in sorted(anchors.items(), key=lambda item: item[1][1]):
        x = min(max(x, size[name]), width - size[name])

        def free(at: float, name: str = name, x: float = x) -> bool:
            return all(abs(at - py) > 22 or abs(x - px) > size[name] + size[other] for other, (px, py) in placed.items())

        offsets = (sign * 3 * step for step in range(60) for sign in (1, -1))
        placed[name] = x, next((y + o for o in offsets if 18 <= y + o <= height - 6 and free(y + o)), y)
    return placed


def _legend(names: list[str], look: dict[str, str], shape: dict[str, str]) -> str:
    if not names:
        return ""
    key = '<svg viewBox="0 0 12 12" aria-hidden="true" class='
    items = [f'<li>{key}"{look[name]}">{_mark(shape[name], 6, 6, 1.6)}</svg>{escape(name)}</li>' for name in names]
    return f'<ul class="legend">{"".join(items)}</ul>'
