"""Brings the README's generated parts up to date: `python tests/readme.py`. They are what the package prints.

The generated parts are the output of command one, the tree and the picture of the smallest example, and the table of
primitives.
"""

import contextlib
import io
import re
from pathlib import Path

import autograd_lite as ag
from autograd_lite.__main__ import main
from autograd_lite.show.formula import primitive_table

README = Path(__file__).parent.parent / "README.md"


def command_output() -> str:
    """What command one prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main(["(a + b) * (b + 1)", "a=2", "b=1"])
    return printed.getvalue().rstrip()


def example() -> ag.Value:
    """The smallest example after its sweep."""
    a, b = ag.Value(2.0, label="a"), ag.Value(1.0, label="b")
    c, d = a + b, b + 1
    e = c * d
    c.label, d.label, e.label = "c", "d", "e"
    e.backward()
    return e


def example_tree() -> str:
    """The tree of the smallest example."""
    return str(example().graph().tree()).rstrip()


def example_picture() -> str:
    """The picture of the smallest example after its sweep, as Mermaid."""
    return example().graph().to_mermaid()


def current(text: str) -> str:
    """The README's text with its generated parts made anew."""

    def put(pattern: str, content: str) -> None:
        nonlocal text
        text, count = re.subn(pattern, lambda found: found[1] + content + found[2], text, count=1, flags=re.DOTALL)
        assert count == 1, f"the README has no place for {pattern!r}"

    put(r"(<!-- output one -->\n```\n).*?(```\n)", command_output() + "\n")
    put(r"(>>> print\(e\.graph\(\)\.tree\(\)\)\n).*?(\n```\n)", example_tree() + "\n")
    put(r"(<!-- picture -->\n```mermaid\n).*?(```\n)", example_picture())
    put(r"(<!-- table -->\n).*?(\n## More\n)", primitive_table().rstrip() + "\n")
    return text


if __name__ == "__main__":
    README.write_text(current(README.read_text(encoding="utf-8")), encoding="utf-8")
