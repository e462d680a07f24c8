"""How figures are compared when a notebook is run again: by their numbers, with a tolerance."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

DATA = {
    "name": "test",
    "alt": "What is to be seen.",
    "axes": [
        {
            "xlabel": "$x$",
            "scales": ["linear", "linear"],
            "limits": [[0.0, 2.0], [-1.0, 100.0]],
            "texts": ["the edge"],
            "series": [
                {
                    "kind": "line",
                    "label": "run",
                    "x": [0.0, 1.0, 2.0],
                    "y": [100.0, 1e-5, None],
                },
                {"kind": "points", "label": "", "x": [1.5], "y": [-0.25]},
            ],
        }
    ],
}
LOGARITHMIC = copy.deepcopy(DATA)
LOGARITHMIC["axes"][0]["scales"] = ["linear", "log"]


@pytest.fixture(scope="module")
def conftest(pytestconfig):
    """Return the module that pytest has loaded: to load it again would patch nbval again."""
    return pytestconfig.pluginmanager.get_plugin(str(ROOT / "conftest.py"))


def changed(data, path, value):
    """Return a copy in which one entry is another."""
    data = copy.deepcopy(data)
    *way, last = path
    inside = data
    for key in way:
        inside = inside[key]
    inside[last] = value
    return data


LINE = ("axes", 0, "series", 0)
POINT = ("axes", 0, "series", 1)


@pytest.mark.parametrize("data", [DATA, LOGARITHMIC, {}, {"axes": []}, {"x": []}], ids=str)
def test_equal_data_agree(conftest, data):
    again = json.loads(json.dumps(data))
    assert conftest.alike(data, again)
    assert conftest.Figure(data) == conftest.Figure(again)
    assert conftest.Figure(data) == again
    assert not conftest.Figure(data) != again


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*LINE, "y", 0), 100.0 * (1 + 5e-5)),  # the last digits that are stored
        ((*LINE, "x", 1), 1.00005),
        ((*LINE, "y", 1), 1.0001e-5),  # next to 0 on the axis of a line that reaches 100
        ((*LINE, "y", 1), -1e-5),
        ((*LINE, "y", 1), 5e-3),
        ((*LINE, "x", 1), 1),  # JSON does not tell 1 from 1.0
        (("axes", 0, "limits", 0, 0), 1e-9),
        ((*POINT, "x", 0), 1.5001),
    ],
    ids=str,
)
def test_noise_of_the_last_digits_passes(conftest, path, value):
    other = changed(DATA, path, value)
    assert conftest.alike(DATA, other)
    assert conftest.alike(other, DATA)


CHANGES = [
    ((*LINE, "y", 0), 100.1),  # a thousandth
    ((*LINE, "y", 0), -100.0),
    ((*LINE, "x", 1), 1.001),
    ((*LINE, "y", 1), 0.02),  # two hundredths on an axis of 100
    ((*LINE, "y", 1), None),
    ((*LINE, "y", 2), 0.0),
    ((*LINE, "y", 2), math.nan),
    ((*LINE, "y"), [100.0, 1e-5]),
    ((*LINE, "y"), [100.0, 1e-5, None, None]),
    ((*LINE, "y"), []),
    ((*LINE, "y"), [1e-5, 100.0, None]),
    ((*LINE, "y", 0), "100.0"),
    ((*LINE, "label"), "other run"),
    ((*LINE, "kind"), "points"),
    ((*LINE, "color"), "red"),  # a key that was not there
    ((*POINT, "y", 0), -0.2503),
    (("axes", 0, "xlabel"), "$y$"),
    (("axes", 0, "texts"), []),
    (("axes", 0, "texts"), ["the edge", "another"]),
    (("axes", 0, "texts", 0), "an edge"),
    (("axes", 0, "limits", 1, 1), 101.0),
    (("axes", 0, "limits", 0, 1), 2.01),
    (("axes", 0, "scales", 1), "log"),
    (("axes", 0, "series"), DATA["axes"][0]["series"][:1]),
    (("axes", 0, "series"), DATA["axes"][0]["series"][::-1]),
    (("axes",), DATA["axes"] * 2),
    (("axes",), None),
    (("name",), "other"),
    (("alt",), "Something else is to be seen."),
]


@pytest.mark.parametrize(("path", "value"), CHANGES, ids=str)
def test_any_change_that_could_be_seen_fails(conftest, path, value):
    other = changed(DATA, path, value)
    assert not conftest.alike(DATA, other)
    assert not conftest.alike(other, DATA)
    assert conftest.Figure(DATA) != conftest.Figure(other)


@pytest.mark.parametrize(
    ("value", "agree"),
    [(1.00005e-5, True), (1.001e-5, False), (-1e-5, False), (0.0, False), (2e-5, False)],
)
def test_beside_a_logarithmic_axis_each_number_counts_for_itself(conftest, value, agree):
    other = changed(LOGARITHMIC, (*LINE, "y", 1), value)
    assert conftest.alike(LOGARITHMIC, other) is agree
    assert conftest.alike(changed(DATA, (*LINE, "y", 1), value), DATA)


def test_one_logarithmic_axis_does_not_make_another_so(conftest):
    both = {"axes": [LOGARITHMIC["axes"][0], DATA["axes"][0]]}
    second = ("axes", 1, "series", 0, "y", 1)
    assert conftest.alike(both, changed(both, second, 2e-5))
    assert not conftest.alike(both, changed(both, ("axes", 0, *second[2:]), 2e-5))


@pytest.mark.parametrize("other", [None, "text", 3, [], [DATA]], ids=repr)
def test_what_is_no_figure_equals_none(conftest, other):
    assert conftest.Figure(DATA) != other


# ---------------------------------------------------------------- inside nbval


def cell(conftest, text):
    """Return what nbval would compare of an output."""
    from nbval.plugin import IPyNbCell

    bare = IPyNbCell.__new__(IPyNbCell)
    bare.parent = type("Parent", (), {"sanitize_patterns": {}})()
    return IPyNbCell.sanitize(bare, text)


def test_only_a_figures_data_are_compared_with_a_tolerance(conftest):
    text = json.dumps(DATA)
    nearly = json.dumps(changed(DATA, (*LINE, "x", 1), 1.00005))
    assert cell(conftest, text) == cell(conftest, nearly)
    assert cell(conftest, text) != cell(conftest, json.dumps(changed(DATA, ("name",), "other")))
    for other in ("1.0", '{"name": "test"}', f" {text}", text.replace("axes", "panels")):
        assert cell(conftest, other) == other
        assert type(cell(conftest, other)) is str
