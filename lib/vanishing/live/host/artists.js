// How each kind of artist is drawn (artists.py, marks.py).

/** @typedef {(artist: any, elements: any[]) => (outputs: Outputs) => void} Preparation */

/**
 * One preparation for each kind of artist: given the artist's instruction and its elements, it
 * returns the function that draws outputs.
 * @type {Record<string, Preparation>}
 */
const artists = {
  line(artist, [group]) {
    const { x, y } = artist.axes;
    const path = group.querySelector(":scope > path");
    const mark = group.querySelector("use");
    let marks = mark ? [...group.querySelectorAll("use")] : [];
    const apart = group.appendChild(document.createElementNS(SVG, "g"));
    const off = apart.appendChild(document.createElementNS(SVG, "path"));
    const colour = (path || mark).getAttribute("stroke") || (path || mark).getAttribute("fill");
    off.setAttribute("class", "live-off");
    if (colour) off.setAttribute("fill", colour);
    return (outputs) => {
      const xs = values(artist, outputs, "x");
      const ys = Array.from(values(artist, outputs, "y"));
      const points = ys.map((value, i) => [place(x, xs[i]), place(y, value)]);
      if (path) put(path, "d", polyline(points));
      put(off, "d", exits(points, artist.box));
      if (mark && marks.length < points.length) marks = copies(marks, points.length);
      marks.forEach((node, i) => {
        const shown = i < points.length && drawable(points[i]);
        put(node, "display", shown ? "inline" : "none");
        if (shown) ["x", "y"].forEach((name, k) => put(node, name, points[i][k]));
      });
    };
  },

  rule(artist, [group]) {
    const [[role, output]] = Object.entries(artist.shows);
    const [from, to] = artist.ends;
    return (outputs) => {
      const at = place(artist.axes[role], outputs[output][0]);
      const ends = role === "x" ? [[at, from], [at, to]] : [[from, at], [to, at]];
      put(template(group), "d", polyline(ends));
    };
  },

  bars(artist, groups) {
    const { x, y } = artist.axes;
    const point = (u, v) => (artist.flat ? [place(x, v), place(y, u)] : [place(x, u), place(y, v)]);
    return (outputs) =>
      artist.stand.forEach(([low, high, base], i) => {
        const top = base + outputs[artist.shows.length][i];
        const box = [point(low, base), point(high, base), point(high, top), point(low, top)];
        put(template(groups[i]), "d", box.every(drawable) ? `M${join(box)}z` : "");
      });
  },

  steps(artist, [group]) {
    const { x, y } = artist.axes;
    const { edges, base, flat } = artist;
    const point = (u, v) => (flat ? [place(x, v), place(y, u)] : [place(x, u), place(y, v)]);
    const both = (height, i) => [point(edges[i], height), point(edges[i + 1], height)];
    const bottoms = base && base.length > 1 && base.map(both);
    return (outputs) => {
      const tops = Array.from(outputs[artist.shows.values], both);
      const finite = runs([...tops.keys()], (i) => tops[i].every(drawable));
      const outline = (run) => {
        const [first, last] = [run[0], run[run.length - 1]];
        const top = run.flatMap((i) => tops[i]);
        if (!base) return top;
        if (bottoms) return [...top, ...run.flatMap((i) => bottoms[i]).reverse(), top[0]];
        return [point(edges[first], base[0]), ...top, point(edges[last + 1], base[0])];
      };
      put(template(group), "d", finite.map((run) => "M" + join(outline(run))).join(""));
    };
  },

  band(artist, [group]) {
    const { x, y } = artist.axes;
    const path = plain(group);
    return (outputs) => {
      const [lower, upper] = ["lower", "upper"].map((role) => outputs[artist.shows[role]]);
      const pairs = artist.x.map((at, i) => [
        [place(x, at), place(y, lower[i])],
        [place(x, at), place(y, upper[i])],
      ]);
      const finite = runs(pairs, (pair) => pair.every(drawable));
      const outline = (run) => join([...run.map((p) => p[0]), ...run.map((p) => p[1]).reverse()]);
      put(path, "d", finite.map((run) => `M${outline(run)}z`).join(""));
    };
  },

  image(artist, [element]) {
    const [height, width] = artist.size;
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    let shown; // to make a file of it takes long, and in a run it may stay
    return (outputs) => {
      const numbers = outputs[artist.shows.z];
      if (shown && shown.every((v, i) => Object.is(v, numbers[i]))) return;
      shown = numbers;
      const rgba = colours(artist.colours, numbers);
      context.putImageData(new ImageData(rgba, width, height), 0, 0);
      element.setAttribute("href", canvas.toDataURL());
    };
  },

  scatter(artist, [group]) {
    const { x, y } = artist.axes;
    let marks; // matplotlib's own points stay until there are outputs to draw
    return (outputs) => {
      if (!marks) {
        marks = [plain(group)];
        marks[0].setAttribute("d", artist.marker);
      }
      const flat = values(artist, outputs, "offsets");
      const roles = ["x", "y", "colour", "size"];
      const [xs, ys, hue, size] = roles.map((role) => values(artist, outputs, role));
      const paint = hue && colours(artist.colours, hue);
      const count = flat ? flat.length / 2 : xs.length;
      if (marks.length < count) marks = copies(marks, count);
      marks.forEach((node, i) => {
        const at = [place(x, flat ? flat[2 * i] : xs[i]), place(y, flat ? flat[2 * i + 1] : ys[i])];
        const scale = Math.sqrt(size ? size[i] : artist.sizes[i % artist.sizes.length]);
        put(node, "display", drawable(at) && scale > 0 ? "inline" : "none");
        if (drawable(at)) put(node, "transform", `translate(${at}) scale(${scale})`);
        if (!paint) return;
        const rgba = `${paint.subarray(4 * i, 4 * i + 3)},${paint[4 * i + 3] / 255}`;
        for (const part of ["fill", "stroke"]) put(node, part, `rgba(${rgba})`);
      });
    };
  },

  network({ shows, parts, hues, zero, full, shades }, groups) {
    const draws = parts.map((role, part) => {
      const paint = role === "units" ? "fill" : "stroke";
      const { look, outlines } = unfold(groups[part]);
      look.setAttribute("stroke-opacity", "1"); // the first mark may have been none
      const path = (/** @type {number} */ shade) => {
        const node = groups[part].appendChild(look.cloneNode());
        if (role !== "dead") node.setAttribute(paint, hues[shade < 0 ? 1 : 0]);
        node.setAttribute(`${paint}-opacity`, String(Math.abs(shade) / shades));
        return node;
      };
      /** @type {Map<number, Element>} one path for all marks of a shade: few elements change */
      const paths = new Map();
      return (outputs) => {
        const list = outputs[shows[role]];
        /** @type {Map<number, string>} */
        const drawn = new Map();
        outlines.forEach((outline, i) => {
          const share = role === "dead" ? Number(list[i] > 0) : (list[i] - zero) / (full - zero);
          const shade = Math.floor(clamp(share, -1, 1) * shades + 0.5);
          const seen = role === "units" ? !Number.isNaN(shade) : shade;
          if (seen) drawn.set(shade, (drawn.get(shade) ?? "") + outline);
        });
        for (const shade of drawn.keys()) if (!paths.has(shade)) paths.set(shade, path(shade));
        paths.forEach((node, shade) => put(node, "d", drawn.get(shade) ?? ""));
      };
    });
    return (outputs) => draws.forEach((draw) => draw(outputs));
  },

  text(artist, [group]) {
    return (outputs) => {
      write(group.querySelector("text"), sentence(artist.parts, outputs, {}, null));
    };
  },
};

