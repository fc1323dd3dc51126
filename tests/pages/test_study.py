"""The page of study lists what the chapters ask, and tells what the reader has done of it."""

import json
import re
from datetime import datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from built import BOOK, NAMES, ROOT, parsed
from test_budget import SHIFTS

pytestmark = [pytest.mark.book, pytest.mark.browser]

STUDY = "chapters/study.html"
#: A chapter with each kind of step.
CHAPTER = "no-learning"
LABEL = re.compile(r"^```\{exercise-start\} (.+)\n:label: (ex-[\w-]+)$", re.MULTILINE)
DOTS = ("●", "●●", "●●●")


def slugs() -> list[str]:
    """The chapters, in the order of the book."""
    listed = re.findall(r"file: chapters/(\S+)", (ROOT / "_toc.yml").read_text())
    return [slug for slug in listed if f"chapters/{slug}.html" in NAMES]


def written(slug: str) -> list[tuple[str, str]]:
    """Label and title of each exercise of a chapter, as the author wrote them."""
    text = (ROOT / "chapters" / f"{slug}.md").read_text(encoding="utf-8")
    return [(label, title) for title, label in LABEL.findall(text)]


def steps() -> dict[str, list[str]]:
    """What the script counts by."""
    return json.loads(
        re.search(r"^study\((.*)\);$", (BOOK / "_static/study.js").read_text(), re.M)[1]
    )


def rows(table: str) -> dict[str, list]:
    """The rows of a table of the page: chapter → its cells."""
    found = parsed(BOOK / STUDY).select(f"table.{table} tbody tr")
    return {row.a["href"].removesuffix(".html"): row.find_all("td") for row in found}


# What the chapters ask, and what the page lists.


def test_every_exercise_is_listed_by_chapter_and_difficulty():
    asked = {slug: written(slug) for slug in slugs()}
    asked = {slug: exercises for slug, exercises in asked.items() if exercises}
    table = rows("exercises")
    assert list(table) == list(asked)
    head = parsed(BOOK / STUDY).select("table.exercises th [aria-hidden]")
    assert tuple(cell.text for cell in head) == DOTS
    for slug, cells in table.items():
        links = [cell.find_all("a") for cell in cells]
        listed = [(link["href"], link.text) for cell in links for link in cell]
        assert listed == [
            (f"{slug}.html#{label}", title.replace("'", "’")) for label, title in asked[slug]
        ]
        shares = [len(cell) for cell in links]
        assert max(shares) - min(shares) <= 1 and min(shares) > 0


def test_the_script_counts_what_the_pages_ask():
    counted = steps()
    assert list(counted) == [slug for slug in slugs() if written(slug)]
    for slug, names in counted.items():
        page = parsed(BOOK / "chapters" / f"{slug}.html")
        there = page.select(".live-guess[id], .vg-quiz[id], .exercise[id]")
        assert names == [tag["id"] for tag in there]
        assert {name.partition("-")[0] for name in names} <= {"guess", "quiz", "ex"}
        boxes = page.select(".exercise .tick input")
        assert [box["value"] for box in boxes] == [name for name in names if name[:3] == "ex-"]


def test_every_quiz_is_listed_with_its_question():
    listed = parsed(BOOK / STUDY).select(".due a")
    asked = [
        (f"{slug}.html#{quiz['id']}", quiz.legend.get_text(" ", strip=True))
        for slug in steps()
        for quiz in parsed(BOOK / "chapters" / f"{slug}.html").select(".vg-quiz")
    ]
    assert [(link["href"], link.get_text(" ", strip=True)) for link in listed] == asked


def spent(text: str) -> int:
    """Minutes of "1 h 20 min"."""
    hours, minutes = re.search(r"(\d+)\sh", text), re.search(r"(\d+)\smin", text)
    return 60 * int(hours[1] if hours else 0) + int(minutes[1] if minutes else 0)


def test_times_are_those_of_the_rule_that_the_page_gives():
    words, shortest, middle, longest = map(
        int,
        re.search(
            r"(\d+) words a minute.*?counts (\d+), (\d+) or (\d+) minutes",
            " ".join(parsed(BOOK / STUDY).find("main").get_text().split()),
        ).groups(),
    )
    exercises = rows("exercises")
    for slug, (*_, reading, all_of_it) in rows("progress").items():
        shares = [len(cell.find_all("a")) for cell in exercises[slug]]
        asked = sum(n * m for n, m in zip(shares, (shortest, middle, longest), strict=True))
        assert spent(all_of_it.text) - spent(reading.text) == pytest.approx(asked, abs=5)
        prose = parsed(BOOK / "chapters" / f"{slug}.html").select(
            "article section > p, article section > ul li"
        )
        least = sum(len(part.get_text().split()) for part in prose) / words
        assert 0.5 * least < spent(reading.text) < 4 * least


def test_the_days_of_a_plan_add_up():
    reading = {slug: spent(cells[-2].text) for slug, cells in rows("progress").items()}
    planned = 0
    for row in parsed(BOOK / STUDY).select("#a-weekend tbody tr"):
        chapters = [link["href"].removesuffix(".html") for link in row.select("a")]
        total = sum(reading[slug] for slug in chapters)
        assert spent(row.find_all("td")[-1].text) == pytest.approx(total, abs=3 * len(chapters))
        planned += len(chapters)
    assert planned >= 4


def test_a_week_of_the_course_is_as_long_as_a_chapter():
    times = [spent(cells[-1].text) for cells in rows("progress").values()]
    said = parsed(BOOK / STUDY).find(id="a-course").p.get_text()
    shortest, longest = re.search(r"ten weeks, (.+) to (.+) each", said).groups()
    assert len(times) == 10
    assert (spent(shortest), spent(longest)) == (min(times), max(times))


# What the reader does.


@pytest.fixture
def go(base):
    def go(page, name=STUDY, anchor=""):
        page.goto(f"{base}/{name}{anchor}", wait_until="networkidle")
        page.wait_for_function("document.readyState === 'complete'")  # no script is to come
        return page

    return go


def kept(page) -> dict:
    return json.loads(page.evaluate("localStorage.getItem('vanishing-progress') ?? '{}'"))


def chapter(go, page):
    return go(page, f"chapters/{CHAPTER}.html")


def choose(page, right: bool) -> str:
    """Choose an answer of the first quiz, by keyboard; its place."""
    quiz = page.locator(".vg-quiz").first
    answer = quiz.locator("details[data-right]" if right else "details:not([data-right])").first
    answer.locator("summary").focus()
    page.keyboard.press("Enter")
    return f"{CHAPTER}#{quiz.get_attribute('id')}"


def counts(page, kind: str) -> str:
    return page.locator(f'[data-of="{CHAPTER} {kind}"]').inner_text()


def test_what_is_done_is_counted_and_nothing_is_sent(reader, go, base):
    page = reader()
    go(page)
    before = {kind: counts(page, kind) for kind in ("guess", "quiz", "ex")}
    assert all(text.startswith("0 of ") for text in before.values())
    assert page.locator("#contents .done").count() == 0
    chapter(go, page)
    asked = []
    page.on("request", lambda request: asked.append((request.method, request.url)))
    choose(page, right=True)
    page.locator(".live-guess .guess-again").first.click()
    box = page.locator(".tick input").first
    box.focus()
    page.keyboard.press("Space")
    page.locator(".exercise + .solution summary").nth(1).click()
    done = len(steps()[CHAPTER])
    page.locator("#contents .done", has_text=f"(3 of {done} done)").wait_for()
    # A live figure in view fetches files of the book; nothing else is asked, nothing sent.
    own = (f"{base}/_static/", "blob:")
    assert [ask for ask in asked if ask[0] != "GET" or not ask[1].startswith(own)] == []
    go(page)
    assert {kind: counts(page, kind) for kind in before} == {
        kind: text.replace("0 of", "1 of") for kind, text in before.items()
    }
    exercises = page.locator(f'.exercises li[data-place^="{CHAPTER}#"]')
    assert "is-done" in exercises.nth(0).get_attribute("class")
    assert "is-opened" in exercises.nth(1).get_attribute("class")
    assert page.locator("#contents a:has(.done)").get_attribute("href") == f"{CHAPTER}.html"
    chapter(go, page)
    assert box.is_checked()
    box.uncheck()
    page.locator("#contents .done", has_text=f"(2 of {done} done)").wait_for()


def test_a_quiz_comes_back_after_a_day_and_then_later_and_later(reader, go):
    page = reader()
    today = datetime(2026, 11, 29, 23, 30)
    page.clock.install(time=today)
    chapter(go, page)
    place = choose(page, right=True)
    for days in (1, 3, 7, 21, 21):
        due = (today + timedelta(days=days)).date()
        assert kept(page)[place]["due"] == due.isoformat()
        choose(page, right=False)  # only looking: it counts no more today
        assert kept(page)[place]["due"] == due.isoformat()
        for late, shown in ((days - 1, 0), (days, 1)):
            page.clock.set_fixed_time(today + timedelta(days=late))
            go(page)
            assert page.locator(".due li:visible").count() == shown
            assert page.locator(".none-due").is_visible() == (not shown)
        today += timedelta(days=days)
        page.locator(".due li:visible a").click()
        page.wait_for_url(f"**/{CHAPTER}.html#{place.split('#')[1]}")
        page.wait_for_load_state("networkidle")
        choose(page, right=True)
    page.clock.set_fixed_time(today + timedelta(days=30))
    page.reload()
    choose(page, right=False)
    assert kept(page)[place]["due"] == (today + timedelta(days=31)).date().isoformat()


def test_printing_answers_nothing(reader, go):
    page = reader()
    chapter(go, page)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".vg-quiz details[open]").count() > 2
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.wait_for_timeout(100)
    assert kept(page) == {}


def test_progress_travels_in_a_file(reader, go, tmp_path):
    page = reader()
    chapter(go, page)
    choose(page, right=True)
    page.locator(".live-guess input[type=range]").first.fill("0")
    go(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.suffix == ".json" and len(kept(page)) == 2
    other = go(reader())
    other.locator(".study-buttons input").set_input_files(file)
    other.get_by_text("Loaded what the file says of 2 places.").wait_for()
    assert kept(other) == kept(page)
    assert counts(other, "quiz").startswith("1 of ")
    chapter(go, other)
    assert other.locator(".guess-words").first.inner_text().startswith("1 of ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"progress": 3}',
        '{"progress": {"theme": {}}}',
        '{"progress": {"a#ex-b": 1}}',
    ],
)
def test_a_file_of_another_kind_changes_nothing(reader, go, tmp_path, text):
    file = tmp_path / "other.json"
    file.write_text(text)
    page = go(reader())
    page.locator(".study-buttons input").set_input_files(file)
    page.get_by_text("This is no file of progress").wait_for()
    assert kept(page) == {}


def test_forgetting_asks_first(reader, go):
    page = reader()
    chapter(go, page)
    choose(page, right=False)
    go(page)
    forget = page.get_by_role("button", name="Forget everything")
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    forget.click()
    assert "Forget every" in asked[0] and len(kept(page)) == 1
    page.once("dialog", lambda dialog: dialog.accept())
    forget.click()
    page.get_by_text("Everything is forgotten.").wait_for()
    assert kept(page) == {} and counts(page, "quiz").startswith("0 of ")


def test_another_tab_shows_it_at_once(reader, go):
    page = go(reader())
    other = page.context.new_page()
    chapter(go, other)
    choose(other, right=True)
    page.get_by_text("1 of 2").first.wait_for(timeout=3000)
    assert counts(page, "quiz").startswith("1 of ")


def test_where_storage_is_blocked_the_page_says_so(reader, go):
    page = reader()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    blocked = "{ get() { throw new DOMException('denied', 'SecurityError'); } }"
    page.add_init_script(f"Object.defineProperty(window, 'localStorage', {blocked})")
    chapter(go, page)
    choose(page, right=True)
    box = page.locator(".tick input").first
    box.check()
    page.wait_for_timeout(100)
    assert box.is_checked()
    go(page)
    said = page.locator(".study-buttons output").inner_text()
    assert said.startswith("Your browser lets this page keep nothing")
    assert page.locator(".study-buttons button:enabled").count() == 0
    assert complaints == []


def test_without_scripts_the_lists_are_there_and_no_dead_buttons(reader, go):
    page = go(reader(java_script_enabled=False))
    assert page.get_by_text("nothing is kept or counted").is_visible()
    assert page.locator(".study-buttons, .none-due").first.is_hidden()
    assert page.locator(".due li:visible").count() == page.locator(".due li").count() > 5
    assert page.locator(".exercises li:visible").count() > 40
    chapter(go, page)
    assert page.locator(".tick:visible").count() == 0


def fill(page) -> None:
    """As a reader who has done everything, a day ago."""
    everything = {
        f"{slug}#{name}": {"done": True, "drawn": [], "due": "2026-01-01", "solved": "2026-01-01"}
        for slug, names in steps().items()
        for name in names
    }
    page.evaluate(
        f"localStorage.setItem('vanishing-progress', JSON.stringify({json.dumps(everything)}))"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_full_record_reads_as_well_as_an_empty_one(reader, go, scheme):
    page = go(reader(width=320, color_scheme=scheme))
    fill(page)
    page.reload()
    assert page.locator(".due li:visible").count() == page.locator(".due li").count()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.locator(".contents-button").click()
    assert page.locator("#contents .done").count() == len(steps())
    result = Axe().run(page, {"exclude": [[".katex-html"]]}, {"resultTypes": ["violations"]})
    found = [
        (v["id"], [n["html"][:100] for n in v["nodes"]]) for v in result.response["violations"]
    ]
    assert found == []


@pytest.mark.parametrize("name", [STUDY, f"chapters/{CHAPTER}.html"])
def test_nothing_moves_when_progress_comes(reader, go, name):
    page = go(reader(), name)
    fill(page)
    page.add_init_script(SHIFTS)
    page.reload(wait_until="networkidle")
    page.wait_for_timeout(300)
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, *_ in shifts) <= 0.02, shifts


def test_on_paper_the_page_of_study_has_no_controls(reader, go):
    page = go(reader())
    page.emulate_media(media="print")
    assert page.locator(".study-buttons").is_hidden()
    chapter(go, page)
    assert page.locator(".tick:visible").count() == 0
