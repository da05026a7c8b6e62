"""The page in a real browser: no complaint, nothing cut off on a phone, contrast as rendered, and on paper."""

import html
import json
import re

import pytest

from harness.study.report_html import render

pytestmark = pytest.mark.needs_chromium

PHONE = 360

# What a page inside a frame of a phone's width looks like, written into the page around it.
PROBE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>probe</title></head><body>
<iframe id="phone" style="width:{width}px;height:800px;border:0" srcdoc="{page}"></iframe><pre id="found"></pre><script>
const channel = c => (c /= 255, c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const parts = colour => colour.match(/[\\d.]+/g).map(Number);
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const ground = (view, node) => {{
  for (let at = node; at; at = at.parentElement) {{
    const found = parts(view.getComputedStyle(at).backgroundColor);
    if (found.length === 3 || found[3] === 1) return found;
  }}
  return [255, 255, 255];
}};
document.getElementById("phone").addEventListener("load", event => {{
  const view = event.target.contentWindow, page = view.document;
  const wide = [...page.body.querySelectorAll("*")].filter(
    node => !node.closest(".scroll > *, .skip, .unseen") && node.getBoundingClientRect().right > {width} + 0.5);
  const pale = new Map();
  let measured = 0;
  const walk = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {{
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || node.closest("svg") || !node.getClientRects().length) continue;
    measured += 1;
    const [one, two] = [parts(view.getComputedStyle(node).color), ground(view, node)].map(luminance);
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < 4.5) pale.set(node.tagName + "." + node.className, ratio);
  }}
  document.getElementById("found").textContent = "FOUND" + JSON.stringify({{
    width: page.documentElement.scrollWidth, wide: wide.map(node => node.tagName + "." + node.className),
    pale: [...pale], measured, title: page.title,
    small: [...page.querySelectorAll("svg text")].filter(node => node.getBoundingClientRect().height < 6).length,
    unnamed: [...page.querySelectorAll("svg")].filter(node => !node.querySelector("title")?.textContent).length,
  }}) + "END";
}});
</script></body></html>"""


@pytest.fixture
def saved(sample_reports, whole_study, tmp_path):
    """Return a function that writes the page of a report and returns its path."""

    def save(name):
        path = tmp_path / "index.html"
        path.write_text(render(whole_study if name == "whole study" else sample_reports[name]), encoding="utf-8")
        return path

    return save


def seen(chromium, path, width=PHONE):
    """Return what the probe finds in a page, and what came to the console."""
    probe = path.with_name("probe.html")
    probe.write_text(PROBE.format(width=width, page=html.escape(path.read_text(encoding="utf-8"))), encoding="utf-8")
    dumped, console = chromium.run("--dump-dom", f"--window-size={width + 40},900", probe.as_uri())
    return json.loads(html.unescape(re.search(r"FOUND(\{.*?\})END", dumped, re.DOTALL)[1])), console


@pytest.mark.parametrize("name", ["hostile", "whole study"])
def test_the_page_opens_without_a_word_on_the_console(chromium, saved, name):
    dumped, console = chromium.run("--dump-dom", saved(name).as_uri())
    assert console == []
    assert '<section id="s4"' in dumped


def test_the_console_would_be_heard(chromium, tmp_path):
    path = tmp_path / "bad.html"
    path.write_text('<meta http-equiv="Content-Security-Policy" content="default-src \'none\'"><p style="color:red">x')
    _, console = chromium.run("--dump-dom", path.as_uri())
    assert len(console) == 1
    assert "Content Security Policy" in console[0]


@pytest.mark.parametrize("name", ["hostile", "whole study"])
def test_a_phone_shows_everything_with_enough_contrast(chromium, saved, name):
    found, console = seen(chromium, saved(name))
    assert found["width"] == PHONE
    assert found["wide"] == []
    assert found["pale"] == []
    assert found["measured"] > 50
    assert (found["small"], found["unnamed"]) == (0, 0)
    assert console == []


def test_the_probe_sees_what_is_too_wide_or_too_pale(chromium, tmp_path):
    path = tmp_path / "bad.html"
    path.write_text('<!doctype html><p class="a" style="width:500px">x</p><p class="b" style="color:#999">y</p>')
    found, _ = seen(chromium, path)
    assert found["width"] > PHONE
    assert found["wide"] == ["P.a"]
    assert [name for name, _ in found["pale"]] == ["P.b"]


def test_the_page_prints(chromium, saved, tmp_path):
    pdf = tmp_path / "report.pdf"
    chromium.run(f"--print-to-pdf={pdf}", "--no-pdf-header-footer", saved("whole study").as_uri())
    printed = pdf.read_bytes()
    assert printed.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= 15
