"""From a page to a notebook: the lines that a figure hands out give what the page shows."""

import numpy as np
import pytest

from vanishing.live.machine import Run

pytestmark = pytest.mark.browser

SHOWN = """() => {
  const { outputs } = document.querySelector("figure.live").live;
  const text = ([name, values]) => [name, Array.from(values, String)];
  return Object.fromEntries(Object.entries(outputs).map(text));
}"""
SET = "(state) => document.querySelector('figure.live').live.set(state)"
LINES = ".live-python code"
SAY = "(words) => document.querySelector('.live-python code').textContent.includes(words)"


def ran(lines):
    """What the last line gives, as in a cell."""
    *before, last = lines.splitlines()
    names = {}
    exec("\n".join(before), names)
    return eval(last, names)


def outputs(figure):
    """What the figure's widget shows, from JAX."""
    state = {control.name: getattr(figure.widget, control.name) for control in figure.controls}
    if not figure.machine.animation:
        return figure.evaluate(**state)
    run = Run(figure.machine, state)
    run.advance(state, figure.widget.step)
    return run.outputs(state)


@pytest.mark.parametrize(
    ("name", "state", "said"),
    [
        ("gallery", {}, ""),
        (
            "gallery",
            {"frequency": 2.5, "amplitude": 0.01, "shape": "cosine", "flip": True, "seed": 0},
            '.at(frequency=2.5, amplitude=0.01, shape="cosine", flip=True, seed=0)',
        ),
        ("descent", {"start": -1.5, "step": 7}, ".at(start=-1.5, step=7)"),
    ],
)
def test_the_lines_for_a_notebook_give_what_the_page_shows(open_page, web, name, state, said):
    page = open_page(f"{web}/{name}.html")
    page.evaluate(SET, state)
    page.get_by_text("In Python").click()
    lines = page.locator(LINES).inner_text()
    assert lines == f"import live_gallery\n\nlive_gallery.{name}(){said}"
    found, shown = outputs(ran(lines)), page.evaluate(SHOWN)
    assert found.keys() == shown.keys()
    for key, values in found.items():
        np.testing.assert_allclose(
            np.array(shown[key], float), values.ravel(), rtol=1e-4, atol=1e-5, err_msg=key
        )


def test_the_lines_follow_a_run(open_page, web):
    page = open_page(f"{web}/descent.html")
    page.get_by_role("button", name="Step").click()
    page.get_by_text("In Python").click()
    page.wait_for_function(SAY, arg="step=1)")
    page.evaluate("document.querySelector('figure.live').live.run()")
    page.wait_for_function(SAY, arg="step=40)")
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function(SAY, arg="descent()")
    assert page.locator(LINES).inner_text().endswith("descent()")


def test_the_lines_are_copied_or_chosen_for_it(open_page, web, site):
    page = open_page(f"{web}/gallery.html", permissions=["clipboard-read", "clipboard-write"])
    page.evaluate(SET, {"seed": 9})
    page.get_by_text("In Python").click()
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(LINES).inner_text() and copied.endswith(".at(seed=9)")
    page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }"
    )
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Selected").wait_for()
    assert page.evaluate("getSelection().toString()").strip() == copied


def test_who_waits_there_keeps_the_focus(open_page, web):
    page = open_page(f"{web}/gallery.html")
    lines, words = page.get_by_text("In Python"), page.locator(".live-wait")
    page.evaluate(SET, {"seed": 9})
    lines.focus()
    page.evaluate("""() => {
      const { live } = document.querySelector("figure.live");
      live.engine.ask = () => new Promise(() => {});
      live.set({ seed: 10 });
    }""")
    page.wait_for_function("() => document.querySelector('.live-wait').textContent")
    assert lines.is_visible() and words.is_hidden()
    assert page.evaluate("document.activeElement.textContent") == "In Python"
    page.get_by_role("slider").first.focus()
    assert lines.is_hidden() and words.inner_text() == "Computing …"
