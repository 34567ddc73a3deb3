"""Draw what `python -m benchmarks --only-ocsp` printed: `python -m benchmarks.plot IN OUT.svg`.

Bars of answers a second, readable without colour: each has its words and its number.
"""

import re
import sys
from html import escape
from pathlib import Path

_ROW = re.compile(r"^  (\S.{0,43}?)\s+([\d.]+)\s+(\d+)\s+([\d.]+)\s+([\d.]+)$")
WIDTH, LEFT, ROW = 760, 300, 34


def rows(printed: str) -> list[tuple[str, float]]:
    """Return what the table has: words, and answers a second."""
    matches = (_ROW.match(line) for line in printed.splitlines())
    return [(match[1], float(match[3])) for match in matches if match]


def drawn(figures: list[tuple[str, float]]) -> str:
    """Return them as SVG."""
    most = max(rate for _, rate in figures)
    height = ROW * (len(figures) + 1)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        ' font-family="sans-serif" font-size="13"><title>OCSP answers a second</title>'
    )
    parts = [
        head,
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for number, (words, rate) in enumerate(figures):
        top = ROW * number + ROW // 2
        length = (WIDTH - LEFT - 80) * rate / most
        fill = "#9ca3af" if words.startswith("anchor") else "#2563eb"
        parts.append(
            f'<text x="{LEFT - 10}" y="{top + 15}" text-anchor="end" fill="#111">'
            f"{escape(words)}</text>"
            f'<rect x="{LEFT}" y="{top}" width="{length:.0f}" height="22" fill="{fill}"/>'
            f'<text x="{LEFT + length + 8:.0f}" y="{top + 15}" fill="#111">{rate:,.0f}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def main() -> int:
    """Read what was printed, and draw it."""
    source, target = sys.argv[1:]
    Path(target).write_text(drawn(rows(Path(source).read_text())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
