"""The picture of Benchmarks/scaling: how speed-ups rise with threads, for a page in light or dark.

Both axes have a step for each doubling, so the ideal is a straight line, and a curve bends where threads stop to help.
"""

import math
import re
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 760, 46, 232
TITLE_HEIGHT, HEADING_HEIGHT, PLOT_HEIGHT, AXIS_HEIGHT = 34, 26, 310, 50
LABEL_SIZE, LABEL_GAP, LEADER = 11, 14, 26

# One for each network of a panel, in light and in dark. Rows of one network differ by their dashes.
COLOURS = [
    ("#0969da", "#4493f8"), ("#b35900", "#e3a04f"), ("#1a7f37", "#3fb950"), ("#8250df", "#ab7df8"),
    ("#cf222e", "#f85149")]
DASHES = ["", "7 3", "2 3"]


def draw(title, panels):
    """An SVG. A panel is a heading and a list of (name, {threads: speed-up}); a name begins with the network's."""
    panels = [panel for panel in panels if panel[1]]
    panel_height = HEADING_HEIGHT + PLOT_HEIGHT + AXIS_HEIGHT
    height = TITLE_HEIGHT + len(panels) * panel_height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        style(),
        f'<text x="{LEFT}" y="22" class="ink" font-size="14" font-weight="600">{escape(title)}</text>']
    for index, (heading, rows) in enumerate(panels):
        parts += Panel(heading, rows, TITLE_HEIGHT + index * panel_height).parts()
    return "\n".join(parts + ["</svg>\n"])


def style():
    light, dark = (
        "".join(f".c{i}{{stroke:{c[theme]}}}.d{i}{{fill:{c[theme]}}}" for i, c in enumerate(COLOURS))
        for theme in (0, 1))
    return (
        "<style>.ink{fill:#1f2328}.quiet{fill:#59636e}.grid{stroke:#d8dee4}.ideal{stroke:#59636e}" + light
        + "@media(prefers-color-scheme:dark){.ink{fill:#e6edf3}.quiet{fill:#9198a1}.grid{stroke:#3d444d}"
        + ".ideal{stroke:#9198a1}" + dark + "}</style>")


class Panel:
    def __init__(self, heading, rows, top):
        self.heading, self.rows, self.top = heading, rows, top + HEADING_HEIGHT
        self.most = max(threads for _, curve in rows for threads in curve)
        # Many threads may be slower than one.
        self.low = min(0, math.floor(math.log2(min(value for _, curve in rows for value in curve.values()))))
        self.high = math.log2(max([self.most] + [value for _, curve in rows for value in curve.values()]))

    def x(self, threads):
        return LEFT + math.log2(threads) / math.log2(self.most) * (WIDTH - LEFT - RIGHT)

    def y(self, speed_up):
        return self.top + (self.high - math.log2(speed_up)) / (self.high - self.low) * PLOT_HEIGHT

    def parts(self):
        heading = (
            f'<text x="{LEFT}" y="{self.top - 12}" class="ink" font-weight="600">{escape(self.heading)}</text>')
        end = self.y(self.most)
        ideal = (
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self.y(1):.1f}" y2="{end:.1f}" stroke-dasharray="1 4" '
            'stroke-linecap="round" class="ideal"/>')
        labels = [(end, "ideal", "ideal", "quiet")]
        curves, networks = [], {}
        for name, curve in self.rows:
            # Networks that differ by a size alone, such as width50 and width400, count as one.
            network = re.match(r"[^\d\s]*", name)[0]
            rows = networks.setdefault(network, [])
            rows.append(name)
            colour = list(networks).index(network) % len(COLOURS)
            curves += self.curve(name, curve, colour, DASHES[(len(rows) - 1) % len(DASHES)])
            last = curve[max(curve)]
            labels.append((self.y(last), f"{name} ×{last:.3g}", f"c{colour}", f"d{colour}"))
        return [heading, *self.axes(), ideal, *curves, *self.labels(labels)]

    def axes(self):
        parts, bottom, right = [], self.top + PLOT_HEIGHT, WIDTH - RIGHT
        for power in range(self.low, math.floor(self.high) + 1):
            at = self.y(2**power)
            parts.append(f'<line x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}" class="grid"/>')
            parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end" class="quiet">{2.0**power:g}</text>')
        for power in range(math.floor(math.log2(self.most)) + 1):
            at = self.x(2**power)
            parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{self.top}" y2="{bottom}" class="grid"/>')
            parts.append(f'<text x="{at:.1f}" y="{bottom + 17}" text-anchor="middle" class="quiet">{2**power}</text>')
        parts.append(
            f'<text x="{(LEFT + right) / 2}" y="{bottom + 34}" text-anchor="middle" class="quiet">threads</text>')
        middle = self.top + PLOT_HEIGHT / 2
        parts.append(
            f'<text x="14" y="{middle}" text-anchor="middle" class="quiet" transform="rotate(-90 14 {middle})">'
            "times as fast as one thread</text>")
        return parts

    def curve(self, name, curve, colour, dashes):
        points = [(self.x(threads), self.y(curve[threads])) for threads in sorted(curve)]
        tooltip = name + ": " + ", ".join(f"{threads} threads ×{curve[threads]:.3g}" for threads in sorted(curve))
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        return [
            f'<g><title>{escape(tooltip)}</title><polyline points="{line}" fill="none" stroke-width="2"{dash} '
            f'class="c{colour}"/>',
            *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" class="d{colour}"/>' for x, y in points[1:]), "</g>"]

    def labels(self, labels):
        """A label beside the end of each curve, or as near as the others let it be, with a line from the end."""
        parts, right = [], WIDTH - RIGHT
        labels = sorted(labels, key=lambda label: label[0])
        places = spread([end for end, *_ in labels], LABEL_GAP, self.top, self.top + PLOT_HEIGHT)
        for (end, text, stroke, fill), place in zip(labels, places):
            parts.append(
                f'<polyline points="{right + 5},{end:.1f} {right + LEADER - 4},{place:.1f} '
                f'{right + LEADER},{place:.1f}" fill="none" stroke-opacity="0.6" class="{stroke}"/>')
            parts.append(
                f'<text x="{right + LEADER + 4}" y="{place + 4:.1f}" font-size="{LABEL_SIZE}" class="{fill}">'
                f"{escape(text)}</text>")
        return parts


def spread(wanted, gap, low, high):
    """Places between `low` and `high`, at least `gap` apart, as near to the wanted ones as can be. `wanted` rises."""
    # Without the gaps, places may be equal but not fall: neighbours that would fall have their mean.
    pools = []
    for index, place in enumerate(wanted):
        pools.append((place - index * gap, 1))
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            (total, count), (more, further) = pools[-2:]
            pools[-2:] = [(total + more, count + further)]
    last = high - (len(wanted) - 1) * gap
    places = [max(min(total / count, last), low) for total, count in pools for _ in range(count)]
    return [place + index * gap for index, place in enumerate(places)]
