"""Reverse mode: gradients of what NumPy computes, from a tape.

A :class:`Variable` is an array that remembers. What NumPy computes from one is another variable,
written on the same tape, with the way back to what it was computed from. One walk along the tape,
from its end to its beginning, gives the derivatives of the last number with respect to all others.

:func:`gradient` and :func:`value_and_gradient` hide the tape: a function of an array becomes its
gradient, which the rules of :mod:`gdcourse.optimizers` take.

References
----------
S. Linnainmaa, Taylor expansion of the accumulated rounding error, 1976. A. Griewank, A. Walther,
Evaluating Derivatives, 2nd edition, 2008.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def _matrices(g: Any, a: Any, b: Any) -> tuple[Array, Array, Array]:
    """Return g, a and b of g = a @ b as matrices: a vector is a row left of @, a column right."""
    a, b = np.atleast_2d(a), np.reshape(b, (len(b), -1))
    return np.reshape(g, (len(a), -1)), a, b


def _to_left(g: Any, y: Any, a: Any, b: Any) -> Array:
    g, _, b = _matrices(g, a, b)
    return np.reshape(g @ b.T, np.shape(a))


def _to_right(g: Any, y: Any, a: Any, b: Any) -> Array:
    g, a, _ = _matrices(g, a, b)
    return np.reshape(a.T @ g, np.shape(b))


#: The ways back of each function y of a, or of a and b: what its arguments get, given g, the
#: derivative of the last number with respect to y. Where the arguments of ``np.maximum`` are
#: equal the second gets all, so that ``np.maximum(x, 0)`` has the derivative 0 at 0, which is
#: what the frameworks take.
RULES: dict[np.ufunc, tuple[Callable[..., Any], ...]] = {
    np.add: (lambda g, y, a, b: g, lambda g, y, a, b: g),
    np.subtract: (lambda g, y, a, b: g, lambda g, y, a, b: -g),
    np.multiply: (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
    np.divide: (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
    np.power: (
        lambda g, y, a, b: g * b * a ** np.where(np.equal(b, 0), 1, b - 1),
        lambda g, y, a, b: g * y * np.log(a),
    ),
    np.matmul: (_to_left, _to_right),
    np.maximum: (lambda g, y, a, b: g * (a > b), lambda g, y, a, b: g * (a <= b)),
    np.absolute: (lambda g, y, a: g * np.sign(a),),
    np.negative: (lambda g, y, a: -g,),
    np.square: (lambda g, y, a: g * 2 * a,),
    np.sqrt: (lambda g, y, a: g / (2 * y),),
    np.exp: (lambda g, y, a: g * y,),
    np.log: (lambda g, y, a: g / a,),
    np.tanh: (lambda g, y, a: g * (1 - y * y),),
    np.sin: (lambda g, y, a: g * np.cos(a),),
    np.cos: (lambda g, y, a: -g * np.sin(a),),
}

# Their answers are no numbers to differentiate.
_COMPARISONS = (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal)


class Variable(np.lib.mixins.NDArrayOperatorsMixin):
    """An array on a tape.

    The operators, the functions in ``RULES``, ``sum``, ``reshape``, ``T`` and indexing give new
    variables, from variables and arrays of any shapes that broadcast; ``@`` takes matrices and
    vectors. A comparison gives an array of truth values.

    Parameters
    ----------
    value : array
        The numbers.
    tape : list of Variable
        Where the new variable is written down.
    parents : sequence of (Variable, callable), default ()
        What it was computed from, each with the way back: from the derivative of the last number
        with respect to this variable to the contribution that the parent gets.

    Notes
    -----
    ``value`` is the array, ``adjoint`` the derivative of the last number with respect to it, after
    :func:`backward`. It stays None where the last number does not depend on the variable.

    Examples
    --------
    >>> tape = []
    >>> x = Variable(np.array(3.0), tape)
    >>> y = x * x + x
    >>> backward(y)
    >>> float(y.value), float(x.adjoint), len(tape)
    (12.0, 7.0, 3)
    """

    def __init__(
        self,
        value: Any,
        tape: list[Variable],
        parents: tuple[tuple[Variable, Callable[[Any], Any]], ...] = (),
    ) -> None:
        self.value, self.tape, self.parents = np.asarray(value), tape, parents
        self.adjoint: Any = None
        tape.append(self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        values = [detach(given) for given in inputs]
        # x += y asks for the sum in x. It gets the name, the old x stays.
        out = options.pop("out", (self,))
        if method == "__call__" and ufunc in _COMPARISONS:
            return ufunc(*values)
        _check_known(ufunc, method, options, out, values)
        y = ufunc(*values)
        parents = tuple(
            (given, lambda g, way=way: way(g, y, *values))
            for given, way in zip(inputs, RULES[ufunc], strict=True)
            if isinstance(given, Variable)
        )
        return Variable(y, self.tape, parents)

    def __getitem__(self, index: Any) -> Variable:
        def back(g: Any) -> Array:
            whole = np.zeros_like(self.value)
            np.add.at(whole, index, g)  # an entry that was taken twice gets both
            return whole

        return Variable(self.value[index], self.tape, ((self, back),))

    def sum(self, axis: Any = None, out: None = None, *, keepdims: bool = False) -> Variable:
        """Return the sum of all entries, or of those along an axis; ``np.sum`` asks for it."""

        def back(g: Any) -> Array:
            kept = g if keepdims or axis is None else np.expand_dims(g, axis)
            return np.broadcast_to(kept, self.shape)

        y = self.value.sum(axis=axis, keepdims=keepdims)
        return Variable(y, self.tape, ((self, back),))

    def mean(
        self, axis: Any = None, dtype: None = None, out: None = None, *, keepdims: bool = False
    ) -> Variable:
        """Return the mean of all entries, or of those along an axis; ``np.mean`` asks for it."""
        total = self.sum(axis, keepdims=keepdims)
        result: Variable = total * (total.value.size / self.value.size)
        return result

    def reshape(self, *shape: int) -> Variable:
        """Return the same entries in another shape."""
        y = self.value.reshape(*shape)
        return Variable(y, self.tape, ((self, lambda g: g.reshape(self.shape)),))

    @property
    def T(self) -> Variable:
        """The transpose."""
        return Variable(self.value.T, self.tape, ((self, lambda g: g.T),))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value."""
        return self.value.shape

    def __len__(self) -> int:
        return len(self.value)

    def __array__(self, *_: Any, **__: Any) -> Array:
        # Without this NumPy would put the variable, as an object, into an array of its own.
        raise TypeError(
            "autograd: this function of NumPy is not differentiated here; build it from those in "
            "gdcourse.autograd.RULES, or use detach(x) for an array through which nothing flows."
        )

    def __repr__(self) -> str:
        return f"Variable({self.value!r})"


def detach(x: Any) -> Any:
    """Return the array of a variable, through which nothing flows back; anything else as it is.

    Examples
    --------
    >>> x = Variable(np.array([1.0, 2.0]), [])
    >>> detach(x), detach(3.0)
    (array([1., 2.]), 3.0)
    """
    return x.value if isinstance(x, Variable) else x


def backward(output: Variable) -> None:
    """Walk the tape back from a number, and leave in each variable its adjoint.

    Parameters
    ----------
    output : Variable of one entry
        What is differentiated. Whatever was on the tape before it gets its adjoint anew.

    Raises
    ------
    ValueError
        If ``output`` has more entries than one: sum it, or differentiate them one by one.
    """
    _check_number(output.value)
    for variable in output.tape:
        variable.adjoint = None
    output.adjoint = np.ones_like(output.value)
    for variable in reversed(output.tape):
        if variable.adjoint is None:
            continue
        for parent, back in variable.parents:
            flow = _fit(back(variable.adjoint), parent.value)
            first = parent.adjoint is None
            parent.adjoint = flow if first else parent.adjoint + flow


def _check_number(output: Any) -> None:
    """Raise unless a result is one number."""
    if np.size(output) != 1:
        raise ValueError(
            f"autograd: only a number can be differentiated, got an array of shape "
            f"{np.shape(output)}; take its sum, its mean or one entry."
        )


def _fit(g: Any, value: Array) -> Any:
    """Return g, summed over the axes along which ``value`` was stretched, in its dtype."""
    g = np.asarray(g, dtype=value.dtype)
    if g.shape == value.shape:
        return g
    new = g.ndim - value.ndim
    ones = [new + i for i, n in enumerate(value.shape) if n == 1]
    summed = g.sum(axis=(*range(new), *ones))
    return np.asarray(summed.reshape(value.shape))


def value_and_gradient(f: Callable[[Any], Any]) -> Callable[[Any], tuple[float, Array]]:
    """Return the function that gives f(x) and the gradient of f at x.

    Parameters
    ----------
    f : callable, array -> number
        Made of NumPy's functions in ``RULES``, the operators, and what :class:`Variable` offers.
        It is run once for each x and may contain loops and conditions.

    Returns
    -------
    callable, array of floats -> (float, array of the same shape)

    Raises
    ------
    TypeError
        On a call, if x does not hold floats, or f uses a function without a rule.
    ValueError
        On a call, if f returns more than one number.

    Examples
    --------
    >>> value, slope = value_and_gradient(lambda x: (x * np.exp(-x)).sum())(np.array([0.0, 1.0]))
    >>> round(value, 6), slope
    (0.367879, array([1., 0.]))
    """

    def evaluate(x: Any) -> tuple[float, Array]:
        x = np.asarray(x)
        if x.dtype.kind != "f":
            raise TypeError(
                f"value_and_gradient: x must hold floats, got dtype {x.dtype}; "
                f"convert it with np.asarray(x, dtype=float)."
            )
        tape: list[Variable] = []
        start = Variable(x, tape)
        output = f(start)
        if not isinstance(output, Variable):  # it does not depend on x
            _check_number(output)
            return float(np.asarray(output).item()), np.zeros_like(x)
        backward(output)
        gradient = np.zeros_like(x) if start.adjoint is None else np.array(start.adjoint)
        tape.clear()  # the tape and its variables hold each other
        return float(output.value.item()), gradient

    return evaluate


def gradient(f: Callable[[Any], Any]) -> Callable[[Any], Array]:
    """Return the gradient of f, a function of an array: see :func:`value_and_gradient`.

    Examples
    --------
    >>> slope = gradient(lambda x: x[0] ** 2 * x[1])
    >>> slope(np.array([3.0, 5.0]))
    array([30.,  9.])
    """
    both = value_and_gradient(f)
    return lambda x: both(x)[1]


def _check_known(
    ufunc: np.ufunc, method: str, options: dict[str, Any], out: Any, values: list[Any]
) -> None:
    """Raise unless the tape knows the way back of what is asked for."""
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    if ufunc not in RULES or method != "__call__":
        known = ", ".join(rule.__name__ for rule in RULES)
        raise TypeError(
            f"autograd: no derivative is known for np.{name}, only for {known} and the methods "
            f"of Variable; build it from these, or add its rule to gdcourse.autograd.RULES."
        )
    if options:
        raise TypeError(f"autograd: np.{name} takes no {', '.join(options)} here.")
    if not isinstance(out[0], Variable):
        raise TypeError(
            f"autograd: np.{name} cannot write a variable into an array, as in array += x; "
            f"write array = array + x."
        )
    if ufunc is np.matmul and not all(np.ndim(value) in (1, 2) for value in values):
        shapes = " and ".join(str(np.shape(value)) for value in values)
        raise ValueError(f"autograd: @ takes matrices and vectors, got the shapes {shapes}.")
