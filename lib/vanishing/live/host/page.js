// A page of live figures: finding them, the state in the address, shared data (page.py).

const home = typeof document === "object" && document.currentScript && document.currentScript.src;

/** Shared data: in the page itself, or in one script beside this one that all pages share. */
async function loadData(figure, spec) {
  const shared = (window.vanishingData ??= {});
  for (const name of spec.data) {
    const inline = figure.querySelector(`.live-data[data-name="${name}"]`);
    if (inline) shared[name] = inline.textContent;
    if (!shared[name]) {
      await new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = home.replace(/[^/]*$/, `vanishing-data-${name}.js`);
        Object.assign(script, { onload: resolve, onerror: reject });
        document.head.append(script);
      });
    }
  }
  return spec.data.map((name) => Uint8Array.from(atob(shared[name]), (c) => c.charCodeAt(0)));
}

/**
 * `#fig-name?a=1&b=x` for a state: only what differs from the defaults is named. Without the
 * question mark it is a plain reference, which moves no control.
 */
function fragment(figure, state) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (value !== figure.live.defaults[name]) query.set(name, String(value));
  }
  return `#${figure.dataset.key}?${query}`;
}

/** The live figure that a fragment names, with the state it asks for. */
function parse(hash) {
  const [, id, query] = /^#(fig-[^?]+)\?(.*)$/.exec(hash) || [];
  const figure = id && document.querySelector(`figure.live[data-key="${CSS.escape(id)}"]`);
  if (!figure || !figure.live) return null;
  const asked = Object.fromEntries(new URLSearchParams(query));
  return { figure, state: { ...figure.live.defaults, ...asked } };
}

/** The fragment that the reader came with; slides may have replaced it before we run. */
function arrival() {
  const [entry] = performance.getEntriesByType("navigation");
  return location.hash || (entry ? new URL(entry.name).hash : "");
}

/** Bring a figure into view; in slides, turn to its slide. */
function reveal(figure) {
  const slide = figure.closest(".reveal section");
  if (!slide || !window.Reveal) return figure.scrollIntoView({ block: "nearest" });
  const turn = () => {
    const { h, v } = Reveal.getIndices(slide);
    Reveal.slide(h, v);
  };
  if (Reveal.isReady()) turn();
  else Reveal.on("ready", turn);
}

/**
 * Note under which name the address speaks of a figure (`data-key`), and give a figure that the
 * page shows twice, byte for byte, ids of its own.
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

/** Hydrate every figure of the page. @returns {() => void} cleanup */
function hydrate(root) {
  let timer;
  let clicked = false; // a link to another place of the page leaves the figures as they are
  const remember = (figure) => (state) => {
    clearTimeout(timer);
    const hash = fragment(figure, state);
    figure.querySelector(".live-link").setAttribute("href", hash);
    timer = setTimeout(() => history.replaceState(history.state, "", hash), 250);
  };
  const lives = [];
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      watch.unobserve(target);
      if (!Object.keys(target.live.outputs).length) target.live.warm();
    }
  }, { rootMargin: "300px" });
  for (const figure of root.querySelectorAll("figure.live")) {
    const block = figure.querySelector(".live-spec");
    if (!block || figure.live) continue;
    identify(figure);
    const spec = JSON.parse(block.textContent);
    const connect = async () => browserEngine(spec, await loadData(figure, spec));
    lives.push(attach(figure, spec, connect, remember(figure)));
    watch.observe(figure);
  }
  const follow = (event) => {
    clearTimeout(timer);
    const hash = event ? location.hash : arrival();
    const target = parse(hash);
    const left = event && parse(new URL(event.oldURL).hash);
    if (!target && left && !clicked) left.figure.live.set(left.figure.live.defaults, true);
    clicked = false;
    if (!target) return;
    target.figure.live.set(target.state, true);
    target.figure.querySelector(".live-link").setAttribute("href", hash);
    reveal(target.figure);
  };
  const again = ({ target }) => {
    const link = target.closest && target.closest('a[href^="#"]');
    const same = link && link.getAttribute("href") === location.hash;
    clicked = Boolean(link) && !same; // the same place again is no change of the address
    const aim = same && parse(location.hash);
    if (aim) reveal(aim.figure);
  };
  follow();
  addEventListener("hashchange", follow);
  document.addEventListener("click", again);
  return () => {
    removeEventListener("hashchange", follow);
    document.removeEventListener("click", again);
    watch.disconnect();
    lives.forEach((live) => live.destroy());
  };
}
