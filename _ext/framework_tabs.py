"""Show what the frameworks run, from the table that the tests hold them to.

Three directives without content, made of ``gdcourse.frameworks`` when a page is read:

- ``{framework-rule} RMSProp``: a tab for each framework, with its code, the step as a formula,
  its defaults, and the rule of the package that takes the same steps;
- ``{framework-programs}``: the whole programs, one to a tab;
- ``{framework-table} eps``: one property of all rules in all frameworks, or another of ``TABLES``.

``markdown`` makes the same text for live notebooks, with folded paragraphs in place of tabs.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gdcourse import frameworks
from gdcourse.frameworks import FRAMEWORKS, RULES, FrameworkRule

# A longer line of code is broken, so that a narrow screen shows most of it.
WIDTH = 60

LETTERS = {
    "lr": r"\eta",
    "rate": r"\eta_t",
    "momentum": r"\mu",
    "rho": r"\rho",
    "beta1": r"\beta_1",
    "beta2": r"\beta_2",
    "eps": r"\varepsilon",
    "weight_decay": r"\lambda",
    "m_hat": r"\hat m",
    "v_hat": r"\hat v",
    "u_hat": r"\hat u",
}

# Shown where a parameter has no default.
EXAMPLES = {"lr": 0.01, "momentum": 0.9}

DECAYS = {
    "coupled": "is a penalty: each step first adds $\\lambda x$ to $g$.",
    "decoupled": "pulls at the point: each step first takes $\\eta\\lambda x$ from $x$.",
    "without the rate": "pulls at the point: each step first takes $\\lambda x$ from $x$.",
    "entangled": "is a penalty, but the velocity takes it from the new point.",
}


def letter(name: str) -> str:
    """Return a name of the table as a formula has it."""
    return LETTERS.get(name, name)


def power(value: float) -> str:
    """Return a number as LaTeX, with a power of ten where that is shorter."""
    mantissa, _, exponent = f"{value:g}".partition("e")
    if not exponent:
        return mantissa
    times = "" if mantissa == "1" else f"{mantissa} \\cdot "
    return f"{times}10^{{{int(exponent)}}}"


def product(node: ast.expr) -> list[ast.expr]:
    """Return the factors of a product."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*product(node.left), node.right]
    return [node]


def factors(nodes_: list[ast.expr]) -> str:
    """Return a product, with the sums in it bracketed and room around what is tall."""
    text = ""
    for node in nodes_:
        short = isinstance(node, ast.Name)
        told = latex(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            told = rf"\left( {told} \right)" if r"\frac" in told else f"({told})"
        text += told if not text else f" {told}" if short and text[-1].isalnum() else rf"\, {told}"
    return text


def latex(node: ast.expr) -> str:
    """Return an expression of the table's lines as LaTeX."""
    match node:
        case ast.Name(id=name):
            return letter(name)
        case ast.Constant(value=int() | float() as value):
            return f"{value:g}"
        case ast.Call(func=ast.Name(id="sqrt"), args=[inner]):
            return rf"\sqrt{{{latex(inner)}}}"
        case ast.Call(func=ast.Name(id="max" as name), args=inner):
            return rf"\{name}({', '.join(map(latex, inner))})"
        case ast.Call(func=ast.Name(id="sign"), args=[inner]):
            return rf"\operatorname{{sign}}({latex(inner)})"
        case ast.BinOp(left=left, op=ast.Pow(), right=power):
            return f"{latex(left)}^{{{latex(power)}}}"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return f"{latex(left)} + {latex(right)}"
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return f"{latex(left)} - {latex(right)}"
        case ast.BinOp(left=top, op=ast.Div(), right=bottom):
            first, *rest = product(top)
            # The rate stands before the fraction.
            ahead = rf"{latex(first)}\, " if rest and latex(first).startswith(r"\eta") else ""
            over = factors(rest) if ahead else factors([first, *rest])
            return rf"{ahead}\frac{{{over}}}{{{latex(bottom)}}}"
        case ast.BinOp(op=ast.Mult()):
            return factors(product(node))
    raise ValueError(f"no formula is known for {ast.unparse(node)!r}: add it here.")


def formula(lines: tuple[str, ...]) -> str:
    """Return the lines of a step as a displayed formula, the second use of a sign after <-."""
    steps = []
    for line in lines:
        (assignment,) = ast.parse(line).body
        assert isinstance(assignment, ast.Assign)
        (target,) = assignment.targets
        steps.append(rf"{latex(target)} &\gets {latex(assignment.value)}")
    # A comma after each step but the last, as in the rest of the book.
    body = " , \\\\\n".join(steps)
    return f"$$\n\\begin{{aligned}}\n{body} .\n\\end{{aligned}}\n$$"


def spread(code: str, indent: int = 0) -> str:
    """Return a line of code, broken at the commas of its outermost brackets where it is long."""
    match = re.match(r"(?s)([^({]*[({])(.*)([)}])$", code)
    if len(code) + indent <= WIDTH or match is None:
        return code
    head, inside, tail = match.groups()
    pad = " " * (indent + 4)
    if len(inside) + len(pad) <= WIDTH:
        return f"{head}\n{pad}{inside}\n{' ' * indent}{tail}"
    parts = re.split(r", (?![^({]*[)}])", inside)
    broken = "".join(f"{pad}{spread(part, indent + 4)},\n" for part in parts)
    return f"{head}\n{broken}{' ' * indent}{tail}"


def code_block(code: str) -> str:
    """Return code as Markdown, with numbers as people write them: 1e-8."""
    return f"```python\n{re.sub(r'e-0', 'e-', code)}\n```"


def same_here(row: FrameworkRule, given: dict[str, float]) -> str:
    """Return the call of the package that takes the row's steps."""
    home = "gd" if row.same.__module__ == "gdcourse.optimizers" else "conventions"
    takes = inspect.signature(row.same).parameters
    values = {**row.values(**given), **row.fixed}
    told = ", ".join(f"{name}={values[name]!r}" for name in takes if name in values)
    return f"rule = {home}.{row.same.__name__}({told})"


def equations(values: dict[str, float]) -> str:
    """Return what the letters are, as formulas."""
    return ", ".join(f"${letter(name)} = {power(value)}$" for name, value in values.items())


def start(row: FrameworkRule) -> str:
    """Return a sentence on what is kept before the first step."""
    if not row.start:
        return ""
    (value,) = {*row.start.values()}
    return f"Before the first step ${' = '.join(row.start)} = {power(value)}$."


def defaults(row: FrameworkRule) -> str:
    """Return a sentence or two on the defaults."""
    told = {name: value for name, value in row.defaults.items() if value is not None}
    needed = [f"${letter(name)}$" for name, value in row.defaults.items() if value is None]
    has = "has" if len(needed) == 1 else "have"
    sentences = [
        f"Defaults: {equations(told)}." if told else "",
        f"{' and '.join(needed)} {has} to be given." if needed else "",
    ]
    return " ".join(filter(None, sentences))


def option(row: FrameworkRule) -> str:
    """Return a sentence on the option for weight decay."""
    if row.decay is None:
        return ""
    name = re.search(r'(\w+)"?[=:] ?\$weight_decay', row.decay.template)
    assert name is not None
    return f"The option `{name[1]}` {DECAYS[row.decay.kind]}"


def one_tab(row: FrameworkRule) -> str:
    """Return what a tab says on a rule in a framework, in Markdown."""
    given = {name: EXAMPLES[name] for name, value in row.defaults.items() if value is None}
    sentences = [start(row), defaults(row), option(row), row.note]
    return "\n\n".join(
        [
            code_block(spread("optimizer = " + row.code(**given))),
            formula(row.update),
            " ".join(filter(None, sentences)),
            "The same steps from the package:",
            code_block(spread(same_here(row, given))),
        ]
    )


def no_tab(framework: str, rule: str) -> str:
    """Return what a tab says where there is no such rule."""
    return f"{framework} {frameworks.versions()[framework]} has no {rule}."


def anchor(rule: str) -> str:
    """Return the name by which the tabs of a rule are linked to."""
    return f"framework-{rule.lower()}"


def in_tabs(texts: dict[str, str], *, live: bool) -> str:
    """Return a text for each framework: as tabs, or folded where tabs are not known."""
    if live:
        return "\n\n".join(
            f"<details><summary>{name}</summary>\n\n{text}\n\n</details>"
            for name, text in texts.items()
        )
    items = "\n".join(
        f"````{{tab-item}} {name}\n:sync: {name}\n{text}\n````" for name, text in texts.items()
    )
    return f"`````{{tab-set}}\n:sync-group: framework\n{items}\n`````"


def rule_tabs(rule: str, *, live: bool) -> str:
    """Return the tabs of a rule."""
    rows = {row.framework: row for row in frameworks.table() if row.rule == rule}
    texts = {
        framework: one_tab(rows[framework]) if framework in rows else no_tab(framework, rule)
        for framework in FRAMEWORKS
    }
    tabs = in_tabs(texts, live=live)
    title = f"**{rule}**" if live else f"```{{rubric}} {rule}\n:name: {anchor(rule)}\n```"
    return f"{title}\n\n{tabs}"


def program_tabs(_: str, *, live: bool) -> str:
    """Return the tabs of the programs."""
    texts = {framework: code_block(code) for framework, code in frameworks.loops().items()}
    return in_tabs(texts, live=live)


def form(row: FrameworkRule) -> str:
    """Return where a rule departs from the package's of that name, in a few words."""
    name = row.same.__name__
    if "RateOutside" in name:
        return "$\\eta$ outside"
    if "EpsHat" in name:
        return "$\\hat\\varepsilon$"
    if "CorrectedFirst" in name:
        return "$\\max\\hat v$"
    if "EpsInside" in name:
        return "$\\varepsilon$ inside" + (", $s$ from $0.1$" if row.fixed.get("initial") else "")
    return "no $\\eta$" if "lr" in row.fixed else "same"


def default(name: str) -> Callable[[FrameworkRule], str]:
    """Return what says a row's default."""

    def told(row: FrameworkRule) -> str:
        if name not in row.defaults:
            return f"no ${letter(name)}$"
        value = row.defaults[name]
        return "needed" if value is None else f"${power(value)}$"

    return told


def decay(row: FrameworkRule) -> str:
    """Return what a row does with weight decay, in a few words."""
    if row.decay is not None:
        words = {
            "coupled": "penalty",
            "decoupled": "decay",
            "without the rate": "decay, no $\\eta$",
        }
        return words.get(row.decay.kind, "a mix")
    return "decay" if "weight_decay" in row.defaults else "chain"


TABLES: dict[str, Callable[[FrameworkRule], str]] = {
    "forms": form,
    "lr": default("lr"),
    "eps": default("eps"),
    "decay": decay,
}


def table(name: str, *, live: bool) -> str:
    """Return one property of every rule in every framework, as a table in Markdown."""
    if name not in TABLES:
        raise ValueError(f"framework-table: {name!r} is none of {', '.join(TABLES)}.")
    rows = {(row.framework, row.rule): TABLES[name](row) for row in frameworks.table()}
    # A rule without epsilon has no line in that table.
    told = {
        rule: [rows.get((framework, rule), "none") for framework in FRAMEWORKS] for rule in RULES
    }
    lines = [
        f"| {rule if live else f'[{rule}](#{anchor(rule)})'} | {' | '.join(cells)} |"
        for rule, cells in told.items()
        if any(cell != "none" and not cell.startswith("no ") for cell in cells)
    ]
    return "\n".join([f"| rule | {' | '.join(FRAMEWORKS)} |", "|---|---|---|---|---|", *lines])


MADE: dict[str, Callable[..., str]] = {
    "framework-rule": rule_tabs,
    "framework-programs": program_tabs,
    "framework-table": table,
}


def markdown(name: str, argument: str, *, live: bool) -> str:
    """Return what the directive ``name`` stands for.

    Raises
    ------
    ValueError
        If the argument names no rule or table.
    """
    if name == "framework-rule" and argument not in RULES:
        raise ValueError(f"framework-rule: {argument!r} is none of {', '.join(RULES)}.")
    return MADE[name](argument, live=live)


class Made(SphinxDirective):
    """A directive that stands for Markdown made from the table."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the parsed text. A page is read again when the table has changed."""
        self.env.note_dependency(inspect.getfile(frameworks).replace(".py", ".json"))
        try:
            text = markdown(self.name, "".join(self.arguments), live=False)
        except ValueError as wrong:
            raise self.error(str(wrong)) from None
        parent = nodes.Element()
        self.state.nested_parse(StringList(text.splitlines(), self.name), 0, parent)
        return parent.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    for name in MADE:
        app.add_directive(name, Made)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
