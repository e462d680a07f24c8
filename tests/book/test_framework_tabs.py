"""What the tabs on frameworks show is the table: formulas, code, defaults and calls."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

import framework_tabs as tabs
import numpy as np
import pytest

import gdcourse as gd
from gdcourse import conventions, frameworks
from gdcourse.frameworks import FRAMEWORKS, RULES, FrameworkRule

ROWS = list(frameworks.table())
NAMES = [f"{row.framework}-{row.rule}" for row in ROWS]
every_row = pytest.mark.parametrize("row", ROWS, ids=NAMES)

# What the formulas are made of, read without the module that writes them.
SIGNS = {
    r"\hat m": "m_hat",
    r"\hat v": "v_hat",
    r"\hat u": "u_hat",
    r"\eta_t": "rate",
    r"\eta": "lr",
    r"\mu": "momentum",
    r"\rho": "rho",
    r"\beta_1": "beta1",
    r"\beta_2": "beta2",
    r"\varepsilon": "eps",
    r"\lambda": "weight_decay",
}
TOKEN = re.compile(
    "|".join(re.escape(sign) + r"(?![a-z])" for sign in SIGNS)
    + r"|\\(?:frac|sqrt|max|gets|operatorname\{sign\})|\d+(?:\.\d+)?|[a-z]|[-+^{}(),=]|(\s+)"
)


class Reader:
    """Evaluate a formula, in which what stands side by side is multiplied."""

    def __init__(self, text: str, values: dict[str, float]) -> None:
        text = re.sub(r"\\,|&|\\left(?=\()|\\right(?=\))", " ", text)
        self.tokens = []
        at = 0
        while at < len(text):
            match = TOKEN.match(text, at)
            assert match, text[at:]
            self.tokens += [] if match[1] else [match[0]]
            at = match.end()
        self.values = values

    def next(self, *allowed: str) -> str:
        """Take the next token."""
        token = self.tokens.pop(0)
        assert not allowed or token in allowed, (token, self.tokens)
        return token

    def group(self) -> float:
        """Read {...}."""
        self.next("{")
        value = self.sum()
        self.next("}")
        return value

    def sum(self) -> float:
        """Read a sum."""
        value = self.product()
        while self.tokens and self.tokens[0] in "+-":
            sign = 1 if self.next() == "+" else -1
            value += sign * self.product()
        return value

    def product(self) -> float:
        """Read factors, up to a sign or a closing bracket."""
        value = self.power()
        while self.tokens and self.tokens[0] not in {"+", "-", ")", "}", ","}:
            value *= self.power()
        return value

    def power(self) -> float:
        """Read a factor and its exponent."""
        value = self.factor()
        if self.tokens and self.tokens[0] == "^":
            self.next()
            value **= self.group()
        return value

    def factor(self) -> float:
        """Read what can stand in a product."""
        token = self.next()
        if token == r"\frac":
            return self.group() / self.group()
        if token == r"\sqrt":
            return self.group() ** 0.5
        if token == r"\operatorname{sign}":
            return float(np.sign(self.factor()))
        if token == r"\max":
            return max(self.arguments())
        if token == "(":
            value = self.sum()
            self.next(")")
            return value
        if token[0].isdigit():
            return float(token)
        return self.values[SIGNS.get(token, token)]

    def arguments(self) -> Iterator[float]:
        """Read (a, b)."""
        self.next("(")
        yield self.sum()
        self.next(",")
        yield self.sum()
        self.next(")")


def read_assignment(line: str, values: dict[str, float]) -> tuple[str, float]:
    """Return the name on the left of an arrow, and what stands on the right of it."""
    left, right = line.split(r"\gets")
    reader = Reader(right, values)
    value = reader.sum()
    assert not reader.tokens
    left = left.replace("&", "").strip()
    return SIGNS.get(left, left), value


def evaluate(line: str, values: dict[str, float]) -> tuple[str, float]:
    """Return the same of a line of the table."""
    name, expression = line.split(" = ")
    functions = {"sqrt": np.sqrt, "sign": np.sign, "max": max}
    return name, float(eval(expression, functions | values))


def lines_of(formula: str) -> list[str]:
    """Return the steps of a displayed formula."""
    body = formula.removeprefix("$$\n\\begin{aligned}\n").removesuffix(" .\n\\end{aligned}\n$$")
    return body.split(" , \\\\\n")


def formula_says(lines: tuple[str, ...], formula: str) -> bool:
    """Return whether the steps of a formula are those lines, at random values."""
    rng = np.random.default_rng(0)
    names = {*SIGNS.values(), *"cdgmstuvx"}
    steps = lines_of(formula)
    if len(steps) != len(lines):
        return False
    for step, line in zip(steps, lines, strict=True):
        for _ in range(5):
            values = dict(zip(names, rng.uniform(0.1, 0.9, len(names)), strict=True))
            (name, value), (target, wanted) = read_assignment(step, values), evaluate(line, values)
            if name != target or not abs(value - wanted) <= 1e-12 * abs(wanted):
                return False
    return True


@every_row
def test_the_formula_is_the_lines(row: FrameworkRule) -> None:
    assert formula_says(row.update, tabs.formula(row.update))


@pytest.mark.parametrize(
    "lines",
    [
        ("x = x - lr * g / sqrt(s + 2 * eps)",),
        ("x = x - lr * g / (sqrt(s) + eps)",),
        ("x = x + lr * g / sqrt(s + eps)",),
        ("x = x - g / sqrt(s + eps)",),
        ("v = x - lr * g / sqrt(s + eps)",),
        ("s = rho * s", "x = x - lr * g / sqrt(s + eps)"),
    ],
)
def test_another_formula_is_told_apart(lines: tuple[str, ...]) -> None:
    assert not formula_says(lines, tabs.formula(("x = x - lr * g / sqrt(s + eps)",)))


def test_a_formula_as_it_is_written() -> None:
    assert lines_of(tabs.formula(frameworks.find("Keras", "Adam").update)) == [
        r"m &\gets \beta_1 m + (1 - \beta_1)\, g",
        r"v &\gets \beta_2 v + (1 - \beta_2)\, g^{2}",
        r"\eta_t &\gets \eta\, \frac{\sqrt{1 - \beta_2^{t}}}{1 - \beta_1^{t}}",
        r"x &\gets x - \eta_t\, \frac{m}{\sqrt{v} + \varepsilon}",
    ]


def test_what_has_no_formula_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no formula is known for 'x @ y'"):
        tabs.formula(("x = x @ y",))


def code_blocks(text: str) -> list[str]:
    """Return the code in a text."""
    return re.findall(r"```python\n(.*?)\n```", text, re.DOTALL)


def given(row: FrameworkRule) -> dict[str, float]:
    """Return the examples for what has no default."""
    return {
        name: {"lr": 0.01, "momentum": 0.9}[name]
        for name, value in row.defaults.items()
        if value is None
    }


@every_row
def test_the_code_makes_the_two_rules(row: FrameworkRule) -> None:
    theirs, ours = code_blocks(tabs.one_tab(row))
    assert ast.dump(ast.parse(theirs)) == ast.dump(
        ast.parse("optimizer = " + row.code(**given(row)))
    )
    scope = {"gd": gd, "conventions": conventions}
    exec(ours, scope)
    assert scope["rule"] == row.make(**given(row))
    assert all(len(line) <= 72 for line in f"{theirs}\n{ours}".splitlines())


@every_row
def test_the_defaults_are_the_rows(row: FrameworkRule) -> None:
    told = tabs.defaults(row)
    values = {
        SIGNS[sign]: float(number.replace(r" \cdot ", "").replace("10^{", "1e").replace("}", ""))
        for sign, number in re.findall(r"\$(\S+) = ([^$]+)\$", told)
    }
    assert values == {name: value for name, value in row.defaults.items() if value is not None}
    needed = re.findall(r"\$(\S+)\$", told)
    assert [SIGNS[sign] for sign in needed] == [
        name for name, value in row.defaults.items() if value is None
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.01, "0.01"), (1.0, "1"), (1e-8, "10^{-8}"), (2.5e-5, r"2.5 \cdot 10^{-5}")],
)
def test_numbers(value: float, words: str) -> None:
    assert tabs.power(value) == words


@every_row
def test_same_means_the_rule_of_the_chapter(row: FrameworkRule) -> None:
    chapters = row.same.__module__ == "gdcourse.optimizers" and not row.fixed
    assert (tabs.form(row) == "same") == chapters


@every_row
def test_what_decay_does(row: FrameworkRule) -> None:
    words = {
        None: "decay" if "weight_decay" in row.defaults else "chain",
        "coupled": "penalty",
        "decoupled": "decay",
        "without the rate": "decay, no $\\eta$",
        "entangled": "a mix",
    }
    assert tabs.decay(row) == words[row.decay and row.decay.kind]


def test_the_option_for_decay_is_named() -> None:
    assert tabs.option(frameworks.find("PyTorch", "Adam")).startswith("The option `weight_decay`")
    assert tabs.option(frameworks.find("MXNet", "SGD")).startswith("The option `wd`")
    assert not tabs.option(frameworks.find("Optax", "SGD"))


@pytest.mark.parametrize("name", tabs.TABLES)
def test_a_table_has_every_rule_and_framework(name: str) -> None:
    head, _, *lines = tabs.markdown("framework-table", name, live=True).splitlines()
    assert head == f"| rule | {' | '.join(FRAMEWORKS)} |"
    cells = {line.split(" | ")[0].strip("| "): line.strip("| ").split(" | ")[1:] for line in lines}
    without_eps = {"SGD", "Momentum", "Nesterov", "Lion"} if name == "eps" else set()
    assert set(cells) == set(RULES) - without_eps
    there = {(row.framework, row.rule) for row in ROWS}
    for rule, told in cells.items():
        for framework, cell in zip(FRAMEWORKS, told, strict=True):
            assert (cell == "none") == ((framework, rule) not in there)


def test_a_rule_has_a_tab_in_each_framework() -> None:
    page = tabs.markdown("framework-rule", "Lion", live=False)
    assert re.findall(r"\{tab-item\} (\w+)\n:sync: (\w+)", page) == [(f, f) for f in FRAMEWORKS]
    assert f"PyTorch {frameworks.versions()['PyTorch']} has no Lion." in page
    live = tabs.markdown("framework-rule", "Lion", live=True)
    assert re.findall(r"<summary>(\w+)</summary>", live) == list(FRAMEWORKS)
    assert code_blocks(live) == code_blocks(page)


def test_the_programs_are_the_recorded_ones() -> None:
    for live in (False, True):
        page = tabs.markdown("framework-programs", "", live=live)
        for code, program in zip(code_blocks(page), frameworks.loops().values(), strict=True):
            assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(program))


@pytest.mark.parametrize(
    ("name", "argument"), [("framework-rule", "Adagrid"), ("framework-table", "epsilon")]
)
def test_a_wrong_argument_is_named(name: str, argument: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: '{argument}' is none of "):
        tabs.markdown(name, argument, live=False)


def test_a_long_call_is_broken_at_its_outer_commas() -> None:
    call = "optimizer = make(params, betas=(0.9, 0.999), learning_rate=0.001, weight_decay=0.01)"
    assert tabs.spread(call).splitlines() == [
        "optimizer = make(",
        "    params,",
        "    betas=(0.9, 0.999),",
        "    learning_rate=0.001,",
        "    weight_decay=0.01,",
        ")",
    ]


def test_a_row_with_another_default_is_shown_with_it() -> None:
    row = frameworks.find("PyTorch", "RMSProp")
    other = replace(row, defaults={**row.defaults, "rho": 0.5})
    assert r"$\rho = 0.5$" in tabs.one_tab(other)
    assert "alpha=0.5" in tabs.one_tab(other)
