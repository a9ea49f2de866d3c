"""`requirements.txt`, which `make hashes` writes: what `pip install --require-hashes` needs, and nothing by chance."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.session import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = ("http", "granian", "postgresql", "drand")


def pins_of(name: str) -> dict[str, str]:
    """Return the versions in a file of requirements, by the names of the packages."""
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", (ROOT / name).read_text(), flags=re.MULTILINE)
    return {canonicalize_name(package): version for package, version in found}


PINS = pins_of("requirements.txt")


def test_every_requirement_has_the_version_of_the_constraints() -> None:
    constraints = pins_of("constraints.txt")

    assert len(PINS) > 30
    # Only Windows needs it.
    assert PINS.keys() - constraints.keys() <= {"colorama"}
    assert {package for package in PINS.keys() & constraints.keys() if PINS[package] != constraints[package]} == set()


def test_every_requirement_has_hashes() -> None:
    written = re.sub(r"#.*\n|\\\n", "", (ROOT / "requirements.txt").read_text())

    assert len(written.splitlines()) == len(PINS)
    for line in written.splitlines():
        assert re.fullmatch(r"[\w.-]+==\S+(?: ; [^#]+?)?(?: +--hash=sha256:[0-9a-f]{64})+", line), line


def test_what_users_install_is_in_the_requirements() -> None:
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    wanted += [text for extra in EXTRAS for text in project["optional-dependencies"][extra]]

    for requirement in map(Requirement, wanted):
        if requirement.name != "rafflekit":
            assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)]), str(requirement)


@pytest.mark.parametrize("package", PINS)
def test_a_requirement_brings_its_own_requirements(package: str) -> None:
    """Without one of them, pip would refuse to install anything."""
    try:
        needed = requires(package) or []
    except PackageNotFoundError:
        # For another system, or to build rafflekit.
        return
    for requirement in map(Requirement, needed):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            assert canonicalize_name(requirement.name) in PINS
