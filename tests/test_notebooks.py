"""Every notebook, run in a fresh kernel, prints what it is committed with.

`python tests/test_notebooks.py` runs them and writes the outputs to their files.
"""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import autograd_lite

ROOT = Path(autograd_lite.__file__).resolve().parents[1]
NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def read(path):
    return nbformat.read(path, as_version=4)


def run(path, folder):
    """The notebook with the outputs of a fresh kernel that works in that folder."""
    notebook = read(path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "PYTHONPATH": search, "IPYTHONDIR": str(folder), "PYTHONUTF8": "1"}
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", coalesce_streams=True, resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=env)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when each cell was run
    notebook.metadata = nbformat.from_dict(METADATA)
    return notebook


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_prints_what_is_committed(path, tmp_path):
    committed, fresh = read(path), run(path, tmp_path)
    for old, new in zip(committed.cells, fresh.cells, strict=True):
        assert new.get("outputs") == old.get("outputs"), f"{path.name}, {old.id}: run tests/test_notebooks.py as a program"
        assert new.get("execution_count") == old.get("execution_count")
    assert nbformat.writes(fresh) + "\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_clean(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata == METADATA
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert outputs
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]


def test_there_are_notebooks():
    assert [path.name for path in NOTEBOOKS][:1] == ["01_one_expression.ipynb"]


def main():
    for path in NOTEBOOKS:
        with tempfile.TemporaryDirectory() as folder:
            path.write_text(nbformat.writes(run(path, folder)) + "\n", encoding="utf-8")
        sys.stdout.write(f"{path.name} written\n")


if __name__ == "__main__":
    main()
