"""What the HTML pages share: the template environment, the style sheet and how values are written for people.

Pages are self-contained: no script, no font, no image from elsewhere; every text is escaped unless it is markup.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lode.progress import size

if TYPE_CHECKING:
    import jinja2

_CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(0x20), 0x7F) if code not in (0x09, 0x0A)}
_HALF_WIDTH = 46  # of the deviation bar, pixels at one and a half tolerances


def render(room: str, template: str, **values: Any) -> bytes:
    """Return the page that `template` of the room (`testing`, `describing`) makes of `values`, UTF-8."""
    text = _environment(room).get_template(template).render(**values)
    return text.encode("utf-8", "replace")


def seconds(value: float) -> str:
    """Return a duration as people read it: `85 ms`, `12.4 s`, `3 min 05 s`, `2 h 10 min`."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def number(value: float | None) -> str:
    """Return a physics number with up to seven digits, a dash when there is none."""
    return "–" if value is None else f"{value:.7g}"


def deviation(value: float | None) -> str:
    """Return a deviation in units of the tolerance: `+0.31`, `0`, `-∞`; a dash when there is none."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "+∞" if value > 0 else "−∞"
    return "0" if value == 0 else f"{value:+.2g}".replace("-", "−")


def offset(value: float) -> float:
    """Return where a deviation lies on its bar, in pixels from the middle; what is off the scale lies at its end."""
    return round(max(-1.5, min(1.5, value)) / 1.5 * _HALF_WIDTH, 1)


def link(address: str) -> str:
    """Return `address` when a browser may follow it; an empty link for any scheme but http and https."""
    return address if address.startswith(("https://", "http://")) else ""


def printable(text: str) -> str:
    """Return `text` without the control characters that HTML and XML forbid; line ends and tabs are kept."""
    replaced = text.replace("\r\n", "\n").translate(_CONTROLS)
    return replaced.encode("utf-8", "replace").decode().translate({0xFFFE: "?", 0xFFFF: "?"})


def _environment(room: str) -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(f"lode.{name}", "templates") for name in dict.fromkeys((room, "testing"))]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters.update(
        seconds=seconds, size=size, number=number, deviation=deviation, offset=offset, printable=printable, link=link
    )
    return environment
