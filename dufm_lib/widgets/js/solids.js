// The structures in space, turned by mouse, finger, keys or buttons.
import { element } from "./controls.js";
import { corners, spread } from "./corners.js";
import { live } from "./figure.js";
import { INK, escaped, marker } from "./plot.js";
import { START, rotation, seen } from "./turn.js";

const LOOKS = { simplex: "dnc", orthoplex: "pairing", polygon: "polygon" };
const STEP = Math.PI / 18; // of a key or a button
const SPIN = 0.5; // radians a second
const ZOOM = { least: 0.6, most: 2.5, step: 1.15 };
const TURNS = {
  ArrowLeft: [[0, 1, 0], -STEP],
  ArrowRight: [[0, 1, 0], STEP],
  ArrowUp: [[1, 0, 0], -STEP],
  ArrowDown: [[1, 0, 0], STEP],
};
const BUTTONS = [
  ["←", "turn to the left", "ArrowLeft"],
  ["→", "turn to the right", "ArrowRight"],
  ["↑", "turn up", "ArrowUp"],
  ["↓", "turn down", "ArrowDown"],
  ["+", "larger", "+"],
  ["−", "smaller", "-"],
];

export default live((figure) => {
  let view = START;
  let zoom = 1;
  let spinning = false;
  let last = 0; // when the spinning was last drawn
  let spoken = "";

  const picture = element("div", {
    className: "solids-view",
    tabIndex: 0,
    role: "group",
    "aria-label": "The structure in space: turn it with the arrow keys, + and −, or by dragging",
    style: "touch-action: none; cursor: grab; width: fit-content; max-width: 100%; margin: auto; user-select: none",
  });
  const spin = element("button", { type: "button", className: "solids-spin", hidden: figure.still, "aria-pressed": "false" }, "Spin");
  const row = element("div", { className: "live-row" }, spin);
  for (const [sign, label, key] of BUTTONS) {
    const button = element("button", { type: "button", "aria-label": label }, sign);
    button.onclick = () => act(key);
    row.append(button);
  }
  figure.stage.append(picture, row);

  function act(key) {
    if (TURNS[key]) view = rotation(...TURNS[key], view);
    else if (key === "+" || key === "=") zoom = Math.min(ZOOM.most, zoom * ZOOM.step);
    else if (key === "-" || key === "−") zoom = Math.max(ZOOM.least, zoom / ZOOM.step);
    else return false;
    figure.redraw();
    return true;
  }
  picture.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && act(event.key)) event.preventDefault();
  });
  picture.addEventListener("pointerdown", (event) => picture.setPointerCapture(event.pointerId));
  picture.addEventListener("pointermove", (event) => {
    if (!picture.hasPointerCapture(event.pointerId)) return;
    const across = event.movementX / 110;
    const down = event.movementY / 110;
    view = rotation([0, 1, 0], across, rotation([1, 0, 0], down, view));
    figure.redraw();
  });
  spin.onclick = () => {
    spinning = !spinning;
    spin.setAttribute("aria-pressed", String(spinning));
    last = performance.now();
    figure.redraw();
  };

  return {
    draw() {
      if (spinning) {
        const now = performance.now();
        view = rotation([0, 1, 0], (SPIN * Math.min(100, now - last)) / 1000, view);
        last = now;
        figure.redraw();
      }
      const { structure, K } = figure.values;
      const solid = structure === "optimum" ? optimum(figure.data.optima[K]) : { ...corners(structure, K), name: structure };
      const said = describe(solid, K);
      const look = figure.looks[solid.look ?? LOOKS[structure]];
      picture.innerHTML = drawing(seen(solid.points, view), solid, look, Math.min(figure.width, 380), zoom, said);
      if (spinning && said === spoken) return undefined;
      spoken = said;
      return said;
    },
  };
});

function optimum(found) {
  return { ...found, exact: true, angles: spread(found.points) };
}

function describe({ name, rank, exact, angles }, K) {
  const kind = `${name[0].toUpperCase()}${name.slice(1)} of ${K} classes, rank ${rank}`;
  const shadow = exact ? "" : ` It needs ${rank} dimensions: drawn is its shadow in three, where angles look smaller or larger.`;
  return `${kind}: ${angles}.${shadow}`;
}

/** Nearer corners and edges are drawn later, darker and thicker. */
function drawing(points, { edges }, look, size, zoom, label) {
  const radius = 0.4 * size * zoom;
  const at = ([x, y]) => [size / 2 + radius * x, size / 2 - radius * y];
  const near = (depth) => Math.max(0, Math.min(1, (depth + 1) / 2));
  const items = edges.map(([i, j]) => {
    const depth = (points[i][2] + points[j][2]) / 2;
    const [[x1, y1], [x2, y2]] = [at(points[i]), at(points[j])];
    const line = `<path d="M${x1.toFixed(1)},${y1.toFixed(1)}L${x2.toFixed(1)},${y2.toFixed(1)}"`;
    const width = (0.8 + 1.8 * near(depth)).toFixed(2);
    return [depth, `${line} stroke="${look.color}" stroke-width="${width}" opacity="${(0.25 + 0.75 * near(depth)).toFixed(2)}"/>`];
  });
  points.forEach((point, k) => {
    const [x, y] = at(point);
    const faded = (0.45 + 0.55 * near(point[2])).toFixed(2);
    const away = Math.hypot(point[0], point[1]) || 1;
    const [dx, dy] = [(15 * point[0]) / away, (-15 * point[1]) / away];
    items.push([point[2] + 0.01, `<g opacity="${faded}">${marker(look, x, y, 4 + 2.5 * near(point[2]))}</g>`]);
    // words stay readable at every depth, on a halo
    const text = `<text x="${(x + dx).toFixed(1)}" y="${(y + dy + 4).toFixed(1)}" text-anchor="middle" stroke="#fff" stroke-width="3" stroke-opacity="0.8" paint-order="stroke">${k + 1}</text>`;
    items.push([point[2] + 0.02, text]);
  });
  items.sort(([a], [b]) => a - b);
  const middle = `<path d="M${size / 2 - 4},${size / 2}h8M${size / 2},${size / 2 - 4}v8" stroke="${INK}"/>`;
  return (
    `<svg class="live-plot" role="img" aria-label="${escaped(label)}" width="${size}" height="${size}" viewBox="0 0 ${size} ${size}">` +
    `${middle}${items.map(([, markup]) => markup).join("")}</svg>`
  );
}
