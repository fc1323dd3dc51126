// What the reader has done, kept in their own browser and sent nowhere: one object for the whole
// book, from a place, such as "dead-neurons#quiz-how-many", to what was done there.

const MEMORY = "vanishing-progress";

/** Whether this browser lets a page remember. @returns {boolean} */
function remembers() {
  try {
    localStorage.setItem(`${MEMORY}-try`, "");
    localStorage.removeItem(`${MEMORY}-try`);
    return true;
  } catch {
    return false;
  }
}

/** All that is kept. @returns {Record<string, any>} */
function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(MEMORY) || "{}");
    return kept && typeof kept === "object" && !Array.isArray(kept) ? kept : {};
  } catch {
    return {}; // storage may be blocked, or hold something else
  }
}

/** Keep this instead of all that was kept. @param {Record<string, any>} kept */
function remember(kept) {
  try {
    if (Object.keys(kept).length) localStorage.setItem(MEMORY, JSON.stringify(kept));
    else localStorage.removeItem(MEMORY);
  } catch {
    // then it lasts as long as the page
  }
}

/** Keep what was done at one place, or forget it. @param {string} place @param {object|null} done */
function note(place, done) {
  const { [place]: _, ...others } = recall(); // afresh: another tab may have written
  remember(done ? { ...others, [place]: done } : others);
}

/** The place of an element of this page. @param {string} id @returns {string} */
function placeOf(id) {
  const page = location.pathname.split("/").pop() || "index";
  return `${page.replace(/\.html$/, "")}#${id}`;
}
