"""Run the frameworks themselves: record what they do, or tell what has changed since.

From the root, in an environment that has the frameworks:

    python -m tests.parity.record PyTorch Optax Keras MXNet
    python -m tests.parity.record --compare PyTorch Optax Keras MXNet

The first overwrites the files in ``recorded/``; commit them. The second prints a table and
fails if anything drifted; ``make parity`` calls it. Nothing of the package's arithmetic is used
here: the code that makes an optimizer is the one that the course prints. The frameworks are
imported where they are used, so that this file can be read without them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import numpy as np

from gdcourse import frameworks
from tests.parity.compare import (
    FOLDER,
    TOLERANCE,
    TOLERANCE_SINGLE,
    at_kept_steps,
    description,
    off_by,
    recording,
)
from tests.parity.runs import (
    DROP_AFTER,
    SCHEDULE_STEPS,
    SCHEDULES,
    Reference,
    gradients,
    references,
    start,
)

# Keras computes with a backend; PyTorch's has double precision without more ado.
os.environ.setdefault("KERAS_BACKEND", "torch")

PACKAGES = {"PyTorch": "torch", "Optax": "optax", "Keras": "keras", "MXNet": "mxnet"}


def pytorch_points(reference: Reference) -> Iterator[np.ndarray]:
    """Yield PyTorch's point after each step."""
    import torch

    x = torch.tensor(start(reference), requires_grad=True)
    optimizer = eval(reference.code, {"torch": torch, "params": [x]})
    for step, grad in enumerate(gradients(reference.scale)):
        if reference.drop and step == DROP_AFTER:
            optimizer.param_groups[0]["lr"] /= 10
        x.grad = torch.tensor(grad)
        optimizer.step()
        yield x.detach().numpy().copy()


def optax_points(reference: Reference) -> Iterator[np.ndarray]:
    """Yield Optax's point after each step."""
    import jax
    import optax

    with jax.enable_x64(True):
        optimizer = eval(reference.code, {"optax": optax})
        x = jax.numpy.asarray(start(reference))
        state = optimizer.init(x)
        for step, grad in enumerate(gradients(reference.scale)):
            if reference.drop and step == DROP_AFTER:
                # The state does not know the rate.
                slower = reference.code.replace("learning_rate=", "learning_rate=0.1 * ")
                optimizer = eval(slower, {"optax": optax})
            move, state = optimizer.update(jax.numpy.asarray(grad), state, x)
            x = optax.apply_updates(x, move)
            yield np.array(x)


def keras_points(reference: Reference) -> Iterator[np.ndarray]:
    """Yield Keras' point after each step."""
    import keras

    keras.config.set_floatx("float64")
    x = keras.Variable(start(reference), dtype="float64")
    optimizer = eval(reference.code, {"keras": keras})
    for step, grad in enumerate(gradients(reference.scale)):
        if reference.drop and step == DROP_AFTER:
            optimizer.learning_rate = optimizer.learning_rate / 10
        optimizer.apply([keras.ops.convert_to_tensor(grad, dtype="float64")], [x])
        yield keras.ops.convert_to_numpy(x).copy()


def mxnet_points(reference: Reference) -> Iterator[np.ndarray]:
    """Yield the point after each step of MXNet, which computes in single precision."""
    from gdcourse.gluon import mx

    x = mx.gluon.Parameter("x", shape=start(reference).shape)
    x.initialize(mx.init.Zero())
    x.set_data(mx.nd.array(start(reference)))
    trainer = eval(reference.code, {"mx": mx, "params": [x]})
    for step, grad in enumerate(gradients(reference.scale)):
        if reference.drop and step == DROP_AFTER:
            trainer.set_learning_rate(trainer.learning_rate / 10)
        with mx.autograd.record():
            loss = (x.data() * mx.nd.array(grad)).sum()
        loss.backward()
        trainer.step(1)
        yield x.data().asnumpy().astype(np.float64)


POINTS: dict[str, Callable[[Reference], Iterator[np.ndarray]]] = {
    "PyTorch": pytorch_points,
    "Optax": optax_points,
    "Keras": keras_points,
    "MXNet": mxnet_points,
}


def all_points(framework: str) -> np.ndarray:
    """Return the kept points of all runs of a framework, (runs, steps kept, COORDINATES)."""
    return np.stack(
        [
            at_kept_steps(np.stack(list(POINTS[framework](reference))))
            for reference in references(framework)
        ]
    )


def loop_result(framework: str) -> list[float]:
    """Return where the framework's printed program ends."""
    names: dict[str, Any] = {}
    if framework == "Keras":
        import keras

        keras.config.set_floatx("float32")
    exec(frameworks.loops()[framework], names)
    return [number.item() for number in names["w"]]


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


def schedule_rates() -> dict[str, list[float]]:
    """Return the rates of PyTorch's schedulers, by the names of ours."""
    return {name: torch_rates(*theirs) for name, (_, theirs) in SCHEDULES.items()}


def installed(framework: str) -> str:
    """Return the version that is installed, without the word for the build."""
    return version(PACKAGES[framework]).partition("+")[0]


def write(name: str, told: dict[str, Any]) -> None:
    """Write ``told`` as JSON, in lines so that a change can be read as a difference."""
    text = json.dumps(told, indent=1)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def record(framework: str) -> None:
    """Record all runs of a framework, and the schedules with PyTorch."""
    made_by = {"framework": framework, "version": installed(framework)}
    np.save(FOLDER / f"{framework}.npy", all_points(framework))
    loop = {"loop": loop_result(framework)}
    write(framework, made_by | loop | description(framework))
    if framework == "PyTorch":
        write("schedules", made_by | {"rates": schedule_rates()})


def drift(framework: str) -> tuple[str, bool]:
    """Return a line of the table, and whether anything is not as it was recorded."""
    told = json.loads((FOLDER / f"{framework}.json").read_text(encoding="utf-8"))
    place, before = recording(framework)
    # Of single precision the last digits differ from processor to processor.
    allowed = TOLERANCE_SINGLE if framework == "MXNet" else TOLERANCE
    gaps = {
        str(reference): (off_by(now, before[place[reference]]) if reference in place else np.inf)
        for reference, now in zip(references(framework), all_points(framework), strict=True)
    }
    if framework == "PyTorch":
        text = (FOLDER / "schedules.json").read_text(encoding="utf-8")
        rates = json.loads(text)["rates"]
        for name, now in schedule_rates().items():
            gaps[name] = off_by(np.array(now)[:, None], np.array(rates[name])[:, None])
    # not <=, so that nan counts.
    gone = [name for name, gap in gaps.items() if not gap <= allowed]
    program = off_by(np.array([loop_result(framework)]), np.array([told["loop"]]))
    if not program <= TOLERANCE_SINGLE:
        gone.append("the printed program")
    line = (
        f"{framework:10}{told['version']:>10}{installed(framework):>11}{len(gaps) + 1:6}"
        f"{len(gone):9}{max(gaps.values()):10.1e}{allowed:10.0e}"
    )
    return "\n".join([line, *(f"  drifted: {name}" for name in gone)]), bool(gone)


def main(arguments: list[str]) -> int:
    """Record or compare the frameworks that are named."""
    compare = arguments[:1] == ["--compare"]
    names = arguments[1:] if compare else arguments
    unknown = sorted(set(names) - set(POINTS))
    if unknown or not names:
        print(f"Name some of {', '.join(POINTS)}; got {', '.join(unknown) or 'none'}.")
        return 2
    if not compare:
        for framework in names:
            record(framework)
        return 0
    print("framework   recorded  installed  runs  drifted   largest   allowed")
    failed = False
    for framework in names:
        line, gone = drift(framework)
        print(line, flush=True)
        failed |= gone
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
