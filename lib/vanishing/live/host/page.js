// A page of live figures: finding them, following links, shared data (page/markup.py).

const home = typeof document === "object" && document.currentScript
  && /** @type {HTMLScriptElement} */ (document.currentScript).src;

/**
 * Shared data: in the page itself, or in one script beside this one that all pages share.
 * @param {HTMLElement} figure @param {Spec} spec @returns {Promise<Uint8Array[]>}
 */
async function loadData(figure, spec) {
  const shared = (window.vanishingData ??= {});
  for (const name of spec.data) {
    const inline = figure.querySelector(`.live-data[data-name="${name}"]`);
    if (inline) shared[name] = inline.textContent || "";
    if (!shared[name]) await loadScript(`vanishing-data-${name}.js`);
  }
  return spec.data.map((name) => Uint8Array.from(atob(shared[name]), (c) => c.charCodeAt(0)));
}

/** @param {string} name @returns {Promise<void>} */
function loadScript(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = String(home).replace(/[^/]*$/, name);
    script.onload = () => resolve();
    script.onerror = () => {
      script.remove(); // so that the next wish tries again
      reject(Object.assign(new Error(`${name} did not arrive`), { waiting: true }));
    };
    document.head.append(script);
  });
}

/**
 * Note under which name the address speaks of a figure (`data-key`), and give a figure that the
 * page shows twice, byte for byte, ids of its own.
 * @param {HTMLElement} figure
 */
function identify(figure) {
  const first = figure.id || `fig-${figure.dataset.name}`;
  let key = first;
  for (let n = 2; document.querySelector(`[data-key="${key}"]`); n++) key = `${first}-${n}`;
  figure.dataset.key = key;
  if (key === first) return;
  for (const node of [figure, ...figure.querySelectorAll("[id],[for]")]) {
    for (const name of ["id", "for"]) {
      const value = node.getAttribute(name);
      if (value) node.setAttribute(name, value.replace(first, key));
    }
  }
}

/** All live figures of a page, and the address that tells their states. */
class LivePage {
  /** @type {HTMLElement[]} */ figures = [];
  /** @type {HTMLElement[]} those that have moved, the last one first */ #moved = [];
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;
  /** @type {Element|null} the link that the reader has just followed */ #followed = null;
  #closed = new AbortController();

  /** @param {Document} root */
  constructor(root) {
    this.watch = new IntersectionObserver((entries) => this.#warm(entries), {
      rootMargin: "300px",
    });
    for (const figure of root.querySelectorAll("figure.live")) {
      this.#add(/** @type {HTMLElement} */ (figure));
    }
    this.unlink = skipLinks(this.figures);
    answering(this.figures);
    const { signal } = this.#closed;
    this.#follow(null);
    addEventListener("hashchange", (event) => this.#follow(event), { signal });
    document.addEventListener("click", (event) => this.#click(event), { signal });
    addEventListener("online", () => this.figures.forEach((f) => liveOf(f).warm()), { signal });
  }

  #add(/** @type {HTMLElement} */ figure) {
    const block = figure.querySelector(".live-spec");
    if (!block || liveOf(figure)) return;
    identify(figure);
    const spec = JSON.parse(block.textContent || "");
    const engine = browserEngine(spec, () => loadData(figure, spec));
    const live = attach(figure, spec, engine, () => this.#remember(figure));
    live.find(".live-link").addEventListener("click", (/** @type {Event} */ event) => {
      event.preventDefault();
      copyAddress(figure, live);
    });
    this.figures.push(figure);
    this.watch.observe(figure);
  }

  #warm(/** @type {IntersectionObserverEntry[]} */ entries) {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      this.watch.unobserve(target);
      liveOf(target).warm();
    }
  }

  /** Let the address tell the state once it rests: some browsers forbid a hundred changes. */
  #remember(/** @type {HTMLElement} */ figure) {
    clearTimeout(this.#timer);
    this.#moved = [figure, ...this.#moved.filter((other) => other !== figure)];
    const there = () => this.#moved.filter(liveOf); // a script may have taken one away
    this.#timer = setTimeout(() => there().length && rewrite(fragment(there())), 250);
  }

  /** Set what the address names; what it named before and names no more goes back. */
  #follow(/** @type {HashChangeEvent|null} */ event) {
    clearTimeout(this.#timer);
    const hash = event ? location.hash : arrival();
    const targets = parse(hash);
    const link = this.#followed;
    this.#followed = null;
    // A link to another place of the page leaves the figures as they are; going back does not.
    const elsewhere = link && !targets.length;
    for (const { figure, live } of event && !link ? parse(new URL(event.oldURL).hash) : []) {
      if (!elsewhere && !targets.some((t) => t.figure === figure)) live.set(live.opening, true);
    }
    for (const { live, state } of targets) live.set(state, true);
    const named = targets.map(({ figure }) => figure);
    this.#moved = [...named, ...this.#moved.filter((figure) => !named.includes(figure))];
    if (named.length) reveal(named[0], link);
  }

  #click(/** @type {MouseEvent} */ event) {
    const target = /** @type {Element} */ (event.target);
    const link = target.closest?.('a[href^="#"]:not(.live-link, .live-skip)');
    if (!link) return;
    const same = link.getAttribute("href") === location.hash;
    this.#followed = same ? null : link; // the same place again is no change of the address
    if (!same) return;
    for (const { figure, live, state } of parse(location.hash).slice(0, 1)) {
      live.set(state, true);
      reveal(figure, link);
    }
  }

  destroy() {
    clearTimeout(this.#timer);
    this.#closed.abort();
    this.watch.disconnect();
    this.unlink();
    this.figures.forEach((figure) => liveOf(figure)?.destroy());
  }
}

/** Hydrate every figure of the page. @param {Document} root @returns {() => void} cleanup */
function hydrate(root) {
  const page = new LivePage(root);
  return () => page.destroy();
}
