"""Every rule, schedule and row of the table against what the frameworks were recorded to do.

All of it holds to ``rtol = atol = 1e-12`` as ``compare.assert_same_points`` means it, and to
1e-5 for MXNet, which computes in single precision. Rounding alone, in another order of the same
operations, makes about 1e-15, and 1e-6 there.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gdcourse as gd
from gdcourse import conventions, frameworks
from tests.parity.compare import (
    KEPT,
    TOLERANCE,
    TOLERANCE_SINGLE,
    assert_parity,
    assert_same_points,
    at_kept_steps,
    description,
    off_by,
    read,
    recorded_points,
    recording,
)
from tests.parity.runs import (
    COORDINATES,
    DROP_AFTER,
    HYPER,
    ROW_RUNS,
    RUNS,
    SCALES,
    SCHEDULE_STEPS,
    SCHEDULES,
    STEPS,
    Reference,
    RowRun,
    Run,
    gradients,
    make_rule,
    replay,
    replay_lines,
)

OURS = [run for run in ROW_RUNS if run.kind != "weight decay"]


def tolerance(run):
    """Return how near a run of a row has to come."""
    return TOLERANCE_SINGLE if run.row.framework == "MXNet" else TOLERANCE


@pytest.mark.parametrize("framework", frameworks.FRAMEWORKS)
def test_recording_is_of_these_runs(framework):
    """Gradients, runs or steps changed without recording anew would compare nothing."""
    told = read(framework)
    assert {key: told[key] for key in description(framework)} == description(framework)
    _, points = recording(framework)
    assert points.shape == (len(told["runs"]), len(told["steps"]), COORDINATES)
    assert points.dtype == np.float64
    assert np.isfinite(points).all()
    single = (points == points.astype(np.float32)).all()
    assert single == (framework == "MXNet")


@pytest.mark.parametrize("framework", frameworks.FRAMEWORKS)
def test_recording_is_of_the_version_in_the_table(framework):
    told = read(framework)
    assert (told["framework"], told["version"]) == (framework, frameworks.versions()[framework])
    if framework == "PyTorch":
        assert read("schedules")["version"] == told["version"]


@pytest.mark.parametrize("framework", frameworks.FRAMEWORKS)
def test_printed_program_ends_where_the_rule_here_ends(framework):
    """The four programs fit the same line; so do our loop and our rule, in double precision."""
    X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0]])
    y = X @ [2.0, -3.0]
    rule = gd.Momentum(lr=0.1, momentum=0.5)
    *_, previous, end = gd.descend(lambda w: X.T @ (X @ w - y) / 4, np.zeros(2), rule, steps=20)
    np.testing.assert_allclose(read(framework)["loop"], end, rtol=1e-6)
    # A step more or less would be seen.
    assert np.abs(end - previous).min() > 1e-3


@pytest.mark.parametrize("scale", SCALES)
def test_gradients_are_as_hard_as_promised(scale):
    grad = gradients(scale)
    assert grad.shape == (STEPS, COORDINATES) == (200, 12)
    assert not grad[0].any()
    assert not grad[:15, 3].any()
    assert grad[15:, 3].any()
    assert 0.08 < np.mean(grad == 0) < 0.14
    assert (grad > 0).any(axis=0).all()
    assert (grad < 0).any(axis=0).all()
    largest = 1e3 if scale == "mixed" else float(scale)
    assert 0.9 * largest < np.abs(grad).max() < largest


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_rule_makes_the_recorded_points(run):
    assert_parity(make_rule(run), run)


@pytest.mark.parametrize("run", OURS, ids=str)
def test_row_names_the_rule_here_that_makes_the_points(run):
    points = at_kept_steps(replay(run.row.make(**run.hyper), run.reference))
    assert_same_points(points, recorded_points(run.reference), tolerance(run))


@pytest.mark.parametrize("run", ROW_RUNS, ids=str)
def test_row_prints_lines_that_make_the_points(run):
    points = at_kept_steps(replay_lines(run))
    assert_same_points(points, recorded_points(run.reference), tolerance(run))


def other_conventions():
    """Yield runs in which another framework's rule of the same name makes other points."""
    for run in OURS:
        for row in frameworks.table():
            same = row.same is run.row.same and row.start == run.row.start
            if row.rule != run.row.rule or same:
                continue
            # The two forms of momentum part when the rate changes; what parts the others is
            # loud in that run.
            if run.kind == ("drop" if row.rule in ("Momentum", "Nesterov") else "loud"):
                yield pytest.param(run, row, id=f"{run} as {row.framework}")


@pytest.mark.parametrize(("run", "other"), [*other_conventions()])
def test_another_frameworks_convention_is_refused(run, other):
    hyper = {name: value for name, value in run.hyper.items() if name in other.defaults}
    points = at_kept_steps(replay(other.make(**hyper), run.reference))
    assert off_by(points, recorded_points(run.reference)) > 1000 * tolerance(run)


def other_decays():
    """Yield runs with weight decay, and every kind that it is not."""
    for run in ROW_RUNS:
        for kind in frameworks.DECAYS:
            # The entangled lines are of MXNet's rule only, and need its v.
            known = kind != "entangled" or "momentum" in run.row.defaults
            # Where the rate is 1, or the rule has none, it cannot be told from its absence.
            known &= "lr" in run.row.defaults or kind != "decoupled"
            if run.kind == "weight decay" and kind != run.row.decay.kind and known:
                yield pytest.param(run, kind, id=f"{run} as {kind}")


@pytest.mark.parametrize(("run", "kind"), [*other_decays()])
def test_another_kind_of_weight_decay_is_refused(run, kind):
    decay = replace(run.row.decay, kind=kind)
    points = at_kept_steps(replay_lines(replace(run, row=replace(run.row, decay=decay))))
    recorded = recorded_points(run.reference)
    if run.row.rule == "SGD" and {kind, run.row.decay.kind} == {"coupled", "decoupled"}:
        # Of plain steps the penalty and the decay are the same.
        assert off_by(points, recorded) <= tolerance(run)
    else:
        assert off_by(points, recorded) > 1000 * tolerance(run)


DEFAULTS = [
    pytest.param(row, name, id=f"{row.framework} {row.rule} {name}")
    for row in frameworks.table()
    for name, value in row.defaults.items()
    if value is not None
]


@pytest.mark.parametrize(("row", "name"), DEFAULTS)
def test_another_default_is_refused(row, name):
    """Nothing was given in these runs: they know the frameworks' own defaults."""
    gaps = []
    for run in (RowRun(row, "defaults"), RowRun(row, "quiet defaults")):
        nearly = run.hyper[name] * 0.99 or 0.01
        points = at_kept_steps(replay(row.make(**run.hyper | {name: nearly}), run.reference))
        gaps.append(off_by(points, recorded_points(run.reference)) / tolerance(run))
    assert max(gaps) > 10


@pytest.mark.parametrize("rule", ["Momentum", "Nesterov"])
def test_where_the_rate_stands_parts_the_frameworks(rule):
    """Equal until lr drops; then a velocity that holds the old rate coasts on it."""
    drops = {
        row.framework: recorded_points(RowRun(row, "drop").reference)
        for row in frameworks.table()
        if row.rule == rule
    }
    inside, outside = drops["Keras"], drops["PyTorch"]
    assert_same_points(drops["Optax"], outside)
    assert_same_points(drops["MXNet"], inside, TOLERANCE_SINGLE)
    before = np.array(KEPT) <= DROP_AFTER
    assert_same_points(inside[before], outside[before])
    apart = np.abs(inside - outside)[~before].max(axis=1) / np.abs(outside).max()
    assert (apart > 0.01).all()


def test_velocity_under_a_dropping_rate_is_a_sum_of_rates_and_gradients():
    """In closed form, by nobody's loop: v after t steps is the sum of -lr_k g_k 0.5^(t - k)."""
    run = Run("Momentum", {"momentum": 0.5}, drop=True)
    rates = np.where(np.arange(STEPS) < DROP_AFTER, 1e-3, 1e-4)
    moved = rates[:, None] * gradients("1")
    age = np.subtract.outer(np.arange(STEPS), np.arange(STEPS))
    velocity = -np.where(age < 0, 0, 0.5 ** np.maximum(age, 0.0)) @ moved
    points = replay(make_rule(run), Reference("Keras", "", "1", drop=True))
    assert_same_points(points, np.cumsum(velocity, axis=0))


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_makes_the_recorded_rates(name):
    schedule, (theirs, lr, options) = SCHEDULES[name]
    # PyTorch's cosine rises again after T_max, ours stays.
    last = options.get("T_max", SCHEDULE_STEPS - 1)
    expected = np.array(read("schedules")["rates"][name])
    rates = np.array([schedule(t) for t in range(SCHEDULE_STEPS)])
    assert rates[0] == pytest.approx(expected[0], rel=TOLERANCE)
    np.testing.assert_allclose(
        rates[: last + 1], expected[: last + 1], rtol=TOLERANCE, atol=TOLERANCE * lr
    )
    if theirs == "CosineAnnealingLR":
        assert (np.diff(expected[last:]) > 0).all()
        assert (rates[last:] == options.get("eta_min", 0.0)).all()


def test_every_rule_is_compared():
    """Each rule with its defaults and at least two more sets, at every scale."""
    for rule, sets in HYPER.items():
        assert {} in sets
        assert len(sets) >= 3
        runs = [run for run in RUNS if run.rule == rule and not run.drop]
        assert len(runs) == len(sets) * len(SCALES), rule


def test_every_row_is_compared():
    kinds = {(run.row.framework, run.row.rule, run.kind) for run in ROW_RUNS}
    for row in frameworks.table():
        assert {(row.framework, row.rule, kind) for kind in ("defaults", "loud")} <= kinds


def test_every_convention_is_some_frameworks():
    """Nothing in the module that no framework runs, and every class of it in the table."""
    made_here = {
        thing
        for thing in vars(conventions).values()
        if isinstance(thing, type) and thing.__module__ == conventions.__name__
    }
    used = {row.same for row in frameworks.table()}
    assert {rule for rule in made_here if hasattr(rule, "update")} == {
        rule for rule in used if rule.__module__ == conventions.__name__
    }
    # The rules of the package are there too, and in PyTorch where it has them.
    assert {rule.__name__ for rule in used - made_here} == HYPER.keys()


class TestTheComparison:
    """The tolerance that everything here rests on, tried by hand."""

    expected = np.array([[1.0, 1e-9, 0.0], [4.0, 3e-9, 0.0]])

    @pytest.mark.parametrize("change", [0.9e-12, -0.9e-12])
    def test_passes_within(self, change):
        assert_same_points(self.expected * (1 + 2 * change), self.expected)

    @pytest.mark.parametrize(
        ("row", "i", "change"),
        [
            (0, 0, 5.1e-12),
            (1, 0, -8.1e-12),
            (0, 1, 4.1e-21),
            (1, 1, 6.1e-21),
            (0, 2, 5e-324),
            (1, 2, np.nan),
        ],
    )
    def test_fails_beyond(self, row, i, change):
        actual = self.expected.copy()
        actual[row, i] += change
        with pytest.raises(AssertionError, match=f"at row {row}, coordinate {i}"):
            assert_same_points(actual, self.expected)

    def test_fails_for_another_shape(self):
        with pytest.raises(AssertionError):
            assert_same_points(self.expected[:1], self.expected)

    @pytest.mark.parametrize(
        ("row", "i", "change", "gap"),
        [
            (0, 0, 4e-12, 1e-12),
            (1, 1, -6e-18, 2e-9),
            (0, 2, 5e-324, np.inf),
            (1, 1, np.nan, np.nan),
            (1, 2, np.nan, np.inf),
        ],
    )
    def test_drift_is_a_share_of_how_far_the_coordinate_goes(self, row, i, change, gap):
        actual = self.expected.copy()
        actual[row, i] += change
        assert off_by(actual, self.expected) == pytest.approx(gap, rel=1e-3, nan_ok=True)
