// The structures in space, turned by mouse, finger, keys or buttons.
import { element } from "./controls.js";
import { corners, spread } from "./corners.js";
import { live } from "./figure.js";
import { turntable } from "./turntable.js";

const LOOKS = { simplex: "dnc", orthoplex: "pairing", polygon: "polygon" };
const SPIN = 30; // degrees a second

export default live((figure) => {
  let spinning = false;
  let last = 0; // when the spinning was last drawn
  let spoken = "";

  const table = turntable("solids", "The structure in space", figure);
  const spin = element("button", { type: "button", className: "solids-spin", "aria-pressed": "false" }, "Spin");
  table.row.prepend(spin);
  figure.stage.append(table.picture, table.row);
  function go(on) {
    spinning = on;
    spin.setAttribute("aria-pressed", String(on));
    last = performance.now();
    figure.redraw();
  }
  spin.onclick = () => go(!spinning);

  return {
    draw() {
      spin.hidden = figure.still; // nothing moves by itself for a reader who wants no motion
      if (figure.still && spinning) go(false);
      if (spinning) {
        const now = performance.now();
        table.move({ turn: (SPIN * Math.min(100, now - last)) / 1000 });
        last = now;
      }
      const { structure, K } = figure.values;
      const solid = structure === "optimum" ? optimum(figure.data.optima[K]) : { ...corners(structure, K), name: structure };
      const said = describe(solid, K);
      table.put(solid, figure.looks[solid.look ?? LOOKS[structure]], Math.min(figure.width, 380), `${solid.name}, ${K} corners in space`);
      if (spinning && said === spoken) return undefined;
      spoken = said;
      return said;
    },
    reset: () => go(false),
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
