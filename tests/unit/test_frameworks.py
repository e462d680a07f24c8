"""The table of what the frameworks run: how it is asked, and what it answers to a wrong question.

That its rows are true is shown in ``tests/parity``.
"""

from __future__ import annotations

import ast
import re
from dataclasses import fields, replace

import pytest

import gdcourse as gd
from gdcourse import frameworks
from gdcourse.frameworks import FRAMEWORKS, RULES, FrameworkRule, find, table

ROWS = [pytest.param(row, id=f"{row.framework} {row.rule}") for row in table()]

# What no framework's own class for the rule can do, in the versions of the table.
MISSING = {
    ("MXNet", "AdamW"),
    ("MXNet", "AMSGrad"),
    ("PyTorch", "Lion"),
    ("MXNet", "Lion"),
}


def test_every_pair_has_a_row_or_is_known_to_have_none():
    pairs = [(row.framework, row.rule) for row in table()]
    assert len(set(pairs)) == len(pairs)
    assert {(framework, rule) for framework in FRAMEWORKS for rule in RULES} - set(pairs) == MISSING
    # Rule by rule, and the frameworks in one order.
    order = [(RULES.index(rule), FRAMEWORKS.index(framework)) for framework, rule in pairs]
    assert order == sorted(order)


@pytest.mark.parametrize("row", ROWS)
def test_row_knows_every_name_it_uses(row):
    names = {
        node.id
        for line in (*row.update, *(row.lines(decay=True) if row.decay else ()))
        for node in ast.walk(ast.parse(line))
        if isinstance(node, ast.Name)
    }
    known = {"x", "g", "t", "sqrt", "max", "sign", "weight_decay", *row.defaults, *row.start}
    made = {line.partition(" =")[0] for line in row.lines(decay=row.decay is not None)}
    assert names <= known | made
    # And uses what it names: no default or state without a place in the lines.
    assert {*row.defaults, *row.start} <= names


@pytest.mark.parametrize("row", ROWS)
def test_row_has_a_parameter_for_each_field_of_the_rule_here(row):
    assert {*row.defaults, *row.fixed} == {field.name for field in fields(row.same)} - optional(row)


def optional(row):
    """Return the fields of our class that the row has no use for: a decay of 0."""
    return {"weight_decay"} if row.same.__name__ == "AdamEpsHat" and row.rule == "Adam" else set()


@pytest.mark.parametrize("row", ROWS)
def test_code_is_python_and_bare_code_gives_only_what_must_be_given(row):
    given = {name: 0.25 for name in row.defaults}
    code = row.code(**given)
    ast.parse(code)
    assert code.count("0.25") == len(given)
    needed = [name for name, value in row.defaults.items() if value is None]
    assert re.findall(r"\$(\w+)", row.bare) == needed
    ast.parse(frameworks.fill(row.bare, given))


def test_defaults_are_used_and_given_values_come_first():
    row = find("Optax", "Adam")
    assert row.values(lr=0.5, eps=1.0) == {"lr": 0.5, "beta1": 0.9, "beta2": 0.999, "eps": 1.0}
    assert row.make(lr=0.5, eps=1.0) == gd.Adam(lr=0.5, eps=1.0)
    assert row.code(lr=0.5, eps=1.0) == ("optax.adam(learning_rate=0.5, b1=0.9, b2=0.999, eps=1.0)")


def test_parameter_without_default_has_to_be_given():
    told = r"^Adam in Optax: lr has no default there; give one, as in lr=0.1.$"
    for ask in (FrameworkRule.values, FrameworkRule.code, FrameworkRule.make):
        with pytest.raises(ValueError, match=told):
            ask(find("Optax", "Adam"), beta1=0.8)


def test_parameter_that_the_rule_does_not_have_is_refused():
    with pytest.raises(ValueError, match=r"Adam in Keras: the parameter .*'lr'.*'rho'"):
        find("Keras", "Adam").values(rho=0.9)


def test_bad_value_is_refused_by_the_rule():
    with pytest.raises(ValueError, match=r"AdamEpsHat: beta1 must satisfy 0 <= beta1 < 1, got 1"):
        find("Keras", "Adam").make(beta1=1.0)


@pytest.mark.parametrize(
    ("framework", "rule", "told"),
    [
        (
            "TensorFlow",
            "Adam",
            r"^find: framework must be 'PyTorch' or .* or 'MXNet', got 'TensorFlow'\.$",
        ),
        ("Keras", "adam", r"^find: rule must be 'SGD' or .*'Adam' or 'AdamW' .*, got 'adam'\.$"),
        ("PyTorch", "Lion", r"^find: PyTorch 2.13.0 has no Lion; it has SGD, .*, AMSGrad\.$"),
        ("MXNet", "AdamW", r"^find: MXNet 1.9.1 has no AdamW; it has SGD, .*, Adam\.$"),
    ],
)
def test_question_without_answer(framework, rule, told):
    with pytest.raises(ValueError, match=told):
        find(framework, rule)


def test_lines_with_decay():
    assert find("MXNet", "AdaDelta").lines(decay=True)[0] == "x = x - weight_decay * x"
    assert find("Keras", "Adam").lines(decay=True)[0] == "x = x - lr * weight_decay * x"
    nag = find("MXNet", "Nesterov")
    assert nag.lines() == nag.update
    assert not set(nag.update) & set(nag.lines(decay=True))


@pytest.mark.parametrize(("framework", "rule"), [("Optax", "SGD"), ("Keras", "AdamW")])
def test_lines_with_a_decay_that_there_is_not(framework, rule):
    with pytest.raises(ValueError, match=f"^{rule} in {framework} has no option for weight decay"):
        find(framework, rule).lines(decay=True)


def test_rows_cannot_be_changed():
    row = find("Keras", "SGD")
    with pytest.raises(AttributeError):
        row.rule = "Adam"
    assert replace(row, rule="Adam").rule == "Adam"
    assert table() is table()


def test_programs_are_python_that_ends_in_w():
    assert frameworks.loops().keys() == set(FRAMEWORKS)
    for program in frameworks.loops().values():
        names = {
            target.id
            for node in ast.walk(ast.parse(program))
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        assert {"X", "y", "w"} <= names
        assert max(map(len, program.splitlines())) <= 79
