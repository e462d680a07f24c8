"""The figures' one style: colors that differ for every eye, words that can be read."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text

import gdcourse as gd
from gdcourse import plotting
from gdcourse.plotting import (
    COLORS,
    TEXT_SHADES,
    draw_contours,
    draw_function,
    draw_squares,
    draw_steps,
    label_line,
    new_figure,
)

SHEET = (Path(__file__).parents[2] / "_static" / "figures.css").read_text(encoding="utf-8")
DARK = dict(re.findall(r"--gd-(\w+): (#[0-9a-f]{6});", SHEET))
GROUND = {"light": "#ffffff", "dark": "#15181c"}
SHADES = {"light": COLORS, "dark": DARK}
WORDS = {"light": COLORS | TEXT_SHADES, "dark": DARK}
EVERY_MODE = pytest.mark.parametrize("mode", SHADES)

# G. Machado, M. Oliveira, L. Fernandes, A physiologically-based model for simulation of color
# vision deficiency, 2009: the whole deficiency, on linear RGB.
EYES = {
    "most": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
# IEC 61966-2-1, sRGB to CIE XYZ.
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def linear(color):
    """Return the linear RGB values of a color such as #0072b2."""
    values = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """Return the CIE Lab coordinates of linear RGB values, for the white of sRGB."""
    ratio = XYZ @ np.clip(rgb, 0, 1) / XYZ.sum(axis=1)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one, two):
    """Return the contrast ratio of the Web Content Accessibility Guidelines, from 1 to 21."""
    dark, light = sorted(float(XYZ[1] @ linear(color)) for color in (one, two))
    return (light + 0.05) / (dark + 0.05)


def test_the_measures_themselves():
    assert contrast("#000000", "#ffffff") == pytest.approx(21, rel=1e-6)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    np.testing.assert_allclose(lab(linear("#ffffff")), [100, 0, 0], atol=1e-6)
    np.testing.assert_allclose(lab(linear("#ff0000")), [53.24, 80.09, 67.20], atol=0.01)
    for matrix in EYES.values():  # grey stays grey
        np.testing.assert_allclose(matrix @ np.ones(3), 1, atol=2e-6)
    # Red and green of one lightness, which most eyes tell apart: nearer for the others.
    red, green = linear("#c04040"), linear("#408040")
    apart = {eye: np.linalg.norm(lab(M @ red) - lab(M @ green)) for eye, M in EYES.items()}
    assert apart["most"] > 80 > 40 > max(apart["protanopia"], apart["deuteranopia"])


def test_both_modes_have_a_shade_for_every_meaning():
    assert set(DARK) == set(COLORS)
    assert set(TEXT_SHADES) <= set(COLORS)
    assert len({*COLORS.values(), *TEXT_SHADES.values()}) == len(COLORS) + len(TEXT_SHADES)
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in [*WORDS["light"].values()])


@EVERY_MODE
@pytest.mark.parametrize("eye", EYES)
def test_colors_differ_for_every_eye(mode, eye):
    """By 14 units of CIE Lab at least, of which about 2 can just be seen; the grid stays behind."""
    shades = {name: lab(EYES[eye] @ linear(color)) for name, color in SHADES[mode].items()}
    del shades["grid"]
    apart = {
        (a, b): float(np.linalg.norm(shades[a] - shades[b]))
        for a, b in itertools.combinations(shades, 2)
    }
    near = {pair: round(distance, 1) for pair, distance in apart.items() if distance < 14}
    assert not near


@EVERY_MODE
@pytest.mark.parametrize("meaning", sorted(set(COLORS) - {"grid"}))
def test_words_have_the_contrast_that_is_asked_of_text(mode, meaning):
    assert contrast(WORDS[mode][meaning], GROUND[mode]) >= 4.5


@EVERY_MODE
@pytest.mark.parametrize("meaning", sorted(set(COLORS) - {"grid"}))
def test_lines_have_the_contrast_that_is_asked_of_graphics(mode, meaning):
    assert contrast(SHADES[mode][meaning], GROUND[mode]) >= 3


@EVERY_MODE
def test_grid_is_fainter_than_all_else(mode):
    ratios = {name: contrast(color, GROUND[mode]) for name, color in SHADES[mode].items()}
    assert min(ratios, key=ratios.get) == "grid"


def test_no_text_below_nine_points():
    sizes = {key: value for key, value in plotting._STYLE.items() if key.endswith("size")}
    del sizes["figure.figsize"]
    assert set(sizes) >= {"font.size", "axes.labelsize", "xtick.labelsize", "legend.fontsize"}
    assert min(sizes.values()) >= 9


def test_figure_in_the_style_and_no_other_figure_after_it():
    figure, axes = new_figure(4.0, 2.5)
    axes.plot([0, 1], [0, 1], label="line")
    axes.set(xlabel="x", ylabel="y", title="title")
    axes.legend()
    axes.text(0, 0, "here")
    assert not plt.get_fignums()  # closed, or a notebook would show it twice
    assert figure.get_size_inches().tolist() == [4.0, 2.5]
    figure.draw_without_rendering()
    sizes = {text.get_text(): text.get_fontsize() for text in figure.findobj(Text)}
    assert set(sizes) >= {"x", "y", "title", "line", "here", "0.0"}
    assert min(sizes.values()) >= 9
    assert figure.get_facecolor()[3] == 0  # the page's own ground shows
    lines = {side: spine.get_visible() for side, spine in axes.spines.items()}
    assert lines == {"left": True, "bottom": True, "top": False, "right": False}
    assert all(line.get_visible() for line in axes.get_xgridlines())
    assert not axes.legend_.get_frame_on()
    # Also what is made later is drawn in ink, which the dark mode turns light.
    colors = {text.get_color() for text in figure.findobj(Text)}
    assert colors == {COLORS["ink"]}


def test_panels():
    _, axes = new_figure(rows=2, columns=1, sharex=True)
    assert axes.shape == (2,)
    assert axes[0].get_shared_x_axes().joined(*axes)


@pytest.mark.parametrize("meaning", ["ink", *TEXT_SHADES, "descent"])
def test_label_has_the_shade_for_words(meaning):
    _, axes = new_figure()
    label_line(axes, 1.0, 2.0, "said", meaning, xytext=(3, -9), ha="right")
    (label,) = axes.texts
    assert label.get_text() == "said"
    assert label.get_color() == TEXT_SHADES.get(meaning, COLORS[meaning])
    assert label.xy == (1, 2)
    assert label.xyann == (3, -9)
    assert label.get_ha() == "right"


def test_drawings():
    _, axes = new_figure()
    draw_function(axes, lambda x: x**2, -1, 3, label="square")
    draw_steps(axes, [3, 1, 0], [9, 1, 0], label="run", color="momentum", marker="s", zorder=4)
    curve, run = axes.lines
    assert curve.get_label() == "square"
    assert curve.get_color() == COLORS["function"]
    assert (curve.get_xdata()[0], curve.get_xdata()[-1]) == (-1, 3)
    np.testing.assert_allclose(curve.get_ydata(), curve.get_xdata() ** 2)
    assert run.get_xydata().tolist() == [[3, 9], [1, 1], [0, 0]]
    assert (run.get_marker(), run.get_color(), run.get_label()) == ("s", COLORS["momentum"], "run")
    assert run.get_zorder() == 4


@pytest.mark.parametrize("objective", [gd.himmelblau(), gd.quadratic([1.0, 4.0])], ids=repr)
def test_contours(objective):
    """Level lines of the very function, on axes of one scale."""
    _, axes = new_figure()
    draw_contours(axes, objective.f, (-2, 3), (-1, 1), levels=[2.0, 5.0], points=81)
    (drawn,) = axes.collections
    assert drawn.levels.tolist() == [2, 5]
    for level, path in zip(drawn.levels, drawn.get_paths(), strict=True):
        ends = path.vertices
        np.testing.assert_allclose([objective.f(point) for point in ends], level, rtol=0.05)
    assert (axes.get_xlim(), axes.get_ylim()) == ((-2, 3), (-1, 1))
    assert axes.get_aspect() == 1
    assert not any(line.get_visible() for line in axes.get_xgridlines())
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$x_1$", "$x_2$")


def test_squares():
    """Areas as the sizes, positions as in the matrix, and the sign by being filled or not."""
    _, axes = new_figure()
    draw_squares(axes, np.array([[4.0, -1.0, 0.0], [0.0, 0.0, 4.0]]), "numbers")
    filled, outlined = axes.patches
    found = []
    for patch in (filled, outlined):
        for corners in patch.get_path().vertices.reshape(-1, 5, 2):
            low, high = corners.min(axis=0), corners.max(axis=0)
            found.append(((low + high) / 2, np.prod(high - low), patch is filled))
    cell = 0.96**2
    expected = [((0, 0), cell, True), ((2, 1), cell, True), ((1, 0), cell / 4, False)]
    for (center, area, full), (place, size, sign) in zip(found, expected, strict=True):
        assert center == pytest.approx(place)
        assert (area, full) == (pytest.approx(size), sign)
    assert filled.get_facecolor()[3] == 1
    assert outlined.get_facecolor()[3] == 0
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first row is at the top
    label, values = axes.matrix
    assert (label, values.shape) == ("numbers", (2, 3))
