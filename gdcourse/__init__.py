"""Gradient descent, checked: the companion package of the course.

A rule (:mod:`gdcourse.optimizers`) is the equation of one step. A loop
(:mod:`gdcourse.descent` for functions, :mod:`gdcourse.training` for models on data) takes the
steps and keeps what it passed. One-dimensional descent, descent in many dimensions, stochastic
and mini-batch descent are one rule: what changes is the shape of x and where the gradient
comes from.
"""

from gdcourse.data import (
    Dataset,
    add_intercept,
    line,
    load_diabetes,
    load_digits,
    normal_regression,
)
from gdcourse.descent import Trajectory, backtracking, descend, minimize, newton
from gdcourse.gradients import (
    GradientCheck,
    central_difference,
    check_gradient,
    difference_quotient,
    numerical_gradient,
)
from gdcourse.models import LinearRegression, LogisticRegression, SoftmaxRegression, TwoLayerNetwork
from gdcourse.moments import LeastSquaresMoments
from gdcourse.objectives import (
    Objective,
    absolute,
    beale,
    cubic,
    double_well,
    exponential,
    himmelblau,
    huber,
    log_barrier,
    nesterov_chain,
    quadratic,
    quartic,
    ripples,
    rosenbrock,
    saddle,
    square,
)
from gdcourse.optimizers import (
    AdaDelta,
    AdaGrad,
    Adam,
    AdamW,
    AMSGrad,
    GradientDescent,
    Lion,
    Momentum,
    Nesterov,
    RMSProp,
)
from gdcourse.schedules import (
    constant,
    cosine_decay,
    exponential_decay,
    inverse_time_decay,
    step_decay,
    warmup,
)
from gdcourse.training import History, minibatches, train

__version__ = "0.1.0"

__all__ = [
    "AMSGrad",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Dataset",
    "GradientCheck",
    "GradientDescent",
    "History",
    "LeastSquaresMoments",
    "LinearRegression",
    "Lion",
    "LogisticRegression",
    "Momentum",
    "Nesterov",
    "Objective",
    "RMSProp",
    "SoftmaxRegression",
    "Trajectory",
    "TwoLayerNetwork",
    "absolute",
    "add_intercept",
    "backtracking",
    "beale",
    "central_difference",
    "check_gradient",
    "constant",
    "cosine_decay",
    "cubic",
    "descend",
    "difference_quotient",
    "double_well",
    "exponential",
    "exponential_decay",
    "himmelblau",
    "huber",
    "inverse_time_decay",
    "line",
    "load_diabetes",
    "load_digits",
    "log_barrier",
    "minibatches",
    "minimize",
    "nesterov_chain",
    "newton",
    "normal_regression",
    "numerical_gradient",
    "quadratic",
    "quartic",
    "ripples",
    "rosenbrock",
    "saddle",
    "square",
    "step_decay",
    "train",
    "warmup",
]
