"""What a chapter shows: source, numbers for the text, and figures with the data they draw."""

from __future__ import annotations

import ast
import inspect
import json
import math
import re
import textwrap
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import gdcourse as gd
from gdcourse import page
from gdcourse.plotting import COLORS, TEXT_SHADES, draw_squares, label_line, new_figure

ALT = "A line that rises from one to three, and says so in words."


def bundle(shown):
    """Return what is displayed, by type."""
    data, metadata = shown._repr_mimebundle_()
    assert metadata == {}
    return data


def shown(draw, name="test-figure", alt=ALT, **options):
    """Draw on the axes of a new figure, and return what is displayed of it."""
    figure, axes = new_figure(**options)
    draw(axes)
    return bundle(page.show_figure(figure, name, alt))


def series(draw):
    """Return the data of what is drawn on one pair of axes, beside one labelled line."""
    figure, axes = new_figure()
    draw(axes)
    axes.plot([0, 1], [0, 1], label="labelled")
    data = json.loads(bundle(page.show_figure(figure, "test", ALT))[page.FIGURE_DATA])
    (axes,) = data["axes"]
    return axes["series"]


def plain(axes):
    """Draw one labelled line."""
    axes.plot([1.0, 2.0], [1.0, 3.0], label="rising")
    axes.set(xlabel="$x$: where", ylabel="$f(x)$")


# ---------------------------------------------------------------- source


def sample(x: float, *, h: float | None = None) -> float:
    """Return x, or x + h.

    >>> sample(1.0)
    1.0
    """
    # No h, no sum.
    shift: float = 0.0 if h is None else h
    return x + shift


def test_source_of_a_function_has_no_types_in_its_first_line_and_no_docstring():
    source = bundle(page.show_source(sample))["text/plain"]
    assert source == (
        "def sample(x, *, h=None):\n"
        "    # No h, no sum.\n"
        "    shift: float = 0.0 if h is None else h\n"
        "    return x + shift"
    )
    source = bundle(page.show_source(sample, docstring=True))["text/plain"]
    assert source.splitlines()[:4] == [
        "def sample(x, *, h=None):",
        '    """Return x, or x + h.',
        "",
        "    >>> sample(1.0)",
    ]


def tree(source, docstring):
    """Return what a source says, but for the types in the first line of a function."""
    (node,) = ast.parse(textwrap.dedent(source)).body
    if isinstance(node, ast.FunctionDef):
        node.returns = None
        for argument in [*node.args.args, *node.args.kwonlyargs]:
            argument.annotation = None
        if not docstring:
            del node.body[0]
    return ast.dump(node)


@pytest.mark.parametrize("docstring", [True, False])
@pytest.mark.parametrize("name", [*gd.__all__, "GradientDescent.update", "Adam.init"])
def test_source_of_everything_public_is_the_very_code(name, docstring):
    thing = gd
    for part in name.split("."):
        thing = getattr(thing, part)
    original = inspect.getsource(thing)
    data = bundle(page.show_source(thing, docstring=docstring))
    source = data["text/plain"]
    assert data == {"text/plain": source, "text/markdown": f"```python\n{source}\n```"}
    assert ast.dump(ast.parse(source).body[0]) == tree(original, docstring)
    comments = [line for line in textwrap.dedent(original).splitlines() if re.match(" *#", line)]
    assert set(comments) <= set(source.splitlines())


# ---------------------------------------------------------------- numbers


@pytest.fixture
def glued(monkeypatch):
    """Return the list of what is displayed: data and options of each call."""
    calls = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, **options: calls.append((data, options))
    )
    return calls


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.125, ".4g", "0.125"),
        (-1.5, ".4g", "−1.5"),
        (1 / 3, ".4g", "0.3333"),
        (8.6e-9, ".4g", "8.6\xa0·\xa010⁻⁹"),
        (-8.6e12, ".3g", "−8.6\xa0·\xa010¹²"),
        (1e-4, ".0e", "1\xa0·\xa010⁻⁴"),
        (12345, ",", "12\u202f345"),
        (1234567.8, ",.0f", "1\u202f234\u202f568"),
        (-12345, ",", "−12\u202f345"),
        (3, "d", "3"),
        (0.0, ".4g", "0"),
        (np.float64(2.5), ".4g", "2.5"),
        (np.float32(0.1), ".4g", "0.1"),
        (np.int64(7), "d", "7"),
        (math.inf, ".4g", "inf"),
        (math.nan, ".4g", "nan"),
        ("one-half", ".4g", "one-half"),
        ("it's", ".4g", "it's"),
        ("1,000", ".4g", "1,000"),
    ],
    ids=str,
)
def test_glue(glued, value, form, text):
    """As ``myst_nb.glue`` stores it: quoted, raw, under a type that no page displays."""
    page.glue("1d-number", value, form)
    ((data, options),) = glued
    (mime,) = data
    assert mime == "application/papermill.record/text/plain"
    assert ast.literal_eval(data[mime]) == text
    assert options["raw"] is True
    assert options["metadata"] == {
        "scrapbook": {"name": "1d-number", "mime_prefix": "application/papermill.record/"}
    }


def test_glue_has_four_digits_where_nothing_is_said(glued):
    page.glue("1d-pi", math.pi)
    assert list(glued[0][0].values()) == ["'3.142'"]


def test_glue_displays_what_myst_nbs_own_would(glued, monkeypatch):
    from myst_nb.ext import glue

    monkeypatch.setattr(glue, "ipy_display", lambda data, **options: glued.append((data, options)))
    # Which would start a shell.
    monkeypatch.setattr(
        "IPython.core.formatters.format_display_data",
        lambda value: ({"text/plain": repr(value)}, {}),
    )
    glue.glue("1d-number", "−1.5", display=False)
    page.glue("1d-number", -1.5)
    theirs, ours = glued
    assert ours == theirs


@pytest.mark.parametrize("value", [True, None, [1.0], np.array(1.0), np.bool_(True), {}], ids=repr)
def test_glue_of_no_number(glued, value):
    told = f"glue: value must be a string or a number, got {value!r} of type "
    with pytest.raises(TypeError, match=f"^{re.escape(told + type(value).__name__)}\\.$"):
        page.glue("1d-bad", value)
    assert not glued


# ---------------------------------------------------------------- figures: what is displayed


def test_figure_is_shown_with_its_data():
    data = shown(plain)
    assert set(data) == {page.FIGURE_DATA, "text/html", "text/plain"}
    assert data["text/plain"] == f"Figure test-figure: {ALT}"
    assert json.loads(data[page.FIGURE_DATA]) == {
        "name": "test-figure",
        "alt": ALT,
        "axes": [
            {
                "xlabel": "$x$: where",
                "ylabel": "$f(x)$",
                "scales": ["linear", "linear"],
                "limits": [[0.95, 2.05], [0.9, 3.1]],
                "texts": [],
                "series": [{"kind": "line", "label": "rising", "x": [1.0, 2.0], "y": [1.0, 3.0]}],
            }
        ],
    }


def html_of(data):
    """Return the HTML as a tree: it is well-formed XML too."""
    return ET.fromstring(data["text/html"])


SVG = "{http://www.w3.org/2000/svg}"


def test_html_is_one_figure_with_a_described_drawing_and_a_table():
    tree = html_of(shown(plain, alt=ALT + ' <b>&amp; "quotes"</b>'))
    assert tree.tag == "figure"
    assert tree.attrib == {"class": "gd-figure", "id": "figure-test-figure"}
    svg, details = tree
    assert svg.tag == f"{SVG}svg"
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == ALT + ' <b>&amp; "quotes"</b>'
    assert svg.get("viewBox") == "0 0 360 230"
    assert svg.get("width") is None  # as wide as the page lets it be
    assert details.tag == "details"
    assert details[0].tag == "summary"


def test_drawing_has_nothing_that_reaches_beyond_it():
    """No style sheet, no metadata, no date, no reference to another file, and few decimals."""
    text = shown(plain)["text/html"]
    for word in ("<style", "<metadata", "<?xml", "<!DOCTYPE", "<script", "xlink"):
        assert word not in text
    links = re.findall(r'(?:href="|url\()([^")]*)', text)
    assert links
    assert all(link.startswith("#test-figure-") for link in links)
    outlines = re.findall(r' d="([^"]*)"', text)
    assert not any(re.search(r"(?<![\d.])\d+\.\d{3,}", path) for path in outlines)


def test_ids_are_unique_over_the_figures_of_a_page_and_all_links_lead_somewhere():
    trees = [html_of(shown(plain, name=name)) for name in ("one", "two", "one-more")]
    ids = [node.get("id") for tree in trees for node in tree.iter() if node.get("id")]
    assert len(ids) == len(set(ids)) > 20
    for tree, name in zip(trees, ("one", "two", "one-more"), strict=True):
        own = {node.get("id") for node in tree.iter()}
        text = ET.tostring(tree, encoding="unicode")
        targets = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text))
        assert {a or b for a, b in targets} <= own
        assert all(i.startswith((f"{name}-", "figure-")) for i in own - {None})


def marks(draw):
    """Return the color that each mark inside the axes is filled with, and how often it is said."""
    tree = html_of(shown(draw))
    styles = []
    for group in tree.iter(f"{SVG}g"):
        if group.get("clip-path"):
            for mark in group.findall(f"{SVG}use"):
                styles.append(mark.get("style") or group.get("style"))
    said = sum("fill: var" in (node.get("style") or "") for node in tree.iter())
    return [re.search(r"fill: var\(--gd-(\w+), ", style)[1] for style in styles], said


def test_marks_of_one_style_say_it_once():
    def dots(axes):
        axes.plot([0, 1, 2], [0, 1, 0], "o", color=COLORS["descent"], label="run")

    def line(axes):
        axes.plot([0, 1, 2], [0, 1, 0], color=COLORS["descent"], label="run")

    (found, said), (none, rest) = marks(dots), marks(line)
    assert found == ["descent"] * 3
    assert none == []
    assert said == rest + 1


def test_marks_of_several_styles_keep_their_own():
    def draw(axes):
        colors = [COLORS[meaning] for meaning in ("descent", "warning", "descent")]
        axes.scatter([0, 1, 2], [0, 1, 0], color=colors, label="points")

    assert marks(draw)[0] == ["descent", "warning", "descent"]


def test_same_figure_gives_the_same_text():
    assert shown(plain) == shown(plain)


def test_every_color_follows_the_page():
    """Each becomes a variable, with the light shade where none is set."""

    def draw(axes):
        for i, meaning in enumerate(COLORS):
            axes.plot([0, 1], [i, i], color=COLORS[meaning], label=meaning)
            label_line(axes, 0, i, meaning, meaning)
            axes.scatter([2], [i], color=COLORS[meaning])

    text = shown(draw)["text/html"]
    for meaning, color in [*COLORS.items(), *TEXT_SHADES.items()]:
        assert f"var(--gd-{meaning}, {color})" in text
    bare = re.sub(r"var\(--gd-\w+, #\w{6}\)", "", text)
    assert not re.findall(r"#[0-9a-f]{6}\b", bare)


# ---------------------------------------------------------------- figures: data


def test_lines():
    found = series(lambda axes: axes.plot([1, 2, 3], [1.23456789, -1e-9, 123456789], "o--"))
    assert found[0] == {
        "kind": "line",
        "label": "",
        "x": [1.0, 2.0, 3.0],
        "y": [1.23457, -1e-9, 1.23457e8],
    }
    assert found[1]["label"] == "labelled"


def test_what_is_not_finite_is_none():
    found = series(lambda axes: axes.plot([0, 1, 2, 3], [0, math.nan, math.inf, -math.inf]))
    assert found[0]["y"] == [0, None, None, None]


def test_points():
    found = series(lambda axes: axes.scatter([1, 2], [3, 4], label="seen"))
    assert found[1] == {"kind": "points", "label": "seen", "x": [1, 2], "y": [3, 4]}


def test_area():
    found = series(
        lambda axes: axes.fill_between(
            [0, 1, 2, 3, 4], 0, [1, 3, 2, 5, 4], where=[True, True, False, True, True]
        )
    )
    (area,) = (s for s in found if s["kind"] == "area")
    corners = set(zip(area["x"], area["y"], strict=True))
    assert corners == {(0, 0), (1, 0), (0, 1), (1, 3), (3, 0), (4, 0), (3, 5), (4, 4)}


def test_band_has_its_ends():
    found = series(lambda axes: axes.fill_between([0, 1, 2], [0, 5, 1], [1, 3, 2], label="all"))
    (band,) = (s for s in found if s["kind"] == "band")
    assert band == {
        "kind": "band",
        "label": "all",
        "x": [0, 1, 2],
        "low": [0, 3, 1],
        "high": [1, 5, 2],
    }


def test_bars_are_patches():
    found = series(lambda axes: axes.bar([1, 5], [2.0, -3.0], width=1.0))
    bars = [s for s in found if s["kind"] == "patch"]
    assert [(min(b["x"]), max(b["x"])) for b in bars] == [(0.5, 1.5), (4.5, 5.5)]
    assert [(min(b["y"]), max(b["y"])) for b in bars] == [(0, 2), (-3, 0)]


def contours(axes, points=101, scale=1.0):
    """Draw the circles of radius 1 and 2 around (0.5, 0)."""
    x, y = np.meshgrid(np.linspace(-3, 3, points), np.linspace(-3, 3, points))
    axes.contour(x, y, scale * ((x - 0.5) ** 2 + y**2), levels=[1, 4])


def test_contours_are_told_by_level_length_and_center():
    """Which do not depend on the pieces that a line is cut into."""
    (found,) = (s for s in series(contours) if s["kind"] == "contours")
    assert found["level"] == [1, 4]
    assert found["length"] == pytest.approx([2 * math.pi, 4 * math.pi], rel=1e-3)
    # The mean of both coordinates along each circle: (0.5 + 0)/2.
    assert found["center"] == pytest.approx([0.25, 0.25], abs=1e-4)


def test_nothing_is_drawn_between_two_pieces_of_a_level_line():
    """Two circles of radius 1 on one level: the way from one to the other is no part of it."""

    def draw(axes):
        x, y = np.meshgrid(np.linspace(-3, 3, 301), np.linspace(-2, 2, 201))
        axes.contour(x, y, (np.abs(x) - 1.5) ** 2 + y**2, levels=[1])

    (found,) = (s for s in series(draw) if s["kind"] == "contours")
    assert found["length"] == pytest.approx([4 * math.pi], rel=1e-3)
    assert found["center"] == pytest.approx([0], abs=1e-6)


def test_small_contours_keep_their_points():
    """A length scale of a hundredth loses nothing."""

    def draw(axes):
        x, y = np.meshgrid(np.linspace(-0.03, 0.03, 101), np.linspace(-0.03, 0.03, 101))
        axes.contour(x, y, x**2 + y**2, levels=[1e-4])

    (found,) = (s for s in series(draw) if s["kind"] == "contours")
    assert found["length"] == pytest.approx([0.02 * math.pi], rel=1e-3)


def test_other_contours_have_other_data():
    one, same, other = (
        next(s for s in series(draw) if s["kind"] == "contours")
        for draw in (contours, contours, lambda axes: contours(axes, scale=1.01))
    )
    assert one == same
    assert one["length"] != pytest.approx(other["length"], rel=1e-3)


def test_matrix_is_kept_row_by_row_and_has_a_table():
    figure, axes = new_figure()
    draw_squares(axes, [[1.23456789, -0.5], [0.0, 2.0]], "weights")
    found = bundle(page.show_figure(figure, "squares", ALT))
    (one,) = json.loads(found[page.FIGURE_DATA])["axes"][0]["series"]
    rows = [[1.23457, -0.5], [0.0, 2.0]]
    assert one == {"kind": "matrix", "label": "weights", "rows": rows}
    cells = re.findall(r"<td>(.*?)</td>", found["text/html"])
    assert cells == ["1.235", "\N{MINUS SIGN}0.5", "0", "2"]
    assert "<caption>weights</caption>" in found["text/html"]


def test_level_that_is_nowhere_reached_has_no_length():
    def draw(axes):
        x, y = np.meshgrid([0.0, 1.0, 2.0], [0.0, 1.0, 2.0])
        axes.contour(x, y, x, levels=[-5.0, 0.5])

    (found,) = (s for s in series(draw) if s["kind"] == "contours")
    assert found["length"] == [0, 2]
    assert found["center"] == [0, 0.75]


def test_scales_limits_texts_and_panels():
    figure, (above, below) = new_figure(rows=2)
    plain(above)
    above.set(xscale="log", yscale="log", xlim=(0.1, 10), ylim=(1e-3, 1e3))
    below.plot([0, 1], [0, 1])
    label_line(below, 0.5, 0.5, "the middle")
    data = json.loads(bundle(page.show_figure(figure, "two", ALT))[page.FIGURE_DATA])
    one, two = data["axes"]
    assert one["scales"] == ["log", "log"]
    assert one["limits"] == [[0.1, 10], [1e-3, 1e3]]
    assert two["scales"] == ["linear", "linear"]
    assert two["texts"] == ["the middle"]


# ---------------------------------------------------------------- figures: the table


def cells(data):
    """Return the tables behind a figure, row by row, captions first."""
    tables = html_of(data).iter("table")
    return [
        [[cell.text for cell in row] for row in table.iter("tr")]
        + [caption.text for caption in table.iter("caption")]
        for table in tables
    ]


def test_table_has_a_column_for_each_labelled_series_of_the_same_x():
    def draw(axes):
        axes.plot([1, 2], [0.5, -0.25], label=r"$\eta = 0.1$")
        axes.plot([1, 2], [1e-12, 2], label="b < c")
        axes.plot([1, 2], [9, 9])  # no label, no column
        axes.scatter([7], [math.nan], label="alone")
        axes.set(xlabel="$t$: steps")

    assert cells(shown(draw)) == [
        [["t: steps", "η = 0.1", "b < c"], ["1", "0.5", "0"], ["2", "−0.25", "2"]],
        [["t: steps", "y"], ["7", "not finite"], "alone"],
    ]


def test_table_has_two_columns_for_a_band():
    def draw(axes):
        axes.plot([1, 2], [3, 4], label="median")
        axes.fill_between([1, 2], [2, 1], [5, 7], label="nine of ten")
        axes.set(xlabel=r"$\eta\lambda$", ylabel=r"$f - f^{\star}$ of $\infty$")

    (table,) = cells(shown(draw))
    heads = ["ηλ", "median", "nine of ten, from", "nine of ten, to"]
    assert table == [heads, ["1", "3", "2", "5"], ["2", "4", "1", "7"], "f - f^⋆ of infty"]


def test_table_has_the_names_that_an_axis_has_in_place_of_numbers():
    def draw(axes):
        axes.plot([3, 1, 2] * 5, [0, 1, 2] * 5, "o", label="one")
        axes.plot([5, 6, 7] * 5, [0, 1, 2] * 5, "o", label="other")
        axes.plot([1, 2], [0, 0.5], label="between")
        axes.set_yticks([0, 1, 2], ["Adam", r"$\beta$ < 1", "Lion"])
        axes.set(xlabel="error", ylabel="rule")

    data = shown(draw)
    names = {"0": "Adam", "1": "β < 1", "2": "Lion"}
    assert json.loads(data[page.FIGURE_DATA])["axes"][0]["named"] == {"y": names}
    named, between = cells(data)
    assert named == [
        ["rule", "one", "other"],
        *[["Adam", "3", "5"], ["β < 1", "1", "6"], ["Lion", "2", "7"]] * 5,
        "error",
    ]
    assert between == [["error", "rule"], ["1", "0"], ["2", "0.5"], "between"]


def test_labels_of_a_logarithmic_axis_are_no_names():
    def draw(axes):
        axes.semilogy([1, 2], [1, 10], label="loss")
        axes.set_yticks([1, 10], ["one", "ten"])

    (table,) = cells(shown(draw))
    assert table == [["x", "y"], ["1", "1"], ["2", "10"], "loss"]


def test_small_numbers_are_kept_where_the_axis_is_logarithmic():
    def draw(axes):
        axes.semilogy([1e-12, 2], [1e-12, 2], label="error")
        axes.semilogy([1e-12, 2], [3, 2], label="a < b")
        axes.set(xlabel="$h$", ylabel="error & more")

    (table,) = cells(shown(draw))
    rows = [["0", "1\xa0·\xa010⁻¹²", "3"], ["2", "2", "2"]]
    assert table == [["h", "error", "a < b"], *rows, "error & more"]


@pytest.mark.parametrize(
    ("count", "rows"),
    [
        (1, [0]),
        (2, [0, 1]),
        (9, list(range(9))),
        (14, list(range(14))),
        (15, [0, 2, 4, 5, 7, 9, 10, 12, 14]),
        (81, list(range(0, 81, 10))),
    ],
)
def test_a_long_table_has_nine_rows_the_ends_among_them(count, rows):
    (table,) = cells(shown(lambda axes: axes.plot(range(count), range(count), "o", label="n")))
    note = [f"n: 9 of {count} points" if count > 14 else "n"]
    assert table == [["x", "y"], *[[f"{row}", f"{row}"] for row in rows], *note]


def test_table_can_be_scrolled_and_is_named():
    (group,) = html_of(shown(plain)).iter("div")
    assert group.attrib == {
        "class": "gd-table",
        "tabindex": "0",
        "role": "group",
        "aria-label": "Numbers of figure test-figure",
    }
    assert {cell.get("scope") for cell in group.iter("th")} == {"col"}


def test_eight_words_are_a_description():
    assert shown(plain, alt="It rises from one at once to three")["text/plain"]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("name", ["", "Two", "two_words", "-two", "two-", "two--words", "zwö"])
def test_bad_name(name):
    told = f"show_figure: name must be lower-case words joined by hyphens, got {name!r}."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        shown(plain, name=name)


@pytest.mark.parametrize(("alt", "words"), [("", 0), ("plot of the loss", 4), ("a " * 7, 7)])
def test_short_description(alt, words):
    told = (
        f"show_figure: alt must say what a sighted reader learns from the figure, in at least "
        f"eight words, got {words}: {alt!r}."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        shown(plain, alt=alt)


@pytest.mark.parametrize(
    "draw",
    [lambda axes: None, lambda axes: axes.plot([0, 1], [0, 1]), contours],
    ids=["empty", "line", "contours"],
)
def test_figure_without_labels(draw):
    told = "show_figure: figure 'test-figure' draws nothing with a label; give what it shows a "
    with pytest.raises(ValueError, match=f"^{re.escape(told)}"):
        shown(draw)


def test_line_from_edge_to_edge_ends_at_the_edges():
    """In the numbers too, whatever the scale."""

    def draw(axes):
        axes.loglog([1, 2, 4], [1, 10, 20], label="run")
        axes.axhline(5, label="level")
        axes.axvline(10, label="edge")
        axes.set(xlabel="step", ylabel="error", xlim=(1, 100), ylim=(1, 1000))

    _, level, edge = cells(shown(draw))
    assert level == [["step", "error"], ["1", "5"], ["100", "5"], "level"]
    assert edge == [["step", "error"], ["10", "1"], ["10", "1000"], "edge"]


def test_panels_that_share_an_axis_share_its_name():
    figure, axes = new_figure(rows=2, sharex=True)
    for ax in axes:
        ax.plot([1, 2], [3, 4], label="run")
        ax.set(ylabel="error")
    axes[1].set(xlabel="step")
    tables = cells(bundle(page.show_figure(figure, "two-panels", ALT)))
    assert [table[0] for table in tables] == [["step", "error"], ["step", "error"]]
