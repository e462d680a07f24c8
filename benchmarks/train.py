"""How long ``gdcourse.train`` takes beside loops in other frameworks, as ratios.

The problem is that of the chapter on stochastic gradient descent in Deep Learning: The Straight
Dope: linear regression on 1000 examples with two inputs and an intercept, three epochs, the loss
over all the data every ten examples. All loops see the same examples in the same order, in
float64 on one thread, and must arrive at the same parameters and losses. They run in turn, so
that whatever else the machine does meets them alike, and medians of the processor's time are
printed, in which waiting for other programs does not count.

    python benchmarks/train.py [--repeat 15]

NumPy and the package are enough. scikit-learn, PyTorch and MXNet take part where installed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

# Read when NumPy and the frameworks are imported.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

import gdcourse as gd  # noqa: E402

EPOCHS, EVERY, LR, SEED = 3, 10, 0.1, 0
_X, Y, _ = gd.normal_regression(seed=1)
X = gd.add_intercept(_X)
N, D = X.shape

Result = tuple[np.ndarray, list[float]]
Loop = Callable[[int], Result]


def orders() -> np.random.Generator:
    """Return the generator that ``train`` draws the order of the examples from."""
    return np.random.default_rng(np.random.SeedSequence(SEED).spawn(2)[1])


def package(batch_size: int) -> Result:
    """Train with the package."""
    params, history = gd.train(
        gd.LinearRegression(),
        X,
        Y,
        gd.GradientDescent(lr=LR),
        epochs=EPOCHS,
        batch_size=batch_size,
        seed=SEED,
        params=np.zeros(D),
        record_every=EVERY,
    )
    return params, history.loss.tolist()


def by_hand(batch_size: int) -> Result:
    """Do the same with no checks: one gather an epoch, slices, three products a step."""
    rng, params = orders(), np.zeros(D)

    def loss() -> float:
        residual = X @ params - Y
        return float(residual @ residual) / (2 * N)

    losses = [loss()]
    for _ in range(EPOCHS):
        order = rng.permutation(N)
        shuffled_X, shuffled_y = X[order], Y[order]
        for first in range(0, N, batch_size):
            last = first + batch_size
            batch = shuffled_X[first:last]
            residual = batch @ params - shuffled_y[first:last]
            params = params - LR * (residual @ batch / len(batch))
            if last % EVERY == 0:
                losses.append(loss())
    return params, losses


def scikit_learn() -> Loop:
    """Return the loop on SGDRegressor, which takes the losses from outside."""
    from sklearn.linear_model import SGDRegressor

    def loop(batch_size: int) -> Result:
        """Feed ten examples a call: it updates after each, so this is batch size 1."""
        model = SGDRegressor(
            penalty=None, learning_rate="constant", eta0=LR, fit_intercept=False, shuffle=False
        )
        rng, losses = orders(), [float(Y @ Y) / (2 * N)]
        for _ in range(EPOCHS):
            order = rng.permutation(N)
            shuffled_X, shuffled_y = X[order], Y[order]
            for first in range(0, N, EVERY):
                last = first + EVERY
                model.partial_fit(shuffled_X[first:last], shuffled_y[first:last])
                residual = X @ model.coef_ - Y
                losses.append(float(residual @ residual) / (2 * N))
        return model.coef_, losses

    return loop


def pytorch() -> Loop:
    """Return the loop on automatic derivatives and an optimizer of PyTorch."""
    import torch

    torch.set_num_threads(1)
    all_X, all_y = torch.from_numpy(X), torch.from_numpy(Y)

    def loop(batch_size: int) -> Result:
        params = torch.zeros(D, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([params], lr=LR)

        def loss(X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return ((X @ params - y) ** 2).mean() / 2

        with torch.no_grad():
            rng, losses = orders(), [loss(all_X, all_y).item()]
        for _ in range(EPOCHS):
            order = torch.from_numpy(rng.permutation(N))
            shuffled_X, shuffled_y = all_X[order], all_y[order]
            for first in range(0, N, batch_size):
                last = first + batch_size
                optimizer.zero_grad()
                loss(shuffled_X[first:last], shuffled_y[first:last]).backward()
                optimizer.step()
                if last % EVERY == 0:
                    with torch.no_grad():
                        losses.append(loss(all_X, all_y).item())
        return params.detach().numpy(), losses

    return loop


def mxnet() -> Loop:
    """Return the loop on automatic derivatives of MXNet, with the step written out."""
    # MXNet 1.9.1 was made for NumPy below 1.24, which had these.
    for name, kind in {"bool": bool, "int": int, "float": float, "object": object}.items():
        if name not in vars(np):
            setattr(np, name, kind)
    from mxnet import autograd, nd

    all_X, all_y = nd.array(X, dtype="float64"), nd.array(Y, dtype="float64")

    def loop(batch_size: int) -> Result:
        params = nd.zeros(D, dtype="float64")
        params.attach_grad()

        def loss(X: nd.NDArray, y: nd.NDArray) -> nd.NDArray:
            return ((nd.dot(X, params) - y) ** 2).mean() / 2

        rng, losses = orders(), [loss(all_X, all_y).asscalar()]
        for _ in range(EPOCHS):
            order = nd.array(rng.permutation(N), dtype="int64")
            shuffled_X, shuffled_y = all_X.take(order), all_y.take(order)
            for first in range(0, N, batch_size):
                last = first + batch_size
                with autograd.record():
                    value = loss(shuffled_X[first:last], shuffled_y[first:last])
                value.backward()
                params[:] = params - LR * params.grad
                if last % EVERY == 0:
                    losses.append(loss(all_X, all_y).asscalar())
        return params.asnumpy(), losses

    return loop


FRAMEWORKS = {
    "scikit-learn, partial_fit": (scikit_learn, (1,)),
    "PyTorch, autograd and SGD": (pytorch, (1, 10)),
    "MXNet, autograd": (mxnet, (1, 10)),
}


def main() -> None:
    """Run all loops that are installed, check that they agree, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=15, metavar="n", help="runs of each loop")
    repeat = parser.parse_args().repeat

    loops: dict[str, tuple[Loop, tuple[int, ...]]] = {
        "NumPy, by hand": (by_hand, (1, 10)),
        "gdcourse.train": (package, (1, 10)),
    }
    for name, (make, sizes) in FRAMEWORKS.items():
        try:
            loops[name] = make(), sizes
        except (ImportError, AttributeError) as error:
            print(f"Left out: {name}: {error}")

    medians: dict[tuple[str, int], float] = {}
    for batch_size in (1, 10):
        taking_part = {name: loop for name, (loop, sizes) in loops.items() if batch_size in sizes}
        expected, losses = by_hand(batch_size)
        for name, loop in taking_part.items():  # which warms it up, too
            found, seen = loop(batch_size)
            np.testing.assert_allclose(found, expected, rtol=1e-9, err_msg=name)
            np.testing.assert_allclose(seen, losses, rtol=1e-9, err_msg=name)
        seconds: dict[str, list[float]] = {name: [] for name in taking_part}
        for _ in range(repeat):
            for name, loop in taking_part.items():
                start = time.process_time()
                loop(batch_size)
                seconds[name].append(time.process_time() - start)
        medians |= {(name, batch_size): statistics.median(all_) for name, all_ in seconds.items()}

    print(f"{N} examples, {EPOCHS} epochs, a loss every {EVERY} examples; {repeat} runs, medians")
    print(f"\n{'':27}{'batch size 1':>21}{'batch size 10':>21}")
    for name in loops:
        row = ""
        for batch_size in (1, 10):
            if (name, batch_size) in medians:
                median = medians[name, batch_size]
                ratio = median / medians["NumPy, by hand", batch_size]
                row += f"{ratio:9.2f} ({1000 * median:6.1f} ms)"
            else:
                row += f"{'-':>21}"
        print(f"{name:27}{row}")

    train = medians["gdcourse.train", 1]
    print("\nAt batch size 1:")
    print(f"  train over the loop by hand {train / medians['NumPy, by hand', 1]:6.2f}, at most 2")
    if ("PyTorch, autograd and SGD", 1) in medians:
        torch = medians["PyTorch, autograd and SGD", 1]
        print(f"  PyTorch over train          {torch / train:6.1f}, at least 20")


if __name__ == "__main__":
    main()
