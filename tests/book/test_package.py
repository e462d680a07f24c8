"""What `pip install .` gives someone who wants the package alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import gdcourse

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from a copy since building leaves files behind."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-text"):
        shutil.copy2(ROOT / name, source / name)
    shutil.copytree(ROOT / "gdcourse", source / "gdcourse")
    subprocess.run(
        [sys.executable, *"-m pip wheel --no-deps --no-build-isolation -w dist .".split()],
        cwd=source,
        check=True,
        capture_output=True,
    )
    return next((source / "dist").glob("*.whl"))


def test_it_has_the_package_with_its_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = (ROOT / "gdcourse").rglob("*")
    assert names == {
        path.relative_to(ROOT).as_posix()
        for path in files
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_it_has_the_version_and_needs_numpy_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = archive.read(name).decode().split("\n\n")[0].splitlines()
    assert f"Version: {gdcourse.__version__}" in metadata
    needed = [line for line in metadata if line.startswith("Requires-Dist:")]
    assert [line for line in needed if "extra ==" not in line] == ["Requires-Dist: numpy<3,>=1.26"]
