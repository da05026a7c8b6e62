"""The shape of the project, as rules that a machine can keep."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "harness"
FILES = sorted(PACKAGE.rglob("*.py"))

# Lower layers first; a module may import from its own layer's package and from lower layers only.
LAYERS = (
    {"arrays", "errors", "locations", "convergence", "summaries"},
    {"quantities", "formula_tokens", "formula_tree", "roster"},
    {"formula_parser"},
    {"formula", "comparison"},
    {"scoring", "rates", "suppression"},
    {"cohorts", "coding", "columns_of_frames"},
    {"lmm", "gbtm", "importing", "two_samples"},
    {"cases"},
    {"references", "reports", "history", "counterexamples"},
    {"peers"},
    {"engines"},
    {"curves"},
    {"evidence"},
    {"crosscheck"},
    {"drift"},
    {"envelope", "reproduction"},
    {"runs", "figures"},
    {"api", "trajectories"},
    {"several_outcomes", "choosing"},
    {"study", "claims", "selftest", "campaigns", "fuzzing", "pytest_plugin"},
    {"certification"},
    {"terminal"},
    {"commands"},
    {"cli"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
MEANINGLESS = {"utils", "util", "helpers", "common", "misc", "core", "manager", "base"}


def imported_modules(path):
    """Return the harness modules that a file imports, as ('lmm', 'design')-like tuples."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts == ["harness"]:
                found |= {(alias.name,) for alias in node.names}
            elif parts[0] == "harness":
                found.add(tuple(parts[1:]))
        elif isinstance(node, ast.Import):
            found |= {tuple(alias.name.split(".")[1:]) for alias in node.names if alias.name.startswith("harness.")}
    return {module for module in found if module}


def part_of(path):
    """Return the top-level part that a file belongs to: `lmm` for harness/lmm/fit.py, `cli` for harness/cli.py."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    own = part_of(path)
    if own == "__init__":
        return
    for module in imported_modules(path):
        other = module[0]
        assert other == own or LEVEL[other] < LEVEL[own], f"{own} imports {'.'.join(module)}"


def test_every_part_has_a_layer():
    assert {part_of(path) for path in FILES} - {"__init__"} == set(LEVEL)


def test_rpy2_has_one_door():
    users = {
        path.relative_to(ROOT).as_posix()
        for path in (*FILES, *sorted((ROOT / "tests").rglob("*.py")))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "rpy2" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rpy2")
    }
    assert users == {"harness/references/r_process.py"}


def test_only_the_terminal_prints():
    printers = {
        path.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert printers <= {"terminal.py"}


def test_nothing_evaluates_text_as_code():
    for path in FILES:
        called = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & {"eval", "exec", "compile", "__import__"}, path


def test_files_have_one_subject():
    long = {path.name: lines for path in FILES if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400}
    assert not long
    assert not {path.stem for path in FILES} & MEANINGLESS


def test_r_code_lives_in_one_folder():
    found = {path.relative_to(ROOT).parts[0] for path in ROOT.glob("*/**/*.R") if ".tox" not in path.parts}
    assert found <= {"reference_r", "tests"}
