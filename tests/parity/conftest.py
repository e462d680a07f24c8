"""Collect the live comparison only for a framework that is installed."""

from importlib.util import find_spec

collect_ignore = [f"test_live_{name}.py" for name in ("torch", "optax") if find_spec(name) is None]
