// A figure of the book in another page's <iframe>. The same script serves both ends: in the frame
// it says how high the figure is, in the page around it gives the frame that height.
"use strict";

(() => {
  const ASK = "vanishing-gradients: how high?";

  /** In the frame. What is said is a number, which anybody may hear. */
  function tell() {
    const say = () => {
      const height = Math.ceil(document.body.getBoundingClientRect().height);
      parent.postMessage({ vanishingGradients: { height } }, "*");
    };
    new ResizeObserver(say).observe(document.body);
    addEventListener("message", ({ data }) => data === ASK && say());
    // The chapter is to show the state that the figure is in.
    const home = document.querySelector(".embed-source a");
    const keep = () => (home.hash = document.querySelector(".live-link").getAttribute("href"));
    for (const kind of ["pointerdown", "click"]) home.addEventListener(kind, keep);
  }

  /** In the page around it: only frames that show this book are given what they ask for. */
  function listen(book) {
    const frames = () => [...document.querySelectorAll("iframe")].filter(({ src }) =>
      src.startsWith(book));
    addEventListener("message", ({ source, data }) => {
      const frame = frames().find(({ contentWindow }) => contentWindow === source);
      const height = data?.vanishingGradients?.height;
      if (frame && height > 0) frame.style.height = `${height}px`;
    });
    for (const { contentWindow } of frames()) contentWindow.postMessage(ASK, "*");
  }

  if (document.querySelector("body.embed")) tell();
  else listen(new URL("../embed/", document.currentScript.src).href);
})();
