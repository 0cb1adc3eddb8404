"""The README says what is so: its generated parts are current and its examples print what it shows."""

import doctest

from readme import README, current


def test_generated_parts_are_current():
    text = README.read_text(encoding="utf-8")
    assert current(text) == text, "run: python tests/readme.py"


def test_examples():
    options = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    failed, tried = doctest.testfile(str(README), module_relative=False, optionflags=options)
    assert failed == 0
    assert tried > 20


def test_it_names_nothing_that_is_missing():
    root = README.parent
    notebooks = ("01_one_expression.ipynb", "02_see_backpropagation.ipynb")
    pages = (".github/CONTRIBUTING.md", ".github/CHANGELOG.md", ".github/SECURITY.md")
    for path in (*[f"notebooks/{name}" for name in notebooks], *pages):
        assert path.removeprefix("notebooks/") in README.read_text(encoding="utf-8")
        assert (root / path).exists()
