"""Record the runs of ``runs.py`` with the frameworks themselves.

From the root, in an environment that has the framework in the version to compare with:

    python -m tests.parity.record torch
    python -m tests.parity.record optax

The files in ``recorded/`` are overwritten; commit them. Nothing of the package's
arithmetic is used here, only the names and the defaults of its fields. The frameworks
are imported where they are used, so that this file can be read without them.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from tests.parity.compare import FOLDER, at_kept_steps, description
from tests.parity.runs import (
    DROP_AFTER,
    RUNS,
    SCHEDULE_STEPS,
    SCHEDULES,
    Run,
    gradients,
    make_rule,
    start,
)


def torch_optimizer(run: Run, x: Any) -> Any:
    """Return PyTorch's optimizer for ``run``, with PyTorch's own defaults."""
    from torch import optim

    options: dict[str, Any] = dict(run.hyper)
    if "beta1" in options or "beta2" in options:
        options["betas"] = (options.pop("beta1", 0.9), options.pop("beta2", 0.999))
    if run.rule in ("Momentum", "Nesterov"):
        options = {"momentum": 0.9, **options}
    if run.rule == "RMSProp" and "rho" in options:
        options["alpha"] = options.pop("rho")
    make: dict[str, Any] = {
        "GradientDescent": optim.SGD,
        "Momentum": optim.SGD,
        "Nesterov": lambda x, **options: optim.SGD(x, nesterov=True, **options),
        "AdaGrad": optim.Adagrad,
        "RMSProp": optim.RMSprop,
        "AdaDelta": optim.Adadelta,
        "Adam": optim.Adam,
        "AdamW": optim.AdamW,
        "AMSGrad": lambda x, **options: optim.Adam(x, amsgrad=True, **options),
    }
    return make[run.rule]([x], **options)


def torch_points(run: Run) -> np.ndarray:
    """Return PyTorch's points of ``run``, shape (STEPS, COORDINATES)."""
    import torch

    x = torch.tensor(start(run), requires_grad=True)
    optimizer = torch_optimizer(run, x)
    points = []
    for step, grad in enumerate(gradients(run.scale)):
        if run.drop and step == DROP_AFTER:
            optimizer.param_groups[0]["lr"] /= 10
        x.grad = torch.tensor(grad)
        optimizer.step()
        points.append(x.detach().numpy().copy())
    return np.stack(points)


def torch_rates(name: str, lr: float, options: dict[str, Any]) -> list[float]:
    """Return the rates of PyTorch's scheduler ``name`` for the steps from 0."""
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    rates = []
    for _ in range(SCHEDULE_STEPS):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return rates


def optax_points(run: Run) -> np.ndarray:
    """Return Optax's points of ``run``, shape (STEPS, COORDINATES)."""
    import jax
    import optax

    # Optax's weight decay is 1e-3 and its lr has no default: ours are the paper's.
    rule = make_rule(run)
    options = {"b1": rule.beta1, "b2": rule.beta2, "weight_decay": rule.weight_decay}
    with jax.enable_x64(True):
        transform = optax.lion(rule.lr, **options)
        x = jax.numpy.asarray(start(run))
        state = transform.init(x)
        points = []
        for step, grad in enumerate(gradients(run.scale)):
            if run.drop and step == DROP_AFTER:
                transform = optax.lion(rule.lr / 10, **options)
            move, state = transform.update(jax.numpy.asarray(grad), state, x)
            x = optax.apply_updates(x, move)
            points.append(np.array(x))
    return np.stack(points)


POINTS = {"torch": torch_points, "optax": optax_points}


def write(name: str, told: dict[str, Any]) -> None:
    """Write ``told`` as JSON, in lines so that a change can be read as a difference."""
    text = json.dumps(told, indent=1)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def main(framework: str) -> None:
    """Record all runs of a framework, and the schedules with PyTorch."""
    made_by = {"framework": framework, "version": __import__(framework).__version__}
    runs = [run for run in RUNS if run.framework == framework]
    points = np.stack([at_kept_steps(POINTS[framework](run)) for run in runs])
    np.save(FOLDER / f"{framework}.npy", points)
    write(framework, made_by | description(framework))
    if framework == "torch":
        rates = {name: torch_rates(*theirs) for name, (_, theirs) in SCHEDULES.items()}
        write("schedules", made_by | {"rates": rates})


if __name__ == "__main__":
    main(*sys.argv[1:])
