"""What a chapter shows: the tested source, numbers for the text, and figures.

Each function works the same in the built page, where Sphinx reads what it displays, and in a
live notebook. What a figure draws is kept as data beside the picture: the data are compared when
the notebook is run again, and fill the table behind the figure.
"""

from __future__ import annotations

import ast
import html
import inspect
import io
import json
import re
import textwrap
from typing import Any

import numpy as np

#: The MIME type under which a figure's data are stored in a notebook: JSON, as one string, since
#: a notebook would spread the numbers of a type that ends in "+json" over a line each.
FIGURE_DATA = "application/vnd.gdcourse.figure"

_TABLE_ROWS = 9
_TABLE_WHOLE = 14
# What matplotlib is told by name, and a table shows as a letter.
_LETTERS = {
    "alpha": "α",
    "beta": "β",
    "eta": "η",
    "lambda": "λ",
    "mu": "μ",
    "star": "⋆",
    "theta": "θ",
}


class _Bundle:
    """Something to display, in several forms of which the reader's program takes one."""

    def __init__(self, data: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        self._data, self._metadata = data, metadata or {}

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return self._data, self._metadata


def show_source(thing: Any, *, docstring: bool = False) -> _Bundle:
    """Return the source of a function, a method or a class of the package, to be displayed.

    Types are left out of a function's first line: they are for tools, and too wide for a page.
    The lines below it are those of the file.

    Parameters
    ----------
    thing : function, method or class
        What to show: the very code that the tests run.
    docstring : bool, default False
        Whether to show a function's docstring too.

    Returns
    -------
    object
        Highlighted source in the page and in a notebook, when it is a cell's last expression.
    """
    source = textwrap.dedent(inspect.getsource(thing)).rstrip()
    if inspect.isfunction(thing):
        (definition,) = ast.parse(source).body
        assert isinstance(definition, ast.FunctionDef)
        first = definition.body[0]
        start = first.lineno - 1
        if ast.get_docstring(definition) and not docstring:
            start = first.end_lineno or start
        names = inspect.signature(thing)
        names = names.replace(
            parameters=[p.replace(annotation=p.empty) for p in names.parameters.values()],
            return_annotation=names.empty,
        )
        below = "\n".join(source.splitlines()[start:]).lstrip("\n")
        source = f"def {thing.__name__}{names}:\n{below}"
    fenced = f"```python\n{source}\n```"
    return _Bundle({"text/markdown": fenced, "text/plain": source})


def glue(name: str, value: Any, form: str = ".4g") -> None:
    """Store a value under a name, for ``{glue:text}`` in the text of the page.

    Parameters
    ----------
    name : str
        Name in the text, unique in the book: it starts with the chapter's short name.
    value : str, int or float
        What the text shows.
    form : str, default ".4g"
        Format of a number, as in f-strings. The page gets a real minus sign, and a power of
        ten in place of an ``e``.
    """
    from IPython.display import display

    if isinstance(value, bool) or not isinstance(value, (str, int, float, np.number)):
        raise TypeError(
            f"glue: value must be a string or a number, got {value!r} of type "
            f"{type(value).__name__}."
        )
    text = value if isinstance(value, str) else _typeset(format(value, form))
    # The type and the metadata are those of myst_nb.glue, which needs Sphinx to import.
    prefix = "application/papermill.record/"
    display(
        {prefix + "text/plain": repr(text)},  # quoted, or "1,000" is read as a pair of numbers
        raw=True,
        metadata={"scrapbook": {"name": name, "mime_prefix": prefix}},
    )


def _typeset(number: str) -> str:
    """Return a formatted number as a book prints it: −1.5, and 8.6 · 10⁻⁹ for 8.6e-09."""
    number = number.replace("-", "\N{MINUS SIGN}").replace(",", "\N{NARROW NO-BREAK SPACE}")
    mantissa, _, exponent = number.partition("e")
    if not exponent:
        return mantissa
    power = str(int(exponent.replace("\N{MINUS SIGN}", "-")))
    raised = power.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}10{raised}"


def show_figure(figure: Any, name: str, alt: str) -> _Bundle:
    """Return a figure to be displayed: drawing, description and the table behind it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to show; from :func:`gdcourse.plotting.new_figure`. Every drawn thing with a
        ``label`` gets columns in the table.
    name : str
        Lower-case words joined by hyphens, unique in the book.
    alt : str
        What a sighted reader learns from the figure, in one or two sentences.

    Returns
    -------
    object
        Displayed when it is a cell's last expression.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(
            f"show_figure: name must be lower-case words joined by hyphens, got {name!r}."
        )
    words = len(alt.split())
    if words < 8:
        raise ValueError(
            f"show_figure: alt must say what a sighted reader learns from the figure, in at "
            f"least eight words, got {words}: {alt!r}."
        )
    data = {"name": name, "alt": alt, "axes": [_axes_data(axes) for axes in figure.axes]}
    page = (
        f'<figure class="gd-figure" id="figure-{name}">\n{_svg(figure, name, alt)}\n'
        f"{_table(data)}</figure>"
    )
    return _Bundle(
        {FIGURE_DATA: json.dumps(data), "text/html": page, "text/plain": f"Figure {name}: {alt}"}
    )


def _svg(figure: Any, name: str, alt: str) -> str:
    """Return the drawing as one <svg> element whose colors follow the page's."""
    import matplotlib as mpl

    from gdcourse.plotting import COLORS, TEXT_SHADES

    buffer = io.StringIO()
    # The same figure gives the same text, and looks the same where a font is missing.
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].rstrip()
    # A style element inside the page would apply to the whole page.
    svg = re.sub(r"<(metadata|style)\b.*?</\1>\s*", "", svg, flags=re.DOTALL)
    # Hundredths of a point are enough, and save a third; the glyphs' scale needs its digits.
    svg = re.sub(r"(?<!scale\()(?<![\d.])(\d+\.\d\d)\d+", r"\1", svg)
    # Marks of one series have one style: say it once.
    svg = re.sub(
        r'<g (clip-path="[^"]*")>\s*((?:<use [^>]* (style="[^"]*")/>\s*)+)</g>',
        lambda group: (
            f"<g {group[1]} {group[3]}>{group[2].replace(' ' + group[3], '')}</g>"
            if group[2].count("<use ") == group[2].count(group[3])
            else group[0]
        ),
        svg,
    )
    svg = svg.replace("xlink:href=", "href=")
    # Several figures share a page: their ids must differ.
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'(href="#|url\(#)([^")]+)', rf"\1{name}-\2", svg)
    for meaning, color in [*COLORS.items(), *TEXT_SHADES.items()]:
        svg = svg.replace(color, f"var(--gd-{meaning}, {color})")
    width, height = (round(72 * inches) for inches in figure.get_size_inches())
    label = html.escape(alt, quote=True)
    head = (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {width} {height}" '
        f'stroke-linejoin="round" '
        f'xmlns="http://www.w3.org/2000/svg">'
    )
    return re.sub(r"<svg[^>]*>", lambda _: head, svg, count=1)


def _round(values: Any) -> list[float | None]:
    """Return numbers with six significant digits; None for what is not finite."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    return [float(f"{v:.6g}") if np.isfinite(v) else None for v in flat]


def _axes_data(axes: Any) -> dict[str, Any]:
    """Return what is drawn on one pair of axes, as numbers and words."""
    from matplotlib.collections import PathCollection
    from matplotlib.contour import ContourSet
    from matplotlib.ticker import FuncFormatter

    series: list[dict[str, Any]] = []

    def add(kind: str, artist: Any, **columns: Any) -> None:
        label = str(artist.get_label())
        series.append(
            {"kind": kind, "label": "" if label.startswith("_") else label}
            | {key: _round(column) for key, column in columns.items()}
        )

    for line in axes.lines:
        drawn = np.column_stack([line.get_xdata(), line.get_ydata()])
        if line.get_transform() != axes.transData:  # a line from edge to edge: where it ends
            drawn = axes.transData.inverted().transform(line.get_transform().transform(drawn))
        add("line", line, x=drawn[:, 0], y=drawn[:, 1])
    for artist in axes.collections:
        if isinstance(artist, ContourSet):
            lengths, centers = zip(*(_summary(path) for path in artist.get_paths()), strict=True)
            add("contours", artist, level=artist.levels, length=lengths, center=centers)
        elif isinstance(artist, PathCollection):
            offsets = np.asarray(artist.get_offsets())
            add("points", artist, x=offsets[:, 0], y=offsets[:, 1])
        else:
            corners = np.concatenate([path.vertices for path in artist.get_paths()])
            band = _band(corners)
            if band is None:
                add("area", artist, x=corners[:, 0], y=corners[:, 1])
            else:
                add("band", artist, **band)
    if hasattr(axes, "matrix"):  # its numbers say more than the corners of its squares
        label, values = axes.matrix
        series.append({"kind": "matrix", "label": label, "rows": [_round(row) for row in values]})
    else:
        for patch in axes.patches:
            corners = patch.get_path().transformed(patch.get_patch_transform()).vertices
            add("patch", patch, x=corners[:, 0], y=corners[:, 1])
    named = {}
    for key, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        write = axis.get_major_formatter()
        # What set_xticks with labels makes; beside a logarithmic axis these are numbers still.
        if isinstance(write, FuncFormatter) and axis.get_scale() == "linear":
            at = axis.get_majorticklocs()
            words = [_plain(word) for word in write.format_ticks(at)]
            named[key] = {f"{v:g}": word for v, word in zip(_round(at), words, strict=True)}
    # Of panels that share an axis only one has its name.
    shared = axes.get_shared_x_axes().get_siblings(axes)
    return {
        "xlabel": next(filter(None, (one.get_xlabel() for one in [axes, *shared])), ""),
        "ylabel": axes.get_ylabel(),
        "scales": [axes.get_xscale(), axes.get_yscale()],
        "limits": [_round(axes.get_xlim()), _round(axes.get_ylim())],
        "texts": [text.get_text() for text in axes.texts],
        "series": series,
    } | ({"named": named} if named else {})


def _band(corners: Any) -> dict[str, Any] | None:
    """Return what fill_between drew as x, low and high; None for an outline of another shape."""
    # There and back: each side has a corner before it, and the last corner is the first.
    count = (len(corners) - 3) // 2
    there, back = corners[1 : count + 1], corners[count + 2 : 2 * count + 2][::-1]
    if len(corners) != 2 * count + 3 or not np.array_equal(there[:, 0], back[:, 0]):
        return None
    ends = there[:, 1], back[:, 1]
    return {"x": there[:, 0], "low": np.minimum(*ends), "high": np.maximum(*ends)}


def _summary(path: Any) -> tuple[float, float]:
    """Return length and mean coordinate of a level line: they do not depend on its pieces."""
    # Not to_polygons: it drops points nearer than a ninth, which is meant for pixels.
    ends = path.vertices
    drawn = slice(None) if path.codes is None else path.codes[1:] != path.MOVETO
    lengths = np.linalg.norm(np.diff(ends, axis=0), axis=1)[drawn]
    middles = ((ends[1:] + ends[:-1]).mean(axis=1) / 2)[drawn]
    length = float(lengths.sum())
    return length, float(lengths @ middles) / length if length else 0.0


def _table(data: dict[str, Any]) -> str:
    """Return the numbers of a figure's labelled series as folded HTML tables."""
    tables = []
    for axes in data["axes"]:
        tables += [_matrix_table(one) for one in axes["series"] if one["kind"] == "matrix"]
        # What has names in place of heights is read by name: there x and y are exchanged.
        lying = _turned(axes, "xlabel", "ylabel") | {"scales": axes["scales"][::-1]}
        lying["named"] = _turned(axes.get("named", {}), "x", "y")
        groups: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
        for series in axes["series"]:
            if series["label"] and "x" in series:  # level lines have no columns of points
                drawn = axes, series
                if _named(series.get("y", []), lying["named"].get("x", {})):
                    drawn = lying, _turned(series, "x", "y")
                key = json.dumps([drawn[0] is lying, drawn[1]["x"]])
                groups.setdefault(key, (drawn[0], []))[1].append(drawn[1])
        tables += [_group_table(*group) for group in groups.values()]
    if not tables:
        raise ValueError(
            f"show_figure: figure {data['name']!r} draws nothing with a label; give what it "
            f"shows a label=..., it names the column of the table behind the figure."
        )
    name = data["name"]
    return (
        f'<details class="gd-data"><summary>Numbers behind this figure</summary>\n'
        f'<div class="gd-table" tabindex="0" role="group" aria-label="Numbers of figure {name}">'
        f"\n{''.join(tables)}</div></details>\n"
    )


def _group_table(axes: dict[str, Any], group: list[dict[str, Any]]) -> str:
    """Return one table: a column for x, and one for each series that shares it."""
    across, up = (_plain(axes[key]) or key[0] for key in ("xlabel", "ylabel"))
    linear = [scale == "linear" for scale in axes["scales"]]
    drawn: list[tuple[str, list[float | None]]] = []
    for series in group:
        label = _plain(series["label"])
        if series["kind"] == "band":
            drawn += [(f"{label}, from", series["low"]), (f"{label}, to", series["high"])]
        else:
            drawn.append((label, series["y"]))
    # What stands in the caption need not stand over a column: the axis where there are several
    # columns, the series where there is one.
    alone = len(drawn) == 1
    heads = [across, *([up] if alone else [label for label, _ in drawn])]
    title = drawn[0][0] if alone else _plain(axes["ylabel"])
    named = _named(group[0]["x"], axes.get("named", {}).get("x", {}))
    columns = [named or _cells(group[0]["x"], linear[0])]
    columns += [_cells(values, linear[1]) for _, values in drawn]
    count = len(columns[0])
    rows = sorted({round(i * (count - 1) / (_TABLE_ROWS - 1)) for i in range(_TABLE_ROWS)})
    # Between two named things there is nothing to guess, so none of them is left out.
    rows = list(range(count)) if named or count <= _TABLE_WHOLE else rows
    head = "".join(f'<th scope="col">{html.escape(label)}</th>' for label in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{cells[row]}</td>" for cells in columns) + "</tr>\n" for row in rows
    )
    shown = f"{len(rows)} of {count} points" if count > len(rows) else ""
    caption = html.escape(": ".join(filter(None, (title, shown))))
    caption = f"<caption>{caption}</caption>" if caption else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>\n"


def _matrix_table(series: dict[str, Any]) -> str:
    """Return a matrix as a table, row by row."""
    body = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in _cells(row, True)) + "</tr>\n"
        for row in series["rows"]
    )
    caption = html.escape(_plain(series["label"]))
    return f"<table><caption>{caption}</caption><tbody>{body}</tbody></table>\n"


def _turned(entries: dict[str, Any], one: str, other: str) -> dict[str, Any]:
    """Return the entries with those of two keys exchanged."""
    exchanged = {one: other, other: one}
    return {exchanged.get(key, key): value for key, value in entries.items()}


def _named(values: list[float | None], names: dict[str, str]) -> list[str]:
    """Return what the axis writes in place of the numbers; nothing if one has no name.

    >>> _named([0.0, 2.0], {"0": "Adam", "2": "Lion"}), _named([0.0, 1.0], {"0": "Adam"})
    (['Adam', 'Lion'], [])
    """
    told = [names.get(f"{v:g}") if v is not None else None for v in values]
    return [html.escape(name) for name in told if name is not None] if all(told) else []


def _cells(values: list[float | None], linear: bool) -> list[str]:
    """Return the numbers of a column in words; what is rounding on a linear axis is 0."""
    largest = max((abs(v) for v in values if v is not None), default=0.0)
    least = 1e-9 * largest if linear else 0.0
    return [
        "not finite" if v is None else _typeset(f"{v if abs(v) > least else 0.0:.4g}")
        for v in values
    ]


def _plain(label: str) -> str:
    """Return a label without the marks of matplotlib's mathematics, its letters as letters."""
    named = re.sub(r"\\([a-z]+)", lambda name: _LETTERS.get(name[1], name[1]), label)
    return re.sub(r"[${}]", "", named)
