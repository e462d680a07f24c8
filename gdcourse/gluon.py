"""MXNet's automatic differentiation for the rules of the course, and Gluon's own Trainer.

The only module that imports mxnet, and the one place that makes NumPy ready for it: MXNet 1.9.1,
its last release, uses six names that NumPy removed in version 1.24, long aliases of Python's own
types (``np.bool`` for ``bool``). They are put back when this module is imported, for the whole
process, so import it before mxnet, or take mxnet from here::

    from gdcourse.gluon import mx

MXNet is no longer developed. It has wheels for Python's then platforms only: Linux on x86-64 and
ARM64 and macOS on Intel. It needs NumPy below 2, and so Python 3.12 or older.
"""

from __future__ import annotations

import math
import platform
import random
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gdcourse._progress import progress
from gdcourse._types import Array, Optimizer, Schedule
from gdcourse._validation import check_count
from gdcourse.training import History


def _import_mxnet() -> Any:
    """Return mxnet, with the names in NumPy that it needs."""
    if np.__version__.startswith("1."):
        for alias in (bool, int, float, complex, object, str):
            if alias.__name__ not in vars(np):
                setattr(np, alias.__name__, alias)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of distutils, and of old ways to write a regex
            import mxnet
    except (ImportError, OSError, AttributeError) as error:
        raise ImportError(
            "gdcourse.gluon needs MXNet 1.9.1, which runs on Python 3.10 to 3.12 with NumPy below "
            "2, on Linux (x86-64, ARM64) and macOS (Intel): pip install 'gdcourse[gluon]'. This "
            f"is Python {platform.python_version()} with NumPy {np.__version__} on "
            f"{platform.system()} {platform.machine()}."
        ) from error
    return mxnet


mx = _import_mxnet()


class ShuffledSampler(mx.gluon.data.Sampler):  # type: ignore[misc,name-defined]
    """All indices, in a new order each time: for :func:`train` and for Gluon's DataLoader.

    Gluon's own RandomSampler draws from NumPy's global generator, which ``mx.random.seed`` does
    not seed. This one has a generator of its own, so that two runs see the same batches. Its
    orders are those of ``random.seed(seed)`` and ``random.shuffle(list(range(n)))``, over and over.

    Parameters
    ----------
    n : int, at least 1
        Number of examples.
    seed : int, at least 0

    Examples
    --------
    >>> orders = ShuffledSampler(5, seed=1)
    >>> list(orders), list(orders), len(orders)
    ([2, 3, 4, 0, 1], [0, 2, 1, 4, 3], 5)
    """

    def __init__(self, n: int, seed: int) -> None:
        check_count("ShuffledSampler", "n", n, 1)
        check_count("ShuffledSampler", "seed", seed, 0)
        self._n, self._draw = n, random.Random(seed)

    def __iter__(self) -> Iterator[int]:
        order = list(range(self._n))
        self._draw.shuffle(order)
        return iter(order)

    def __len__(self) -> int:
        return self._n


def value_and_gradient(f: Callable[[Any], Any]) -> Callable[[Any], tuple[float, Array]]:
    """Return the function that gives f(x) and the gradient of f at x, by MXNet's autograd.

    Parameters
    ----------
    f : callable, NDArray -> NDArray of one entry
        Made of MXNet's functions.

    Returns
    -------
    callable, array of floats -> (float, array of the same shape and precision)
        A number, of shape (), reaches f as an NDArray of shape (1,): MXNet has no others.

    Raises
    ------
    TypeError
        On a call, if x does not hold floats.
    ValueError
        On a call, if f returns more than one number. MXNet's own ``backward`` would take their
        sum, without a word.

    Examples
    --------
    >>> value_and_gradient(lambda x: (x * x).sum())(np.array([1.0, -3.0]))
    (10.0, array([ 2., -6.]))
    """

    def evaluate(x: Any) -> tuple[float, Array]:
        x = np.asarray(x)
        if x.dtype.kind != "f":
            raise TypeError(
                f"value_and_gradient: x must hold floats, got dtype {x.dtype}; "
                f"convert it with np.asarray(x, dtype=float)."
            )
        # Without the dtype MXNet would round to single precision.
        variable = mx.nd.array(np.atleast_1d(x), dtype=x.dtype)
        variable.attach_grad()
        with mx.autograd.record():
            value = f(variable)
        if value.size != 1:
            raise ValueError(
                f"value_and_gradient: f must return one number, got an array of shape "
                f"{value.shape}; take its sum or its mean."
            )
        value.backward()
        return float(value.asnumpy().item()), variable.grad.asnumpy().reshape(x.shape)

    return evaluate


def gradient(f: Callable[[Any], Any]) -> Callable[[Any], Array]:
    """Return the gradient of f, by MXNet's autograd, for the rules of the course.

    See :func:`value_and_gradient`, and :func:`gdcourse.autograd.gradient` for the same in NumPy.

    Examples
    --------
    >>> from gdcourse import Adam, descend
    >>> slope = gradient(lambda x: ((x - 3) ** 2).sum())
    >>> *_, end = descend(slope, np.zeros(2), Adam(lr=0.1), steps=500)
    >>> np.round(end, 3)
    array([3., 3.])
    """
    both = value_and_gradient(f)
    return lambda x: both(x)[1]


def train(
    net: Callable[[Any], Any],
    X: Any,
    y: Any,
    optimizer: Any,
    *,
    epochs: int,
    batch_size: int,
    sampler: Iterable[int],
    params: list[Any] | None = None,
    loss: Callable[[Any, Any], Any] | None = None,
    schedule: Schedule | None = None,
    record_every: int | None = None,
) -> History:
    """Train a network of MXNet with mini-batches; return a history.

    It is the history of :func:`gdcourse.training.train`. The gradient comes from
    ``autograd.record`` and ``backward``. What is done with it depends on the optimizer: a rule of
    the course gets it as a NumPy array, a Trainer does all by itself.

    Parameters
    ----------
    net : callable, NDArray -> NDArray
        A Gluon block, its parameters initialized, or a function that uses ``params``. It is
        trained in place.
    X, y : NDArray, or array
        Examples and targets. An array of NumPy becomes an NDArray in single precision.
    optimizer : a rule of :mod:`gdcourse.optimizers`, or mxnet.gluon.Trainer
    epochs : int, at least 0
        Passes over the data.
    batch_size : int, at least 1
        Examples per update; the last batch of an epoch may be shorter, and its gradient is
        divided by its own size.
    sampler : iterable of int
        Gives the order of the examples of an epoch each time it is iterated over, as
        :class:`ShuffledSampler` does.
    params : list of NDArray, optional
        What a rule is to change, with ``attach_grad`` called on each; without it the parameters
        of the block. A Trainer knows its own.
    loss : callable, (NDArray, NDArray) -> NDArray, optional
        Takes predictions and targets and gives one loss for each example; without it Gluon's
        ``L2Loss``, half of the squared error.
    schedule : callable, t -> lr, optional
        Learning rate of update t = 0, 1, ...; without it the optimizer's own.
    record_every : int, at least 1, optional
        Examples between records; without it one record an epoch.

    Returns
    -------
    History
        Of the mean loss over all of X. A run that diverges stops before the update that gave
        numbers that are not finite; the parameters are those before it.

    Examples
    --------
    >>> from gdcourse import GradientDescent, normal_regression
    >>> X, y, _ = normal_regression(seed=1)
    >>> net = mx.gluon.nn.Dense(1)
    >>> net.initialize(mx.init.Zero())
    >>> train(net, X, y, GradientDescent(lr=0.2), epochs=2, batch_size=10,
    ...       sampler=ShuffledSampler(1000, seed=1)).stop
    'steps'
    """
    check_count("train", "epochs", epochs, 0)
    check_count("train", "batch_size", batch_size, 1)
    if record_every is not None:
        check_count("train", "record_every", record_every, 1)
    X, y = (one if isinstance(one, mx.nd.NDArray) else mx.nd.array(one) for one in (X, y))
    if len(X) != len(y):
        raise ValueError(f"train: X and y must have as many rows, got {len(X)} and {len(y)}.")
    loss = loss or mx.gluon.loss.L2Loss()

    def full_loss() -> float:
        return float(loss(net(X), y).asnumpy().mean(dtype=np.float64))

    first = full_loss()  # and a block learns the shapes that it was not told
    update = (
        _TrainerUpdate(optimizer)
        if isinstance(optimizer, mx.gluon.Trainer)
        else _RuleUpdate(optimizer, _parameters(net) if params is None else params)
    )
    n, every = len(y), record_every or len(y)
    total = epochs * math.ceil(n / batch_size)
    rate = update.lr if schedule is None else schedule(0)
    records = [(0, 0, first, rate, 0.0)]
    step = examples = 0
    due, stop = every, "steps"
    batches = (
        rows[start : start + batch_size]
        for rows in (np.fromiter(sampler, np.int64) for _ in range(epochs))
        for start in range(0, n, batch_size)
    )
    clock, recording = time.perf_counter(), 0.0
    for rows in progress(batches, total, "train"):
        chosen = mx.nd.array(rows, dtype=np.int64)
        with mx.autograd.record():
            value = loss(net(X.take(chosen)), y.take(chosen))
        value.backward()
        if schedule is not None:
            update.lr = schedule(step)
        if not update.step(len(rows)):
            stop = "diverged"
            break
        rate, step, examples = update.lr, step + 1, examples + len(rows)
        if examples >= due or step == total:
            now = time.perf_counter()
            records.append((step, examples, full_loss(), rate, now - clock - recording))
            recording += time.perf_counter() - now
            due = (examples // every + 1) * every
    if step > records[-1][0]:  # it diverged between two records
        now = time.perf_counter()
        records.append((step, examples, full_loss(), rate, now - clock - recording))
    steps, seen, losses, rates, seconds = map(np.array, zip(*records, strict=True))
    return History(steps, seen / n, seen, losses, rates, seconds, stop)


def _parameters(net: Any) -> list[Any]:
    """Return the arrays of a block that have a gradient."""
    if not isinstance(net, mx.gluon.Block):
        raise TypeError(
            "train: params must be given with a rule and a net that is no Gluon block: the list "
            "of the NDArrays that the rule is to change."
        )
    return [one.data() for one in net.collect_params().values() if one.grad_req != "null"]


class _RuleUpdate:
    """Steps of a rule of the course, on NumPy's copies of the parameters."""

    def __init__(self, rule: Optimizer, params: list[Any]) -> None:
        if any(one.grad is None for one in params):
            raise ValueError("train: each of params needs a gradient; call attach_grad() on it.")
        self._rule, self._params = rule, params
        self._states = [rule.init(one.asnumpy()) for one in params]

    @property
    def lr(self) -> float:
        return self._rule.lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._rule = replace(self._rule, lr=lr)  # type: ignore[type-var]

    def step(self, count: int) -> bool:
        """Take a step with the mean gradient of ``count`` examples, unless it diverges."""
        pairs = [(one.asnumpy(), one.grad.asnumpy() / count) for one in self._params]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            results = [
                self._rule.update(x, g, state)
                for (x, g), state in zip(pairs, self._states, strict=True)
            ]
            if not all(np.isfinite(new.dot(new)) for new in (x.ravel() for x, _ in results)):
                return False
        for one, (new, _) in zip(self._params, results, strict=True):
            one[:] = new
        self._states = [state for _, state in results]
        return True


class _TrainerUpdate:
    """Steps of a Trainer of Gluon."""

    def __init__(self, trainer: Any) -> None:
        self._trainer = trainer

    @property
    def lr(self) -> float:
        return float(self._trainer.learning_rate)

    @lr.setter
    def lr(self, lr: float) -> None:
        self._trainer.set_learning_rate(lr)

    def step(self, count: int) -> bool:
        """Take a step with the mean gradient of ``count`` examples, unless it diverges."""
        params = [one.data() for one in self._trainer._params if one.grad_req != "null"]
        before = [one.copy() for one in params]
        self._trainer.step(count)
        with np.errstate(over="ignore", invalid="ignore"):
            arrays = [one.asnumpy().ravel() for one in params]
            if all(np.isfinite(new.dot(new)) for new in arrays):
                return True
        for one, old in zip(params, before, strict=True):
            one[:] = old
        return False
