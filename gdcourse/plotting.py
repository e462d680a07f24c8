"""The one style of the figures, and the few drawings that chapters share.

A color has one meaning through the whole book (:data:`COLORS`), and never stands alone: a
marker or a dash goes with it. Figures are drawn narrow, 5 inches, so that their text is still
readable on a phone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

#: By meaning: Okabe and Ito's palette, safe for the color-blind, with its pale shades darkened
#: until they stand out from white, and a violet. On the page the names become CSS variables, so
#: that dark mode has its own shades.
COLORS = {
    "ink": "#24292f",  # axes and text
    "function": "#57606a",  # the function itself, and its contours
    "grid": "#d8dee4",
    "descent": "#0072b2",  # gradient descent
    "momentum": "#c27c10",
    "adaptive": "#5a35c8",  # rules with a rate for each parameter, told apart by markers
    "newton": "#bf7aab",
    "search": "#009e73",  # a rate found by search
    "warning": "#a8350f",  # what goes wrong, edges and thresholds
}

#: Darker shades for words, which need more contrast to their ground than lines do. In dark mode
#: words and lines have the same shade.
TEXT_SHADES = {
    "momentum": "#8f6200",
    "newton": "#a23b7a",
    "search": "#007a5a",
}

#: Parts of a landscape, such as the valleys in which runs end, by color and marker: no methods,
#: so here the shades mean nothing but "another part". None of them is the shade of a warning.
REGIONS = (("descent", "o"), ("search", "s"), ("momentum", "^"), ("newton", "D"))

_STYLE = {
    "figure.figsize": (5.0, 3.2),
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": COLORS["ink"],
    "axes.labelcolor": COLORS["ink"],
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": COLORS["grid"],
    "grid.linewidth": 0.6,
    "text.color": COLORS["ink"],
    "xtick.color": COLORS["ink"],
    "ytick.color": COLORS["ink"],
    "xtick.minor.visible": False,
    "ytick.minor.visible": False,
    "font.size": 10.5,
    "axes.labelsize": 10.5,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "legend.frameon": False,
}


def new_figure(
    width: float = 5.0, height: float = 3.2, *, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, Any]:
    """Return a figure in the style of the course, and its axes; the style stays in force.

    Parameters
    ----------
    width, height : float
        Size in inches. More than 5 inches of width is unreadable on a phone: stack panels in
        rows rather than columns.
    rows, columns : int
        Panels.
    **options
        Passed to :func:`matplotlib.pyplot.subplots`.

    Returns
    -------
    (Figure, Axes or array of Axes)
    """
    # For good, and not for this call alone: ticks, legends and texts are made later.
    mpl.rcParams.update(_STYLE)
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), **options)
    plt.close(figure)  # shown by page.show_figure, and not once more when the cell ends
    return figure, axes


def label_line(
    axes: Axes, x: float, y: float, text: str, color: str = "ink", **options: Any
) -> None:
    """Write a label beside what it belongs to, in the color of that meaning."""
    placed: dict[str, Any] = {"xytext": (6, 4), "textcoords": "offset points", "fontsize": 10}
    axes.annotate(text, (x, y), color=(COLORS | TEXT_SHADES)[color], **(placed | options))


def draw_function(
    axes: Axes, f: Callable[[Any], Any], low: float, high: float, label: str = "f(x)"
) -> None:
    """Draw a function of one variable between two points."""
    x = np.linspace(low, high, 121)
    axes.plot(x, [float(f(value)) for value in x], color=COLORS["function"], label=label)


def draw_steps(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[float],
    *,
    label: str,
    color: str = "descent",
    marker: str = "o",
    **options: Any,
) -> None:
    """Draw the points a run passed, in their order, joined by a thin line."""
    axes.plot(
        x, y, marker=marker, color=COLORS[color], label=label, **({"linewidth": 1.0} | options)
    )


def draw_contours(
    axes: Axes,
    f: Callable[[Any], Any],
    x: tuple[float, float],
    y: tuple[float, float],
    levels: Sequence[float] | int = 8,
    *,
    points: int = 121,
) -> None:
    """Draw thin level lines of a function of two variables, and make both axes equal.

    Parameters
    ----------
    axes : Axes
    f : callable
        Takes an array of shape (2, rows, columns).
    x, y : (float, float)
        What to show.
    levels : sequence of float, or int
        The levels, or how many.
    points : int
        Grid points along each axis.
    """
    grid = np.stack(np.meshgrid(np.linspace(*x, points), np.linspace(*y, points)))
    axes.contour(
        grid[0],
        grid[1],
        f(grid),
        levels=levels,
        colors=COLORS["function"],
        linewidths=0.7,
        alpha=0.7,
    )
    axes.set(xlim=x, ylim=y, xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    axes.grid(visible=False)


def draw_squares(axes: Axes, values: Any, label: str) -> None:
    """Draw a matrix as squares, their area in proportion to the size of each number.

    The largest in size fills its cell. Positive numbers are filled squares and negative ones
    outlines, so that the picture reads the same in gray and in dark mode.

    Parameters
    ----------
    axes : Axes
    values : array of floats, shape (rows, columns)
        The first row is drawn at the top.
    label : str
        Name of the matrix in the table behind the figure.
    """
    values = np.asarray(values, dtype=np.float64)
    largest = np.max(np.abs(values))
    rows, columns = values.shape
    corners = 0.48 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]])
    for shown, filled in ((values > 0, True), (values < 0, False)):
        places = np.argwhere(shown)
        if len(places):
            sides = np.sqrt(np.abs(values[shown]) / largest)
            squares = places[:, None, ::-1] + sides[:, None, None] * corners
            codes = np.tile([Path.MOVETO, *3 * [Path.LINETO], Path.CLOSEPOLY], len(places))
            color = COLORS["ink" if filled else "function"]
            axes.add_patch(
                PathPatch(
                    Path(squares.reshape(-1, 2), codes),
                    facecolor=color if filled else "none",
                    edgecolor="none" if filled else color,
                    linewidth=0.8,
                )
            )
    axes.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6), aspect="equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    # What the table behind the figure shows in place of the corners of all squares.
    axes.matrix = (label, values)  # type: ignore[attr-defined]
