// What the reader has done: noted where they do it, shown in the contents and on the page of study
// (study.py). memory.js, which stands before this, keeps it in their own browser.

const DAYS = [1, 3, 7, 21]; // after which a quiz comes back, as long as it is answered rightly

/** @typedef {{right: boolean, box: number, due: string}} Answered  box: an index of DAYS */
/** @typedef {{opened?: string, solved?: string}} Tried  on which days */

/** A day of the reader's own calendar, so many after today. @returns {string} "2026-11-29" */
function day(after = 0) {
  const date = new Date();
  date.setDate(date.getDate() + after);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}

/** "quiz" of "dead-neurons#quiz-how-many". @param {string} place @returns {string} */
const kindOf = (place) => place.split("#")[1].split("-")[0];

/** Whether what is kept of a step means that it is done. @param {string} place @param {any} kept */
function isDone(place, kept) {
  return Boolean({ guess: kept?.done, quiz: kept?.due, ex: kept?.solved }[kindOf(place)]);
}

/** The first answer counts, until the quiz is due again. @param {HTMLElement} chosen */
function answer(chosen) {
  const place = placeOf(chosen.closest(".vg-quiz")?.id ?? "");
  /** @type {Answered|undefined} */
  const before = recall()[place];
  if (before && before.due > day()) return;
  const right = "right" in chosen.dataset;
  const box = right && before ? Math.min(before.box + 1, DAYS.length - 1) : 0;
  note(place, { right, box, due: day(DAYS[box]) });
}

/** @param {string} name of an exercise @param {Tried} news */
function tried(name, news) {
  const place = placeOf(name);
  note(place, { ...recall()[place], ...news });
}

/** Note what is opened, before it is. @param {Element} target what was pressed */
function opened(target) {
  const box = target.closest("summary")?.parentElement;
  if (!(box instanceof HTMLDetailsElement) || box.open) return;
  if (box.closest(".vg-quiz")) answer(box);
  const exercise = box.matches(".exercise + .solution") && box.previousElementSibling;
  if (exercise) tried(exercise.id, { opened: day() });
}

/** Hand all that is kept to the reader, as a file. */
function save() {
  const text = JSON.stringify({ progress: recall() }, null, 1);
  const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href, download: `${MEMORY}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

/** Keep what a file holds, over what is kept already. @param {string} text @returns {string} */
function load(text) {
  try {
    const { progress } = JSON.parse(text);
    const sound = ([/** @type {string} */ place, /** @type {any} */ kept]) =>
      /^[\w-]+#(guess|quiz|ex)-[\w-]+$/.test(place) && kept && typeof kept === "object";
    if (Object(progress) !== progress || !Object.entries(progress).every(sound)) throw new Error("not ours");
    remember({ ...recall(), ...progress });
    return `Loaded what the file says of ${Object.keys(progress).length} places.`;
  } catch {
    return "This is no file of progress, so nothing was changed. Choose one that you saved here.";
  }
}

/** A line under a link of the contents, as long as the share that is done, and a word for ears. */
function mark(/** @type {Element} */ link, /** @type {number} */ done, /** @type {number} */ all) {
  link.querySelector(".done")?.remove();
  if (!done) return;
  const line = Object.assign(document.createElement("span"), { className: "done" });
  const words = ` (${done} of ${all} done)`;
  line.append(Object.assign(document.createElement("span"), { className: "for-ears", textContent: words }));
  line.style.setProperty("--done", String(done / all));
  link.append(line);
}

/** @typedef {Record<string, string[]>} Book  chapter → the names of what there is to do in it */

/** Show in the contents, on the page of study and in the boxes what is done. @param {Book} book */
function show(book) {
  const kept = recall();
  const all = (/** @type {string} */ selector) =>
    /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(selector));
  const here = placeOf("").slice(0, -1);
  for (const [chapter, names] of Object.entries(book)) {
    const places = names.map((name) => `${chapter}#${name}`);
    const done = places.filter((place) => isDone(place, kept[place]));
    const page = `${chapter}.html`;
    const link = chapter === here ? '[href="#"]' : `:is([href="${page}"], [href$="/${page}"])`;
    all(`#contents a${link}`).forEach((found) => mark(found, done.length, places.length));
    for (const kind of ["guess", "quiz", "ex"]) {
      const of = (/** @type {string[]} */ some) => some.filter((place) => kindOf(place) === kind).length;
      all(`[data-of="${chapter} ${kind}"]`).forEach((cell) =>
        (cell.textContent = `${of(done)} of ${of(places)}`));
    }
  }
  all("[data-place]").forEach((item) => {
    const place = item.dataset.place ?? "";
    item.classList.toggle("is-due", kindOf(place) === "quiz" && kept[place]?.due <= day());
    item.classList.toggle("is-done", isDone(place, kept[place]));
    item.classList.toggle("is-opened", Boolean(kept[place]?.opened));
  });
  /** @type {NodeListOf<HTMLInputElement>} */ (all(".tick input")).forEach((box) =>
    (box.checked = Boolean(kept[placeOf(box.value)]?.solved)));
}

/**
 * The buttons of the page of study.
 * @param {HTMLElement} form @param {boolean} keeps @param {() => void} changed
 */
function offer(form, keeps, changed) {
  const [out, into, forget] = form.querySelectorAll("button");
  const file = /** @type {HTMLInputElement} */ (form.querySelector("input"));
  const words = /** @type {HTMLElement} */ (form.querySelector("output"));
  const say = (/** @type {string} */ text) => {
    words.textContent = text;
    changed();
  };
  if (!keeps) {
    for (const button of [out, into, forget]) button.disabled = true;
    say("Your browser lets this page keep nothing, so what you do is forgotten with each page.");
    return;
  }
  out.addEventListener("click", save);
  into.addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    say(load(await /** @type {File} */ (file.files?.[0]).text()));
    file.value = ""; // so that the same file can be chosen again
  });
  forget.addEventListener("click", () => {
    if (!confirm("Forget every prediction, quiz and exercise that this browser remembers?")) return;
    remember({});
    say("Everything is forgotten.");
  });
}

/** @param {Book} book */
function study(book) {
  const keeps = remembers();
  const changed = () => {
    if (keeps) show(book); // else a tick stays as the reader set it, as long as the page
  };
  document.addEventListener("click", ({ target }) => {
    opened(/** @type {Element} */ (target));
    setTimeout(changed); // a prediction is noted in the meantime
  });
  document.addEventListener("change", ({ target }) => {
    const box = /** @type {HTMLInputElement} */ (target);
    if (box.matches(".tick input")) tried(box.value, { solved: box.checked ? day() : undefined });
  });
  addEventListener("storage", changed); // in another tab
  addEventListener("pageshow", changed); // back from another page
  const form = document.querySelector(".study-buttons");
  if (form) offer(/** @type {HTMLElement} */ (form), keeps, changed);
  changed();
}
