"""Training: the batches, the loop against one written by hand, and what is recorded when."""

from __future__ import annotations

import builtins
import math
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gdcourse as gd
from gdcourse import (
    Adam,
    GradientDescent,
    LinearRegression,
    LogisticRegression,
    Momentum,
    Objective,
    add_intercept,
    minibatches,
    minimize,
    normal_regression,
    train,
)
from gdcourse._progress import progress

CALM = settings(deadline=None, derandomize=True, database=None, max_examples=60)
MODEL, RULE = LinearRegression(), GradientDescent(lr=0.1)
ARRAYS = ("step", "epoch", "examples", "loss", "lr", "seconds")


def data(n=23, seed=0):
    """Return a design matrix with intercept and targets."""
    X, y, _ = normal_regression(seed, n=n, noise=0.5)
    return add_intercept(X), y


X, Y = data()


def run(optimizer=RULE, *, n=23, **options):
    """Train on n examples, with what is asked for and the rest as usual."""
    arguments = {"epochs": 2, "batch_size": 5, "seed": 3} | options
    return train(MODEL, *data(n), optimizer, **arguments)


# ---------------------------------------------------------------- minibatches


@CALM
@given(n=st.integers(0, 40), batch_size=st.integers(1, 50), seed=st.integers(0, 99))
def test_each_example_once_and_a_short_batch_last(n, batch_size, seed):
    examples, targets = np.arange(2.0 * n).reshape(n, 2), np.arange(n)
    batches = list(minibatches(examples, targets, batch_size, np.random.default_rng(seed)))
    sizes = [len(batch) for batch, _ in batches]
    assert sizes == [batch_size] * (n // batch_size) + [n % batch_size] * (n % batch_size > 0)
    seen = np.concatenate([part for _, part in batches]) if batches else np.array([])
    assert sorted(seen) == list(range(n))
    for batch, part in batches:
        assert np.array_equal(batch[:, 0], 2 * part)
        assert np.array_equal(batch[:, 1], 2 * part + 1)


def orders(seed, calls):
    """Return the order of 50 examples in several calls on one generator."""
    rng, y = np.random.default_rng(seed), np.arange(50)
    return [[int(i) for _, part in minibatches(y, y, 7, rng) for i in part] for _ in range(calls)]


def test_order_repeats_with_the_seed_and_differs_from_pass_to_pass():
    one, two, three = orders(1, 3)
    assert [one, two, three] == orders(1, 3)
    assert (
        len({tuple(one), tuple(two), tuple(three), tuple(orders(2, 1)[0]), tuple(range(50))}) == 5
    )


def test_order_is_uniform():
    """The six orders of three examples, 6000 times: chi-squared with 5 degrees of freedom.

    The bound is exceeded with probability 1e-6, were the seed drawn anew.
    """
    rng, y = np.random.default_rng(4), np.arange(3)
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(6000):
        order = tuple(int(part[0]) for _, part in minibatches(y, y, 1, rng))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 35.9


def test_minibatches_leave_the_data_alone():
    examples, y = np.arange(6.0).reshape(3, 2), np.arange(3)
    for batch, part in minibatches(examples, y, 2, np.random.default_rng(0)):
        batch[:], part[:] = -1, -1
    assert examples.ravel().tolist() == list(range(6))
    assert y.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("y", "batch_size", "error", "told"),
    [
        (Y, 0, ValueError, "batch_size must be at least 1, got 0."),
        (
            Y,
            2.0,
            TypeError,
            "batch_size must be a whole number, at least 1, got 2.0 of type float.",
        ),
        (Y[:-1], 5, ValueError, "X and y must have as many rows, got 23 and 22."),
    ],
)
def test_minibatches_refuse_at_once(y, batch_size, error, told):
    with pytest.raises(error, match=f"^{re.escape(f'minibatches: {told}')}$"):
        minibatches(X, y, batch_size, np.random.default_rng(0))


# ---------------------------------------------------------------- against a loop by hand


def by_hand(model, X, y, rule, epochs, batch_size, seed, schedule=None):
    """Return the parameters after every update, written out as a reader would."""
    for_start, for_order = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    params = model.init(X, y, for_start)
    state, path = rule.init(params), [params]
    for _ in range(epochs):
        order = for_order.permutation(len(y))
        for first in range(0, len(y), batch_size):
            batch = order[first : first + batch_size]
            _, grad = model.loss_and_grad(params, X[batch], y[batch])
            if schedule is not None:
                rule = type(rule)(lr=schedule(len(path) - 1))
            params, state = rule.update(params, grad, state)
            path.append(params)
    return path


@pytest.mark.parametrize("batch_size", [1, 5, 23, 100])
@pytest.mark.parametrize("rule", [RULE, Momentum(lr=0.02), Adam(lr=0.1)], ids=repr)
@pytest.mark.parametrize("schedule", [None, gd.inverse_time_decay(0.1, rate=0.1)])
def test_equals_a_loop_by_hand_to_the_bit(rule, batch_size, schedule):
    path = by_hand(MODEL, X, Y, rule, 3, batch_size, 11, schedule)
    params, history = train(
        MODEL,
        X,
        Y,
        rule,
        epochs=3,
        batch_size=batch_size,
        seed=11,
        schedule=schedule,
        record_every=1,
    )
    assert np.array_equal(params, path[-1])
    assert history.step.tolist() == list(range(len(path)))
    assert history.loss.tolist() == [MODEL.loss_and_grad(p, X, Y)[0] for p in path]


def test_uses_the_public_minibatches():
    """The order is that of ``minibatches`` on the second of the two streams."""
    _, stream = np.random.SeedSequence(6).spawn(2)
    rng, params = np.random.default_rng(stream), np.zeros(3)
    for _ in range(2):
        for batch, part in minibatches(X, Y, 5, rng):
            params = params - 0.1 * MODEL.loss_and_grad(params, batch, part)[1]
    found, _ = run(seed=6, params=np.zeros(3))
    assert np.array_equal(found, params)


def test_full_batches_are_descent_on_the_loss():
    """All examples at once: stochastic descent is descent, up to the order of a sum."""
    loss = Objective(
        "loss",
        f=lambda p: MODEL.loss_and_grad(p, X, Y)[0],
        grad=lambda p: MODEL.loss_and_grad(p, X, Y)[1],
    )
    params, history = run(epochs=50, batch_size=23, params=[1.0, 2.0, 3.0])
    descent = minimize(loss, [1.0, 2.0, 3.0], RULE, steps=50)
    np.testing.assert_allclose(history.loss, descent.f, rtol=1e-12)
    np.testing.assert_allclose(params, descent.x[-1], rtol=1e-12)
    assert history.lr[1:].tolist() == descent.lr.tolist()


def test_start_and_order_are_streams_of_their_own():
    """Giving the start that would be drawn changes nothing, and another one no batch."""
    params, history = run()
    start = MODEL.init(X, Y, np.random.default_rng(np.random.SeedSequence(3).spawn(2)[0]))
    given, same = run(params=start)
    assert np.array_equal(given, params)
    assert same.loss.tolist() == history.loss.tolist()

    batches = []
    watching = SimpleNamespace(
        init=MODEL.init,
        loss_and_grad=lambda p, X, y: (batches.append(y.tolist()), MODEL.loss_and_grad(p, X, y))[1],
    )
    for params in (None, start, np.zeros(3)):
        train(watching, X, Y, RULE, epochs=2, batch_size=5, seed=3, params=params)
    third = len(batches) // 3
    assert batches[:third] == batches[third : 2 * third] == batches[2 * third :]


def test_seed_repeats_and_another_does_not():
    (one, first), (same, again), (other, _) = run(seed=1), run(seed=1), run(seed=2)
    assert np.array_equal(one, same)
    assert not np.isclose(one, other).any()
    for name in set(ARRAYS) - {"seconds"}:
        assert np.array_equal(getattr(first, name), getattr(again, name))


def test_nothing_given_is_changed():
    kept = X.copy(), Y.copy(), np.array([1.0, 2.0, 3.0])
    start = kept[2].copy()
    train(MODEL, X, Y, RULE, epochs=2, batch_size=5, seed=3, params=start)
    assert all(np.array_equal(a, b) for a, b in zip((X, Y, start), kept, strict=True))


def test_lists_and_whole_numbers_are_taken():
    one = train(MODEL, X, Y, RULE, epochs=1, batch_size=5, seed=3, params=np.ones(3))[0]
    two = train(
        MODEL, X.tolist(), Y.tolist(), RULE, epochs=1, batch_size=5, seed=3, params=[1, 1, 1]
    )[0]
    assert np.array_equal(one, two)


# ---------------------------------------------------------------- what is recorded, and when


# After which updates of 5, 5, 5, 5 and 3 examples, twice, something is recorded.
@pytest.mark.parametrize(
    ("record_every", "steps"),
    [
        (None, [0, 5, 10]),
        (23, [0, 5, 10]),
        (1, list(range(11))),
        (5, [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]),  # after 20 examples come 23, and the next is at 28
        (10, [0, 2, 4, 7, 9, 10]),  # 10, 20, 33, 43, and the end
        (7, [0, 2, 3, 5, 6, 8, 9, 10]),  # no multiple of a batch: 10, 15, 23, 28, 38, 43, 46
        (46, [0, 10]),
        (1000, [0, 10]),
    ],
)
def test_records(record_every, steps):
    params, history = run(record_every=record_every)
    path = by_hand(MODEL, X, Y, RULE, 2, 5, 3)
    assert history.step.tolist() == steps
    seen = np.cumsum([0, *[5, 5, 5, 5, 3] * 2])[steps]
    assert history.examples.tolist() == seen.tolist()
    assert history.epoch.tolist() == (seen / 23).tolist()
    assert history.loss.tolist() == [MODEL.loss_and_grad(path[i], X, Y)[0] for i in steps]
    assert history.lr.tolist() == [0.1] * len(steps)
    assert np.array_equal(params, path[-1])


def test_recording_changes_no_update():
    assert np.array_equal(run()[0], run(record_every=1)[0])


@pytest.mark.parametrize("batch_size", [1, 7, 23, 99])
def test_arrays_of_one_length_and_of_their_types(batch_size):
    _, history = run(batch_size=batch_size, epochs=4)
    lengths = {len(getattr(history, name)) for name in ARRAYS}
    assert lengths == {5}
    kinds = {name: getattr(history, name).dtype.kind for name in ARRAYS}
    assert kinds == {"step": "i", "examples": "i"} | dict.fromkeys(
        ("epoch", "loss", "lr", "seconds"), "f"
    )
    assert history.epoch.tolist() == [0, 1, 2, 3, 4]
    assert history.step.tolist() == [math.ceil(23 / batch_size) * epoch for epoch in range(5)]


@pytest.mark.parametrize("rule", [RULE, Adam(lr=0.3)], ids=repr)
def test_no_epochs(rule):
    start = [1.0, 2.0, 3.0]
    params, history = run(rule, epochs=0, params=start)
    assert params.tolist() == start
    assert [getattr(history, name).tolist() for name in ARRAYS if name != "loss"] == [
        [0],
        [0],
        [0],
        [rule.lr],
        [0],
    ]
    assert history.loss.tolist() == [MODEL.loss_and_grad(np.array(start), X, Y)[0]]
    assert history.stop == "steps"


def test_schedule_counts_updates_and_its_rates_are_recorded():
    calls = []

    def schedule(t):
        calls.append(t)
        return 0.1 / (1 + t)

    _, history = run(schedule=schedule, record_every=10)
    assert calls == [0, *range(10)]  # once for the record of the start
    assert history.step.tolist() == [0, 2, 4, 7, 9, 10]
    # That of the update just done, so step - 1; at the start that of the first.
    assert history.lr.tolist() == [0.1 / (1 + t) for t in (0, 1, 3, 6, 8, 9)]


def test_seconds_are_those_of_the_updates(monkeypatch):
    """With a clock on which a gradient of a batch takes 1 second and a loss of all takes 100."""
    now = [0.0]
    monkeypatch.setattr("gdcourse.training.time.perf_counter", lambda: now[0])

    def loss_and_grad(params, X, y):
        now[0] += 100 if len(y) == 23 else 1
        return MODEL.loss_and_grad(params, X, y)

    slow = SimpleNamespace(init=MODEL.init, loss_and_grad=loss_and_grad)
    options = {"batch_size": 5, "seed": 3, "record_every": 10}
    _, history = train(slow, X, Y, RULE, epochs=2, **options)
    assert history.seconds.tolist() == history.step.tolist() == [0, 2, 4, 7, 9, 10]
    # The update that failed took its second, too.
    _, history = train(slow, X, Y, GradientDescent(lr=1e40), epochs=2, **options)
    assert history.step.tolist() == [0, 2, 3]
    assert history.seconds.tolist() == [0, 2, 4]


def test_seconds_never_fall():
    _, history = run(record_every=1, epochs=20)
    assert history.seconds[0] == 0
    assert (np.diff(history.seconds) >= 0).all()
    assert 0 < history.seconds[-1] < 60


def test_what_a_history_says():
    _, history = run(params=np.zeros(3))
    first, last = history.loss[[0, -1]]
    told = f"History(10 steps, 2 epochs, loss {first:.6g} -> {last:.6g}, stop: steps)"
    assert repr(history) == told


def test_histories_are_frozen_and_equal_to_themselves_alone():
    """Arrays in them are compared by whoever asks, entry by entry."""
    _, one = run()
    _, same = run()
    with pytest.raises(AttributeError):
        one.stop = "diverged"
    assert one == one
    assert one != same


# ---------------------------------------------------------------- divergence


@pytest.mark.parametrize("record_every", [None, 1, 1000])
@pytest.mark.parametrize("batch_size", [1, 5, 23])
def test_diverged_run_ends_with_the_last_finite_parameters(batch_size, record_every):
    """It says at which step, and the last record is of the parameters that are returned."""
    rule = GradientDescent(lr=1e5)
    params, history = run(rule, batch_size=batch_size, epochs=200, record_every=record_every)
    assert history.stop == "diverged"
    steps = int(history.step[-1])
    assert repr(history).endswith(f"stop: diverged at step {steps + 1})")
    with np.errstate(over="ignore", invalid="ignore"):
        path = by_hand(MODEL, X, Y, rule, 200, batch_size, 3)[: steps + 2]
        assert np.array_equal(params, path[steps])
        assert np.isfinite(params).all()
        assert not np.isfinite(path[steps + 1] @ path[steps + 1])
        assert history.loss[-1] == MODEL.loss_and_grad(params, X, Y)[0]
    passes, rest = divmod(steps, math.ceil(23 / batch_size))
    assert history.examples[-1] == 23 * passes + batch_size * rest
    assert len(set(history.step.tolist())) == len(history.step)


def test_divergence_at_the_first_update():
    params, history = run(GradientDescent(lr=1e200), params=np.ones(3), batch_size=23)
    assert params.tolist() == [1, 1, 1]
    assert history.step.tolist() == [0]
    assert repr(history).endswith("stop: diverged at step 1)")


def test_diverged_run_keeps_the_rate_of_its_last_update():
    """The update that failed had another one, and is left out."""
    rates = [0.1, 0.2, 1e300]
    _, history = run(schedule=lambda t: rates[t], record_every=1000)
    assert history.step.tolist() == [0, 2]
    assert history.lr.tolist() == [0.1, 0.2]


@pytest.mark.parametrize("start", [1e150, 1e155, 1e160, 1e308])
def test_huge_start_warns_of_nothing(start):
    """Parameters that are finite and a loss that is not: warnings would be errors here."""
    params, history = run(params=[start] * 3, epochs=100, batch_size=1)
    assert np.isfinite(params).all()
    assert history.stop in ("steps", "diverged")


# ---------------------------------------------------------------- progress


def test_no_bar_where_there_is_no_terminal(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    items = [1, 2, 3]
    assert progress(items, 3, "here") is items


class Bar:
    """Stands for tqdm and keeps what it was given."""

    made: list[dict] = []  # noqa: RUF012

    def __init__(self, items, **options):
        self.items = items
        self.made.append(options)

    def __iter__(self):
        return iter(self.items)


@pytest.fixture
def terminal(monkeypatch):
    """Pretend that there is a terminal, and that tqdm is ``Bar``."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setitem(sys.modules, "tqdm", SimpleNamespace(tqdm=Bar))
    monkeypatch.setattr(Bar, "made", [])
    return Bar


def test_bar_on_a_terminal(terminal):
    """Late, so that short work shows none, and gone when the work is done."""
    plain, history = run()
    assert terminal.made == [{"desc": "train", "total": 10, "delay": 2, "leave": False}]
    minimize(gd.square(), 1.0, RULE, steps=4)
    assert terminal.made[1] == {"desc": "minimize", "total": 5, "delay": 2, "leave": False}
    assert history.step.tolist() == [0, 5, 10]
    assert np.isfinite(plain).all()


def test_tqdm_takes_what_it_is_given(monkeypatch, capsys):
    """The real one, with all options: nothing is shown of work that ends at once."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert list(progress(range(3), 3, "here")) == [0, 1, 2]
    assert capsys.readouterr().err == ""


def test_without_tqdm_there_is_no_bar(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    there = builtins.__import__

    def missing(name, *arguments, **options):
        if name == "tqdm":
            raise ImportError(name)
        return there(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    items = [1, 2, 3]
    assert progress(items, 3, "here") is items
    assert run()[1].step.tolist() == [0, 5, 10]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"epochs": -1}, ValueError, "epochs must be at least 0, got -1."),
        (
            {"epochs": 1.5},
            TypeError,
            "epochs must be a whole number, at least 0, got 1.5 of type float.",
        ),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0."),
        (
            {"batch_size": None},
            TypeError,
            "batch_size must be a whole number, at least 1, got None of type NoneType.",
        ),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1."),
        (
            {"seed": None},
            TypeError,
            "seed must be a whole number, at least 0, got None of type NoneType.",
        ),
        ({"record_every": 0}, ValueError, "record_every must be at least 1, got 0."),
        (
            {"params": [1.0, 2.0]},
            ValueError,
            "params must have shape (3,) for this model and data, got (2,).",
        ),
        (
            {"params": np.ones((3, 1))},
            ValueError,
            "params must have shape (3,) for this model and data, got (3, 1).",
        ),
        (
            {"params": [1.0, math.nan, 2.0]},
            ValueError,
            "params must be finite, got [ 1. nan  2.].",
        ),
    ],
    ids=str,
)
def test_bad_option(options, error, told):
    with pytest.raises(error, match=f"^{re.escape(f'train: {told}')}$"):
        run(**options)


@pytest.mark.parametrize("params", [None, np.zeros(3)], ids=["drawn", "given"])
@pytest.mark.parametrize(
    ("model", "bad_X", "bad_y", "told"),
    [
        (MODEL, X, Y.reshape(-1, 1), "LinearRegression: y must have shape (n,) with n = 23"),
        (MODEL, X, Y[:-1], "LinearRegression: y must have shape (n,) with n = 23"),
        (MODEL, X[:, 0], Y, "LinearRegression: X must be an array of floats of shape (n, d)"),
        (MODEL, X, np.full(23, np.nan), "LinearRegression: X and y must be finite"),
        (LogisticRegression(), X, Y, "LogisticRegression: y must hold whole numbers from 0 to 1"),
    ],
    ids=str,
)
def test_bad_data_is_the_models_to_refuse(model, bad_X, bad_y, told, params):
    with pytest.raises(ValueError, match=f"^{re.escape(told)}"):
        train(model, bad_X, bad_y, RULE, epochs=1, batch_size=5, seed=0, params=params)
