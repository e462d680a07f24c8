"""The right answers of the exercises, and what wrong ones tell: a module for each chapter.

They are kept out of the chapters so that a reader does not see them before trying. A right
answer is computed, not typed; each wrong one stands under the sentence that it deserves.
"""

from gdcourse._answers import (
    adam,
    adaptive,
    autodiff,
    beyond_quadratics,
    classification,
    comparison,
    conditioning,
    five_runs,
    frameworks,
    generalization,
    gluon,
    how_fast,
    many_dimensions,
    minibatches,
    momentum,
    noise,
    one_dimension,
    reviews,
    schedules,
    stochastic,
)

#: Numbers, gradients and functions, by the label of the exercise.
ANSWERS = (
    one_dimension.ANSWERS
    | many_dimensions.ANSWERS
    | how_fast.ANSWERS
    | conditioning.ANSWERS
    | stochastic.ANSWERS
    | noise.ANSWERS
    | minibatches.ANSWERS
    | five_runs.ANSWERS
    | classification.ANSWERS
    | momentum.ANSWERS
    | beyond_quadratics.ANSWERS
    | adaptive.ANSWERS
    | adam.ANSWERS
    | schedules.ANSWERS
    | comparison.ANSWERS
    | generalization.ANSWERS
    | autodiff.ANSWERS
    | gluon.ANSWERS
    | frameworks.ANSWERS
    | reviews.ANSWERS
)
GRADIENTS = many_dimensions.GRADIENTS | how_fast.GRADIENTS
FUNCTIONS = (
    how_fast.FUNCTIONS
    | conditioning.FUNCTIONS
    | stochastic.FUNCTIONS
    | noise.FUNCTIONS
    | minibatches.FUNCTIONS
    | five_runs.FUNCTIONS
    | classification.FUNCTIONS
    | momentum.FUNCTIONS
    | beyond_quadratics.FUNCTIONS
    | adaptive.FUNCTIONS
    | adam.FUNCTIONS
    | schedules.FUNCTIONS
    | comparison.FUNCTIONS
    | generalization.FUNCTIONS
    | autodiff.FUNCTIONS
    | frameworks.FUNCTIONS
)
