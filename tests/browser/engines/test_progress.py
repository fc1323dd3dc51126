"""Progress in other engines: what is done on one page of a folder is there on the next."""

from pathlib import Path

import drivers
import pytest

pytestmark = [
    pytest.mark.book,
    pytest.mark.browser,
    # Selenium warns of what it does itself.
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),
]

CHAPTERS = Path(__file__).parents[3] / "_build" / "html" / "chapters"
#: Choose an answer of each quiz, if there are any; what the page says of the chapter's quizzes.
ANSWER = """async () => {
  for (const quiz of document.querySelectorAll(".vg-quiz")) quiz.querySelector("summary").click();
  await new Promise((go) => setTimeout(go, 100));
  return document.querySelector('[data-of="no-learning quiz"]')?.textContent ?? null;
}"""


@pytest.mark.parametrize("drive", [drivers.firefox, drivers.webkit], ids=["firefox", "webkit"])
def test_what_is_done_on_one_page_is_there_on_the_next(drive):
    names = ("study", "no-learning", "study")
    visits = [((CHAPTERS / f"{name}.html").as_uri(), None) for name in names]
    before, _, after = (said for said, _ in drive(visits, ANSWER))
    assert (before, after) == ("0 of 2", "2 of 2")
