"""What a figure offers besides sliders: presets, marks, conditions, room, links that copy."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser

LIVE = "document.querySelector('figure.live').live"
READY = "figure[data-state=ready]"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SIZES = """() => [...document.querySelectorAll("figure :is(input, select, button, summary)")]
  .filter((node) => node.checkVisibility() && !node.matches(".live-mark"))
  .map((node) => [node.name || node.textContent, node.getBoundingClientRect().height,
    node.getBoundingClientRect().width])"""


def state(page):
    return page.evaluate(f"{LIVE}.state")


def test_a_preset_sets_its_case_and_says_which_is_shown(open_page, web, figures):
    page = open_page(f"{web}/furnished.html")
    plain, damped = (page.get_by_role("button", name=name) for name in ("Undamped", "Damped √2"))
    assert plain.get_attribute("aria-pressed") == "true"
    damped.click()
    assert state(page) == figures["furnished"].presets["Damped √2"]
    assert damped.get_attribute("aria-pressed") == "true"
    assert plain.get_attribute("aria-pressed") == "false"


def test_a_mark_sets_its_value_exactly_and_the_arrows_find_it(open_page, web):
    page = open_page(f"{web}/furnished.html")
    page.get_by_role("button", name="√2", exact=True).click()
    assert state(page)["gain"] == 1.41421
    slider = page.get_by_role("slider", name="gain g")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert state(page)["gain"] > 1.41421
    page.keyboard.press("ArrowLeft")
    assert state(page)["gain"] == 1.41421
    slider.dblclick()
    assert state(page)["gain"] == 1


def test_a_control_without_effect_cannot_be_moved(open_page, web):
    page = open_page(f"{web}/furnished.html")
    rate = page.get_by_role("slider", name="friction λ")
    assert rate.is_disabled()
    page.get_by_label("with friction").check()
    assert rate.is_enabled()


def test_more_opens_for_a_link_that_needs_it_and_a_box_takes_numbers(open_page, web):
    page = open_page(f"{web}/furnished.html")
    assert not page.get_by_role("slider", name="phase").is_visible()
    page.evaluate("location.hash = 'fig-furnished?shift=1.234'")
    page.wait_for_function(f"() => {LIVE}.state.shift === 1.234")
    assert page.get_by_role("slider", name="phase").is_visible()
    box = page.get_by_role("spinbutton", name="exact value")
    box.fill("-2.5004")
    box.press("Enter")
    assert state(page)["shift"] == -2.5 and box.input_value() == "-2.5"


def test_what_is_typed_stands_until_it_is_entered(open_page, web):
    page = open_page(f"{web}/furnished.html")
    page.get_by_text("More controls").click()
    box = page.get_by_role("spinbutton", name="exact value")
    box.fill("-2")
    page.evaluate(f"{LIVE}.set({{ shift: 1.5 }})")  # drawn, and shown in the form
    assert box.input_value() == "-2"
    box.press("Enter")
    assert state(page)["shift"] == -2 and box.input_value() == "-2"
    box.press("End")
    box.press("5")
    box.press("Backspace")
    page.evaluate(f"{LIVE}.set({{ shift: 1.5 }})")
    box.blur()
    assert box.input_value() == "1.5"


@pytest.mark.parametrize("name", ["furnished", "gallery", "descent"])
def test_controls_are_as_large_as_a_thumb(name, open_page, web):
    page = open_page(f"{web}/{name}.html", **PHONE)
    page.wait_for_selector(READY)
    for what, height, width in page.evaluate(SIZES):
        assert height >= 44 and width >= 44, what


@pytest.mark.parametrize(("width", "percent"), [(375, 150), (1280, 200), (320, 200)])
def test_larger_words_leave_room_for_the_sliders(width, percent, open_page, web):
    page = open_page(f"{web}/furnished.html", viewport={"width": width, "height": 800})
    page.add_style_tag(content=f"html {{ font-size: {percent}% }}")
    page.get_by_text("More controls").click()
    for slider in page.get_by_role("slider").all():
        assert slider.bounding_box()["width"] >= 150
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("options", [{"viewport": {"width": 1280, "height": 800}}, PHONE])
def test_picture_and_controls_are_on_one_screen(options, open_page, web):
    page = open_page(f"{web}/furnished.html", **options)
    page.wait_for_selector(READY)
    page.evaluate("document.querySelector('figure').scrollIntoView()")
    height = options["viewport"]["height"]
    for part in (".live-picture", "form"):
        box = page.locator(part).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= height


def test_controls_stand_beside_the_picture_where_there_is_room(open_page, web):
    page = open_page(f"{web}/furnished.html", viewport={"width": 1280, "height": 800})
    page.add_style_tag(content="main { max-width: 75rem !important }")
    picture, form = (page.locator(p).bounding_box() for p in (".live-picture", "form"))
    assert form["x"] >= picture["x"] + picture["width"]
    assert abs(form["y"] - picture["y"]) < 50


def test_the_picture_stays_while_its_controls_scroll(open_page, web):
    page = open_page(f"{web}/gallery.html", viewport={"width": 390, "height": 600})
    page.wait_for_selector(READY)
    page.add_style_tag(content="body { padding-bottom: 100vh }")
    page.evaluate("scrollTo(0, document.querySelector('figure').offsetTop + 100)")
    assert page.locator("form").bounding_box()["height"] > 150  # so there is something to scroll
    assert abs(page.locator(".live-view").bounding_box()["y"]) <= 1


def test_a_link_far_from_its_figure_holds_the_picture_beside_it(open_page, web):
    page = open_page(f"{web}/distant.html", **PHONE)
    link = page.get_by_role("link", name="far away")
    link.scroll_into_view_if_needed()
    link.click()
    page.wait_for_function(f"() => {LIVE}.state.curvature === 3")
    view, words = page.locator(".live-view").bounding_box(), link.bounding_box()
    assert view["y"] >= 0 and view["y"] + view["height"] <= words["y"]
    assert words["y"] + words["height"] <= 844
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_selector(".live-docked", state="detached")


def test_the_link_to_a_state_copies_it_and_says_so(open_page, web):
    page = open_page(f"{web}/furnished.html")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_label("with friction").check()
    spoken = page.locator(".live-speaks", has_text="With friction on")
    spoken.wait_for(state="attached")  # said once the figure rests
    page.get_by_role("link", name="Link to this state").click()
    page.wait_for_function("() => document.querySelector('.live-link').textContent === 'Copied'")
    assert page.locator(".live-speaks").inner_text() == "Copied"
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{web}/furnished.html#fig-furnished?damp=true"


def test_one_address_holds_the_states_of_several_figures(open_page, web):
    page = open_page(f"{web}/two.html")
    page.wait_for_function("() => document.querySelectorAll(`figure[data-state]`).length === 2")
    page.get_by_label("flip").check()
    page.get_by_role("slider", name="curvature").fill("4")
    both = "#fig-parabola?curvature=4&fig-gallery?flip=true"
    page.wait_for_function("(hash) => location.hash === hash", arg=both)
    again = open_page(f"{web}/two.html{both}")
    again.wait_for_function(
        "() => document.querySelectorAll('figure.live')[1].live?.state.curvature === 4"
    )
    assert again.evaluate(f"{LIVE}.state.flip") is True


def test_the_text_alternative_follows_the_state(open_page, web, figures):
    page = open_page(f"{web}/furnished.html")
    picture = page.locator("figure svg[role=img]")
    page.get_by_role("button", name="√2", exact=True).click()
    page.wait_for_function("() => document.querySelector('figure svg').ariaLabel.includes('1.41')")
    assert picture.get_attribute("aria-label").startswith("No longer the first picture.")
    page.get_by_role("button", name="Reset").click()
    alt = figures["furnished"].alt
    page.wait_for_function(
        "(alt) => document.querySelector('figure svg').ariaLabel === alt", arg=alt
    )


def test_figure_and_form_have_names_in_words(open_page, web):
    page = open_page(f"{web}/furnished.html")
    assert page.get_by_role("figure", name="a damped wave").count() == 1
    assert page.get_by_role("form", name="Controls: a damped wave").count() == 1


def test_a_policy_without_inline_styles_keeps_the_colours(open_page, web):
    page = open_page(f"{web}/no-style/parabola.html")
    page.wait_for_selector(READY)
    path = "document.querySelector(`[id$='.parabola-0-0'] > path`)"
    assert page.evaluate(f"getComputedStyle({path}).fill") == "none"
    assert page.evaluate(f"getComputedStyle({path}).stroke") != "none"
    assert np.isclose(
        page.evaluate(f"{LIVE}.set({{ curvature: 3 }}).then(() => Math.max(...{LIVE}.outputs.y))"),
        3,
    )
    page.faults[:] = [f for f in page.faults if "style" not in f]  # the test page's own block
