"""The data sets: what is in them, byte by byte and by published figures, and where it is from."""

from __future__ import annotations

import hashlib
import math
import re
from importlib.resources import files

import numpy as np
import pytest

from gdcourse import Dataset, add_intercept, line, load_diabetes, load_digits, normal_regression

FOLDER = files("gdcourse") / "datasets"
SHA256 = {
    "diabetes.csv": "9193026b7622ff944f0a6855a10107b24caf50dad69787c46e6890e69c27faca",
    "digits.csv": "0fe4caad633642ce30c195799800fb66b707f19ddff2bff165db70f6da48a2c7",
}
SETS = [line(), normal_regression(seed=0), load_diabetes(), load_digits()]


@pytest.mark.parametrize(
    ("data", "shape", "kind"),
    [
        (SETS[0], (100, 1), "f"),
        (SETS[1], (1000, 2), "f"),
        (SETS[2], (442, 10), "f"),
        (SETS[3], (1797, 64), "i"),
    ],
    ids=["line", "normal_regression", "diabetes", "digits"],
)
def test_shapes_and_types(data, shape, kind):
    X, y, names = data
    assert isinstance(data, Dataset)
    assert X.shape == shape
    assert X.dtype == np.float64
    assert y.shape == shape[:1]
    assert y.dtype.kind == kind
    assert len(set(names)) == shape[1]
    assert all(isinstance(name, str) for name in names)
    assert np.isfinite(X).all()


def test_line():
    X, y, _ = line()
    assert X[:, 0].tolist() == list(range(-50, 50))
    assert y.tolist() == [20 * x + 5 for x in range(-50, 50)]


# ---------------------------------------------------------------- drawn


def test_normal_regression_is_what_it_says():
    X, y, _ = normal_regression(seed=3, n=20_000, noise=0.5)
    error = y - (2 * X[:, 0] - 3.4 * X[:, 1] + 4.2)
    for sample, deviation in ((X[:, 0], 1), (X[:, 1], 1), (error, 0.5)):
        # Five standard errors of the mean and of the standard deviation.
        assert abs(sample.mean()) < 5 * deviation / math.sqrt(20_000)
        assert sample.std() == pytest.approx(deviation, rel=5 / math.sqrt(40_000))
    assert np.abs(np.corrcoef([*X.T, error]) - np.eye(3)).max() < 5 / math.sqrt(20_000)


def test_seeds_repeat_and_differ():
    one, same, other = normal_regression(seed=1), normal_regression(seed=1), normal_regression(2)
    assert np.array_equal(one.X, same.X)
    assert np.array_equal(one.y, same.y)
    assert not np.isclose(one.X, other.X).any()


def test_order_of_the_draws():
    """First all of X, then the noise: so the noise changes no X, and neither does n its start."""
    rng = np.random.default_rng(8)
    X = rng.standard_normal((50, 2))
    e = rng.standard_normal(50)
    for noise in (0.0, 0.01, 3.0):
        found = normal_regression(seed=8, n=50, noise=noise)
        assert np.array_equal(found.X, X)
        expected = 2 * X[:, 0] - 3.4 * X[:, 1] + 4.2 + noise * e
        np.testing.assert_allclose(found.y, expected, rtol=1e-13, atol=1e-13)
    assert np.array_equal(normal_regression(seed=8, n=20).X, X[:20])
    usual, stated = normal_regression(seed=8), normal_regression(seed=8, n=1000, noise=0.01)
    assert np.array_equal(usual.y, stated.y)


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1."),
        (
            {"seed": 0.5},
            TypeError,
            "seed must be a whole number, at least 0, got 0.5 of type float.",
        ),
        ({"seed": 0, "n": 0}, ValueError, "n must be at least 1, got 0."),
        ({"seed": 0, "noise": -0.1}, ValueError, "noise must satisfy 0 <= noise < inf, got -0.1."),
        (
            {"seed": 0, "noise": math.nan},
            ValueError,
            "noise must satisfy 0 <= noise < inf, got nan.",
        ),
    ],
    ids=str,
)
def test_bad_arguments(arguments, error, told):
    with pytest.raises(error, match=f"^{re.escape(f'normal_regression: {told}')}$"):
        normal_regression(**arguments)


# ---------------------------------------------------------------- files


def test_every_file_is_the_one_recorded():
    """Line ends aside, which a checkout may change."""
    found = {
        path.name: hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        for path in FOLDER.iterdir()
        if path.name.endswith(".csv")
    }
    assert found == SHA256


def test_readme_tells_source_and_licence_of_every_file():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:]]
    head, _, *rows = [row for row in rows if row]
    assert head == ["file", "what", "source", "licence"]
    named = {row[0].strip("`"): row for row in rows}
    assert set(named) == {path.name for path in FOLDER.iterdir() if path.name != "README.md"}
    for _, what, source, licence in named.values():
        assert len(what) > 20
        assert re.search(r"\b\d{4}\b.*https://", source)
        assert re.search(r"BSD 3-Clause|Creative Commons Attribution 4\.0", licence)


def test_diabetes_has_the_published_statistics():
    """Least squares on standardized columns, as in Efron et al., 2004, and its fit."""
    X, y, names = load_diabetes()
    assert names == ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
    assert set(X[:, 1]) == {1, 2}
    np.testing.assert_allclose(X[:, [0, 2, 3]].mean(axis=0), [48.518, 26.376, 94.647], atol=5e-4)
    assert y.mean() == pytest.approx(152.133, abs=5e-4)
    centered = X - X.mean(axis=0)
    scaled = add_intercept(centered / np.linalg.norm(centered, axis=0))
    best, (squares,), *_ = np.linalg.lstsq(scaled, y, rcond=None)
    published = [-10.0, -239.8, 519.8, 324.4, -792.2, 476.7, 101.0, 177.1, 751.3, 67.6, 152.1]
    np.testing.assert_allclose(best, published, atol=0.051)
    assert 1 - squares / np.sum((y - y.mean()) ** 2) == pytest.approx(0.518, abs=5e-4)
    assert math.sqrt(squares / (442 - 11)) == pytest.approx(54.15, abs=5e-3)


def test_digits_have_the_published_counts():
    """Those of the repository's test set, digit by digit."""
    X, y, names = load_digits()
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.array_equal(X, np.round(X))
    assert (X.min(), X.max()) == (0, 16)
    assert names == tuple(f"pixel{row}{column}" for row in range(8) for column in range(8))
    # Row by row: a one is a dark column in the middle, a zero is light there.
    one, zero = (X[y == digit].mean(axis=0).reshape(8, 8) for digit in (1, 0))
    assert (one[:, 3:5].mean(), zero[2:6, 3:5].mean()) == pytest.approx((11.9, 2.2), abs=1.5)


@pytest.mark.parametrize("load", [line, load_diabetes, load_digits])
def test_each_call_gives_arrays_of_its_own(load):
    first = load()
    first.X[:] = -1
    first.y[:] = -1
    assert not (load().X == -1).all()
    assert not (load().y == -1).all()


# ---------------------------------------------------------------- intercept


def test_add_intercept():
    X = np.array([[2.0, 3.0], [4.0, 5.0]])
    found = add_intercept(X)
    assert found.tolist() == [[2, 3, 1], [4, 5, 1]]
    assert X.shape == (2, 2)
    assert not np.shares_memory(found, X)
    assert add_intercept([[1], [2]]).dtype == np.float64
    assert add_intercept(np.zeros((3, 0))).tolist() == [[1]] * 3


@pytest.mark.parametrize("X", [np.ones(3), 1.0, np.ones((2, 2, 2))], ids=np.shape)
def test_add_intercept_needs_a_matrix(X):
    told = (
        f"add_intercept: X must have shape (n, d), got {np.shape(X)}; "
        f"for one column use X.reshape(-1, 1)."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        add_intercept(X)
