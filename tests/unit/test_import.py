"""What importing the package loads, what it offers, and which module may know which."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gdcourse

ROOT = Path(gdcourse.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.rglob("*.py")
)

# The layers, lowest first: the modules of the package that each may import. A rule, a schedule
# and an objective know nothing of a loop, and a loop is given them: it imports none.
HELPERS = {"_types", "_validation", "_progress"}
LEAVES = {
    "autograd",
    "optimizers",
    "schedules",
    "objectives",
    "gradients",
    "models",
    "moments",
    "data",
}
LOOPS = {"descent", "training"}
LAYERS: dict[str, set[str]] = {
    **{module: set() for module in sorted(HELPERS)},
    **{module: HELPERS for module in sorted((LEAVES | LOOPS) - {"models"})},
    "models": HELPERS | {"autograd"},  # where a gradient is not written out by hand
    "conventions": HELPERS | {"optimizers"},  # the states are the same
    "frameworks": HELPERS | {"optimizers", "conventions"},
    "plotting": HELPERS | LOOPS,
    "page": HELPERS | {"plotting"},
    "_answers": HELPERS | LEAVES | LOOPS,  # computed by doing what the exercise asks for
    "checks": HELPERS | LEAVES | LOOPS | {"_answers"},
    "grading": HELPERS | {"checks"},
    "gluon": HELPERS | {"training"},
    "__init__": LEAVES | LOOPS,
}

# What comes from other projects, beside numpy. PyTorch is nowhere.
OTHERS = {
    "_progress": {"tqdm"},
    "plotting": {"matplotlib"},
    "page": {"matplotlib", "IPython"},
    "gluon": {"mxnet"},
}

PUBLIC = {
    "optimizers": (
        "GradientDescent Momentum Nesterov AdaGrad RMSProp AdaDelta Adam AdamW AMSGrad Lion"
    ),
    "schedules": ("constant step_decay exponential_decay inverse_time_decay cosine_decay warmup"),
    "gradients": "difference_quotient central_difference numerical_gradient check_gradient",
    "objectives": "Objective quadratic rosenbrock beale himmelblau saddle",
    "descent": "descend minimize Trajectory backtracking newton",
    "training": "minibatches train History",
    "models": "LinearRegression LogisticRegression SoftmaxRegression TwoLayerNetwork",
    "moments": "LeastSquaresMoments",
    "data": "add_intercept",
}


def imports(module):
    """Return what a module imports, anywhere in it: full names of modules."""
    tree = ast.parse(ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text("utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}, line {node.lineno}: a relative import"
            parts = (
                [f".{alias.name}" for alias in node.names] if node.module == "gdcourse" else [""]
            )
            names |= {f"{node.module}{part}" for part in parts}
    return names


@pytest.mark.parametrize("module", MODULES)
def test_module_imports_what_its_layer_allows(module):
    layer = module.split(".")[0]  # the parts of a folder may know each other
    assert layer in LAYERS, "a new module: say here which modules it may import"
    own = {name for name in imports(module) if name.split(".")[0] == "gdcourse"}
    assert {name.split(".")[1] for name in own} <= LAYERS[layer] | {layer}
    foreign = {name.split(".")[0] for name in imports(module) - own}
    assert foreign - sys.stdlib_module_names <= {"numpy"} | OTHERS.get(module, set())


def test_layers_are_in_order():
    """Each module may import those above it in the table only, so there is no circle."""
    order = list(LAYERS)
    for module, allowed in LAYERS.items():
        assert all(order.index(name) < order.index(module) for name in allowed)


def test_import_loads_numpy_only():
    """In a fresh interpreter; what numpy itself and the site's start-up load is not counted."""
    code = (
        "import sys, numpy; before = set(sys.modules); import gdcourse; "
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True, check=True
    )
    assert set(run.stdout.split()) - sys.stdlib_module_names == {"gdcourse"}
    assert not run.stderr


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names(module):
    for name in PUBLIC[module].split():
        assert name in gdcourse.__all__
        assert getattr(gdcourse, name).__module__ == f"gdcourse.{module}"


def test_all_public_names_are_there_and_say_what_they_do():
    assert len(set(gdcourse.__all__)) == len(gdcourse.__all__)
    for name in gdcourse.__all__:
        thing = getattr(gdcourse, name)
        assert thing.__doc__, name
        assert thing.__module__.removeprefix("gdcourse.") in LAYERS["__init__"]
