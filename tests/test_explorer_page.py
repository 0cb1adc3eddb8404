"""The explorer's page: what it is made of, what it refuses, and that no label gets out of its string."""

import html
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.primitives import TABLE
from autograd_lite.show.explorer import LIMIT, Explorer, _tape
from autograd_lite.show.javascript import UntranslatableError, definitions
from autograd_lite.show.names import names_of
from test_explorer import SCRIPT, SHOW, fixture
from values import in_small_thread


def test_a_notebook_gets_the_page_a_picture_and_text():
    explorer = fixture()[-1].explore()
    bundle = explorer._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert bundle["text/html"] == explorer._repr_html_()
    assert re.fullmatch(r'<iframe title="[^"<>]*" style="[^"]*" srcdoc="[^"]*"></iframe>', bundle["text/html"])
    assert html.unescape(re.search('srcdoc="([^"]*)"', bundle["text/html"])[1]) == explorer.html
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["text/plain"] == repr(explorer) == "<Explorer of e = 6; values: 5>"
    assert set(explorer._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert set(explorer._repr_mimebundle_(exclude=["text/html"])) == {"image/svg+xml", "text/plain"}
    assert not hasattr(explorer, "_ipython_display_")


def test_sizes():
    own = sum(len((SHOW / name).read_bytes()) for name in ("explorer.js", "explorer.css", "frame.js", "page.css"))
    assert own <= 30 * 1024
    e = fixture()[-1]
    page = e.explore().html.encode()
    tape = json.dumps(_tape(ag.topological_order(e), names_of(ag.topological_order(e)), [])[0], separators=(",", ":")).encode()
    assert len(page) - len(tape) <= 40_000


def test_save_writes_the_page(tmp_path):
    explorer = fixture()[-1].explore()
    explorer.save(tmp_path / "x.html")
    assert (tmp_path / "x.html").read_text(encoding="utf-8") == explorer.html
    assert explorer.html.startswith("<!DOCTYPE html>")


def test_the_page_is_the_same_every_time():
    assert fixture()[-1].explore().html == fixture()[-1].explore().html


def test_the_page_names_nothing_outside_of_it():
    page = fixture()[-1].explore().html.replace("http://www.w3.org/2000/svg", "")
    assert not re.findall(r"https?:|//[a-z]+\.|\bsrc=|\bhref=|@import|url\(|\bfetch\b|XMLHttpRequest|\beval\b", page)
    assert "default-src 'none'" in page
    assert "innerHTML" not in SCRIPT
    assert "document.write" not in SCRIPT


@given(
    st.lists(
        st.text() | st.sampled_from(["</script>", "<!--", "<script>", "]]>", "&quot;", "$result", "${x}"]),
        min_size=1,
        max_size=3,
    )
)
def test_no_label_leaves_its_string(labels):
    y = ag.sum(*[ag.Value(1.0, label) for label in labels])
    y.label = labels[0]
    page = y.explore().html
    script = page.partition("<script>")[2]
    assert script.count("<") == len(re.findall(r"<(?![!/a-zA-Z])|<(?=/script>\s*$)", script))
    assert page.count("</script>") == 1
    assert page.count("<script>") == 1


def test_only_what_is_used_travels():
    page = fixture()[-1].explore().html
    for name in ("erfc", "ag_power_derivative", "frexp", "around"):
        assert f"function {name}" not in page
    x = ag.Value(0.5, "x")
    assert "function erfc" in x.gelu().explore().html
    assert "function ag_power_derivative" in (x**x).explore().html


def test_a_primitive_that_python_alone_can_compute(forget):
    ag.define_primitive("halved", lambda x: x / 2, lambda r, x: 0.5)
    x = ag.Value(3.0, "x")
    y = ag.halved(x) * x.sin()
    with pytest.raises(UntranslatableError, match="<lambda>: parameter x is not annotated"):
        definitions([(TABLE["halved"], 1)])
    tape, table = _tape(ag.topological_order(y), names_of(ag.topological_order(y)), [])
    assert tape["live"] is False
    assert tape["fixed"] == {1: [0.5]}
    assert 'table["sin"]' in table
    assert 'table["halved"]' not in table


def test_large_graphs_are_refused_with_a_hint():
    x = y = ag.Value(1.0)
    for _ in range(LIMIT):
        y = y + 1.0
    with pytest.raises(ValueError, match=r"this graph has 20,001: draw it with graph\(\)"):
        y.explore()
    assert len(x.explore(limit=1).html) > 10_000


def test_a_deep_graph():
    y = ag.Value(0.5)
    for _ in range(3000):
        y = y.sin()
    in_small_thread(lambda: y.explore().html)


def test_what_it_is_for_at_first():
    a, b, _, _, e = fixture()
    assert '"by":[1]' in e.explore(b).html
    assert '"by":[0,1]' in e.explore([a, b]).html


def test_errors():
    a, b, c, d, e = fixture()
    with pytest.raises(TypeError, match="explore is for a Value, not for float 1.0"):
        ag.Value.explore(1.0)
    with pytest.raises(TypeError, match="wrt takes a Value or several, not str 'a'"):
        e.explore(["a"])
    with pytest.raises(ValueError, match="wrt takes Values that the result depends on"):
        c.explore(d)
    with pytest.raises(ValueError, match="the theme of an explorer is auto, light or dark, not 'blue'"):
        e.explore(theme="blue")
    b.data = 4.0
    with pytest.raises(ag.StaleGraphError):
        e.explore()
    assert isinstance(a.explore(), Explorer)
