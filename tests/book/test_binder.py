"""What Binder would build from the repository, as the tool that it uses says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rendered() -> str:
    """Return the Dockerfile, which needs no Docker to be rendered."""
    done = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_python_is_the_one_of_runtime_txt(rendered: str) -> None:
    version = (ROOT / "runtime.txt").read_text().strip().removeprefix("python-")
    assert f"Building conda environment for python={version}" in rendered


def test_the_requirements_and_then_the_package_are_installed(rendered: str) -> None:
    requirements = rendered.index('pip install --no-cache-dir -r "requirements.txt"')
    package = rendered.index("pip install --no-cache-dir .\n")
    assert requirements < package
