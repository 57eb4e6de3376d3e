// A small chart as SVG text: axes, lines, bands, markers, cells. Drawn in ink on nothing; CSS turns it in the dark theme.
import { show, superscript } from "./settings.js";

export const INK = "#1f2933";
export const GREY = "#6a7480";

/** Text that may stand inside markup. */
export function escaped(text) {
  return String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
}

/** Round numbers from `low` to `high`, about `count` of them. */
export function ticks(low, high, count = 5) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((each) => each * power >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** Powers of ten (thinned where there are many) from `low` to `high`. */
export function decades(low, high, count = 6) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const stride = Math.max(1, Math.ceil((last - first + 1) / count));
  const found = [];
  for (let power = first; power <= last; power += stride) found.push(10 ** power);
  return found;
}

/** 10⁻³, and 1 or 0.1 as they are. */
export function powerOfTen(value) {
  const power = Math.round(Math.log10(value));
  if (power >= -1 && power <= 2) return String(Number(value.toPrecision(6)));
  return "10" + superscript(power);
}

const round = (number) => Math.round(number * 100) / 100;

const MARKERS = {
  o: (r) => `<circle r="${r}"/>`,
  s: (r) => `<rect x="${-r}" y="${-r}" width="${2 * r}" height="${2 * r}"/>`,
  p: (r) => polygon(5, 1.15 * r),
  "^": (r) => polygon(3, 1.3 * r),
  D: (r) => polygon(4, 1.3 * r),
  X: (r) => `<path d="M${-r},${-r}L${r},${r}M${-r},${r}L${r},${-r}" stroke-width="2.5"/>`,
  x: (r) => `<path d="M${-r},${-r}L${r},${r}M${-r},${r}L${r},${-r}" stroke-width="1.5"/>`,
  "+": (r) => `<path d="M${-r},0H${r}M0,${-r}V${r}" stroke-width="1.5"/>`,
  ".": (r) => `<circle r="${r / 2}"/>`,
};

function polygon(corners, r) {
  const points = Array.from({ length: corners }, (_, k) => (2 * Math.PI * k) / corners);
  return `<polygon points="${points.map((a) => `${round(r * Math.sin(a))},${round(-r * Math.cos(a))}`).join(" ")}"/>`;
}

export function marker(look, x, y, r = 4) {
  const draw = MARKERS[look.marker] ?? MARKERS.o;
  return `<g transform="translate(${round(x)},${round(y)})" fill="${look.color}" stroke="${look.color}">${draw(r)}</g>`;
}

/** A list of what the lines mean, to stand under charts: [{ color, dash, marker, label, line, point }]. */
export function key(looks) {
  const sample = (look) =>
    `<svg class="live-plot" width="30" height="14" aria-hidden="true">` +
    (look.line === false ? "" : `<path d="M1,7H29" fill="none" stroke="${look.color}" stroke-width="2" stroke-dasharray="${look.dash ?? ""}"/>`) +
    (look.point === false ? "" : marker(look, 15, 7, 4)) +
    `</svg>`;
  return `<ul class="live-key">${looks.map((look) => `<li>${sample(look)}${escaped(look.label)}</li>`).join("")}</ul>`;
}

export class Plot {
  /**
   * width, height   in pixels
   * x, y            { min, max, log, label, ticks, format }; without ticks there are about five round ones,
   *                 and ticks: [] leaves the axis bare
   * margin          { left, right, top, bottom } in pixels
   */
  constructor({ width, height, x, y, margin = {} }) {
    this.width = width;
    this.height = height;
    this.margin = { left: 54, right: 12, top: 22, bottom: 40, ...margin };
    this.axes = { x, y };
    this.body = [];
    this.front = [];
  }

  get left() { return this.margin.left; }
  get right() { return this.width - this.margin.right; }
  get top() { return this.margin.top; }
  get bottom() { return this.height - this.margin.bottom; }

  /** Pixel of a value; values that have none (0 on a logarithmic axis) are NaN. */
  px(value) { return this.left + fraction(this.axes.x, value) * (this.right - this.left); }
  py(value) { return this.bottom - fraction(this.axes.y, value) * (this.bottom - this.top); }

  /** The value at a pixel across. */
  valueX(pixel) {
    const { min, max, log } = this.axes.x;
    const part = Math.min(1, Math.max(0, (pixel - this.left) / (this.right - this.left)));
    return log ? min * (max / min) ** part : min + part * (max - min);
  }

  /** A line through [[x, y], ...] with gaps where a value is missing or not finite. */
  line(points, { color = INK, dash = "" } = {}, { width = 2, opacity = 1 } = {}) {
    let path = "";
    let pen = "M";
    for (const [x, y] of points) {
      const across = this.px(x);
      const up = this.py(y);
      if (Number.isFinite(across) && Number.isFinite(up)) {
        path += `${pen}${round(across)},${round(clip(up, -this.height, 2 * this.height))}`;
        pen = "L";
      } else pen = "M";
    }
    this.body.push(
      `<path d="${path}" fill="none" stroke="${color}" stroke-width="${width}" stroke-dasharray="${dash}" stroke-linejoin="round" opacity="${opacity}"/>`,
    );
    return this;
  }

  /** The area between two curves over [[x, low, high], ...]. */
  band(points, { color = INK } = {}, opacity = 0.2) {
    const upper = points.map(([x, , high]) => `${round(this.px(x))},${round(this.py(high))}`);
    const lower = points.map(([x, low]) => `${round(this.px(x))},${round(this.py(low))}`).reverse();
    this.body.push(`<polygon points="${[...upper, ...lower].join(" ")}" fill="${color}" opacity="${opacity}"/>`);
    return this;
  }

  /** A marker at each of [[x, y], ...]. */
  points(points, look, r = 4) {
    this.front.push(...points.map(([x, y]) => marker(look, this.px(x), this.py(y), r)));
    return this;
  }

  /** Upright bars with ends for [[x, low, high], ...]. */
  intervals(points, { color = INK } = {}) {
    for (const [x, low, high] of points) {
      const [across, from, to] = [this.px(x), this.py(low), this.py(high)].map(round);
      this.front.push(
        `<path d="M${across - 4},${from}h8M${across - 4},${to}h8M${across},${from}V${to}" fill="none" stroke="${color}" stroke-width="1.3"/>`,
      );
    }
    return this;
  }

  /** A thin line across the whole chart at a value of x or of y. */
  rule({ x, y }, { color = INK, dash = "2 3" } = {}) {
    const path = x === undefined ? `M${this.left},${round(this.py(y))}H${this.right}` : `M${round(this.px(x))},${this.top}V${this.bottom}`;
    this.body.push(`<path d="${path}" fill="none" stroke="${color}" stroke-width="1.3" stroke-dasharray="${dash}"/>`);
    return this;
  }

  /** Words at a value, moved by pixels. */
  text(x, y, words, { anchor = "middle", dx = 0, dy = 0, small = false, color = INK } = {}) {
    this.front.push(
      `<text x="${round(this.px(x) + dx)}" y="${round(this.py(y) + dy)}" text-anchor="${anchor}" style="fill:${color}"${small ? ' class="small"' : ""}>${escaped(words)}</text>`,
    );
    return this;
  }

  about(title) {
    const axes = [this.axes.y.label, this.axes.x.label].filter(Boolean).join(" against ");
    return [axes, title].filter(Boolean).join(": ");
  }

  /** Markup of your own, in pixels: behind the axes, or in front. */
  add(markup, { front = false } = {}) {
    (front ? this.front : this.body).push(markup);
    return this;
  }

  /** The chart as markup, with a title at its right. `label` says what it shows: without one, the axes and the title. */
  svg({ title = "", label = this.about(title) } = {}) {
    const clipId = `clip-${Math.random().toString(36).slice(2)}`; // unique among all figures of a page
    const { x, y } = this.axes;
    const room = `<clipPath id="${clipId}"><rect x="${this.left}" y="${this.top - 3}" width="${this.right - this.left}" height="${this.bottom - this.top + 6}"/></clipPath>`;
    const frame = `<path d="M${this.left},${this.top}V${this.bottom}H${this.right}" fill="none" stroke="${INK}"/>`;
    const down = ticksOf(x, (this.right - this.left) / 70).map((value) => {
      const at = round(this.px(value));
      return `<path d="M${at},${this.bottom}v5" stroke="${INK}"/><text x="${at}" y="${this.bottom + 18}" text-anchor="middle">${escaped(formatOf(x)(value))}</text>`;
    });
    const across = ticksOf(y, (this.bottom - this.top) / 38).map((value) => {
      const at = round(this.py(value));
      return `<path d="M${this.left},${at}h-5" stroke="${INK}"/><text x="${this.left - 8}" y="${at + 4}" text-anchor="end">${escaped(formatOf(y)(value))}</text>`;
    });
    const names =
      `<text x="${(this.left + this.right) / 2}" y="${this.height - 5}" text-anchor="middle">${escaped(x.label ?? "")}</text>` +
      `<text x="4" y="${this.top - 9}">${escaped(y.label ?? "")}</text>` +
      (title ? `<text x="${this.right}" y="${this.top - 9}" text-anchor="end">${escaped(title)}</text>` : "");
    return (
      `<svg class="live-plot" role="img" aria-label="${escaped(label)}" width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}">` +
      `${room}<g clip-path="url(#${clipId})">${this.body.join("")}</g>${frame}${down.join("")}${across.join("")}${names}${this.front.join("")}</svg>`
    );
  }
}

function fraction({ min, max, log }, value) {
  return log ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min);
}

const clip = (value, low, high) => Math.min(high, Math.max(low, value));
const formatOf = (axis) => axis.format ?? (axis.log ? powerOfTen : (value) => show(value, 3));

function ticksOf(axis, count) {
  if (axis.ticks) return axis.ticks;
  return axis.log ? decades(axis.min, axis.max, Math.max(2, count)) : ticks(axis.min, axis.max, Math.max(2, count));
}
