// A picture in space that is turned by mouse, finger, keys and buttons.
import { element } from "./controls.js";
import { INK, escaped, marker } from "./plot.js";
import { START, rotation, seen } from "./turn.js";

const STEP = 10; // degrees, of a key or a button
const CLOSER = 1.15; // times, likewise
const DRAG = 0.52; // degrees a pixel
const KEYS = {
  ArrowLeft: { turn: -STEP },
  ArrowRight: { turn: STEP },
  ArrowUp: { tilt: -STEP },
  ArrowDown: { tilt: STEP },
  "+": { zoom: CLOSER },
  "=": { zoom: CLOSER },
  "-": { zoom: 1 / CLOSER },
  "−": { zoom: 1 / CLOSER },
};
const BUTTONS = [
  ["←", "turn to the left", "ArrowLeft"],
  ["→", "turn to the right", "ArrowRight"],
  ["↑", "turn up", "ArrowUp"],
  ["↓", "turn down", "ArrowDown"],
  ["+", "larger", "+"],
  ["−", "smaller", "-"],
];

const wrapped = (degrees) => Math.round(10 * (degrees - 360 * Math.round(degrees / 360))) / 10;
const radians = (degrees) => (degrees * Math.PI) / 180;

/**
 * The parts of such a picture. How it is seen are the values turn, tilt and zoom of the figure (fields.view).
 *   name     of its class, name + "-view"
 *   about    what stands there, before "turn it with the arrow keys"
 * Returns { picture, row, move({ turn, tilt, zoom }), put(solid, look, size, label) }: two elements, for the drawing and for
 * the buttons, what turns it further and zooms, and what draws { points: [[x, y, z], ...] within the unit ball, edges:
 * [[i, j], ...] between them or to the centre (-1), names, signs: [{ at, sign, color }, ...] small words in space, rays:
 * [{ end, look }, ...] from the centre }; the last three may be left out.
 */
export function turntable(name, about, figure) {
  const picture = element("div", {
    className: `${name}-view`,
    tabIndex: 0,
    role: "group",
    "aria-label": `${about}: turn it with the arrow keys, + and −, or by dragging`,
    style: "touch-action: pan-y; cursor: grab; width: fit-content; max-width: 100%; margin: auto; user-select: none",
  });
  const row = element("div", { className: "live-row" });
  for (const [sign, label, key] of BUTTONS) {
    const button = element("button", { type: "button", "aria-label": label }, sign);
    button.onclick = () => move(KEYS[key]);
    row.append(button);
  }

  function move({ turn = 0, tilt = 0, zoom = 1 }) {
    const { values } = figure;
    const closer = Math.min(2.5, Math.max(0.6, values.zoom * zoom)); // the range of fields.view: no note at its ends
    figure.set({ turn: wrapped(values.turn + turn), tilt: wrapped(values.tilt + tilt), zoom: Math.round(100 * closer) / 100 });
  }
  picture.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key)) return;
    move(KEYS[event.key]);
    event.preventDefault();
  });
  // A finger that moves up or down scrolls the page; one that moves sideways turns the picture, until it is lifted.
  const held = new Map(); // where each pointer was last
  picture.addEventListener("pointerdown", (event) => {
    picture.setPointerCapture(event.pointerId);
    held.set(event.pointerId, [event.clientX, event.clientY]);
  });
  picture.addEventListener("pointermove", (event) => {
    if (!held.has(event.pointerId)) return;
    const [x, y] = held.get(event.pointerId);
    held.set(event.pointerId, [event.clientX, event.clientY]);
    move({ turn: DRAG * (event.clientX - x), tilt: DRAG * (event.clientY - y) });
  });
  for (const end of ["pointerup", "pointercancel"]) picture.addEventListener(end, (event) => held.delete(event.pointerId));

  const put = (solid, look, size, label) => {
    const { signs = [], rays = [] } = solid;
    const { turn, tilt, zoom } = figure.values;
    const view = rotation([1, 0, 0], radians(tilt), rotation([0, 1, 0], radians(turn), START));
    const at = seen(signs.map((each) => each.at), view);
    const ends = seen(rays.map((each) => each.end), view);
    const turned = {
      ...solid,
      points: seen(solid.points, view),
      signs: signs.map((each, i) => ({ ...each, at: at[i] })),
      rays: rays.map((each, i) => ({ ...each, end: ends[i] })),
    };
    picture.innerHTML = drawing(turned, look, size, zoom, label);
  };
  return { picture, row, move, put };
}

/** Nearer corners and edges are drawn later, darker and thicker. */
function drawing({ points, edges, names, signs, rays }, look, size, zoom, label) {
  const radius = 0.4 * size * zoom;
  const at = ([x, y]) => [size / 2 + radius * x, size / 2 - radius * y];
  const near = (depth) => Math.max(0, Math.min(1, (depth + 1) / 2));
  const items = edges.map((pair) => {
    const ends = pair.map((k) => points[k] ?? [0, 0, 0]);
    const depth = (ends[0][2] + ends[1][2]) / 2;
    const [[x1, y1], [x2, y2]] = ends.map(at);
    const line = `<path d="M${x1.toFixed(1)},${y1.toFixed(1)}L${x2.toFixed(1)},${y2.toFixed(1)}"`;
    const width = (0.7 + 2.1 * near(depth)).toFixed(2);
    return [depth, `${line} stroke="${look.color}" stroke-width="${width}" opacity="${(0.6 + 0.4 * near(depth)).toFixed(2)}"/>`];
  });
  points.forEach((point, k) => {
    const [x, y] = at(point);
    const faded = (0.45 + 0.55 * near(point[2])).toFixed(2);
    const away = Math.hypot(point[0], point[1]) || 1;
    const [dx, dy] = [(15 * point[0]) / away, (-15 * point[1]) / away];
    items.push([point[2] + 0.01, `<g opacity="${faded}">${marker(look, x, y, 4 + 2.5 * near(point[2]))}</g>`]);
    // words stay readable at every depth, on a halo
    const text = `<text x="${(x + dx).toFixed(1)}" y="${(y + dy + 4).toFixed(1)}" text-anchor="middle" stroke="#fff" stroke-width="3" stroke-opacity="0.8" paint-order="stroke">${escaped(names?.[k] ?? k + 1)}</text>`;
    items.push([point[2] + 0.02, text]);
  });
  for (const { at: place, sign, color } of signs) {
    const [x, y] = at(place);
    const faded = (0.88 + 0.12 * near(place[2])).toFixed(2);
    items.push([place[2], `<text x="${x.toFixed(1)}" y="${(y + 4).toFixed(1)}" text-anchor="middle" class="small" style="fill:${color}" opacity="${faded}">${escaped(sign)}</text>`]);
  }
  for (const { end, look: own } of rays) {
    const [x, y] = at(end);
    const line = `<path d="M${size / 2},${size / 2}L${x.toFixed(1)},${y.toFixed(1)}" stroke="${own.color}" stroke-width="1.5" stroke-dasharray="${own.dash}"/>`;
    items.push([end[2] + 0.03, line + marker(own, x, y, 3.5)]);
  }
  items.sort(([a], [b]) => a - b);
  const middle = `<path d="M${size / 2 - 4},${size / 2}h8M${size / 2},${size / 2 - 4}v8" stroke="${INK}"/>`;
  return (
    `<svg class="live-plot" role="img" aria-label="${escaped(label)}" width="${size}" height="${size}" viewBox="0 0 ${size} ${size}">` +
    `${middle}${items.map(([, markup]) => markup).join("")}</svg>`
  );
}
