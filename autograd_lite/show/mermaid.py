"""A figure's content as a Mermaid flowchart, which GitHub, GitLab and many wikis draw from text."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_lite.show.content import Box, Content
from autograd_lite.show.figure import face_of

# The brackets around the text of a node give its shape.
_SHAPES = {
    "operation": ("[", "]"),
    "leaf": ("([", "])"),
    "parameter": ("{{", "}}"),
    "output": ("[[", "]]"),
    "group": ("[/", "/]"),
    "rest": ("[/", "/]"),
}


def mermaid_of(content: Content) -> str:
    """The content as a flowchart from left to right; edges without a partial are dotted."""
    return "flowchart LR\n" + "".join(_lines(content))


def _lines(content: Content) -> Iterator[str]:
    for box in content.boxes:
        opened = [f"    subgraph g{group}[{quoted(content.groups[group].title)}]\n" for group in box.groups]
        yield "".join([*opened, _node(box), *["    end\n"] * len(box.groups)])
    for edge in content.edges:
        head = content.boxes[edge.head].id
        if edge.tail is None:
            tail = f"{head}_{edge.slot}"
            yield f"    {tail}({quoted(edge.text)}) -.-> {head}\n"
        elif edge.text:
            yield f"    {content.boxes[edge.tail].id} -- {quoted(edge.text)} --> {head}\n"
        else:
            yield f"    {content.boxes[edge.tail].id} -.-> {head}\n"


def _node(box: Box) -> str:
    face = face_of(box)
    first = " ".join([part for part in (face.title, box.symbol) if part])
    lines = [first] * bool(first) + [f"{caption} {text}".strip() for caption, text in face.rows]
    start, end = _SHAPES[box.kind]
    return f"    {box.id}{start}{quoted(*lines)}{end}\n"


def quoted(*lines: str) -> str:
    """Lines as the text of a node: whatever Mermaid could read as markup is written as the code of its character."""
    return '"' + "<br>".join(["".join([_character(c) for c in line]) for line in lines]) + '"'


def _character(character: str) -> str:
    plain = character.isalnum() or character in " .,+=" or ord(character) > 127
    return character if plain else f"#{ord(character)};"
