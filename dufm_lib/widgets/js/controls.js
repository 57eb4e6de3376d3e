// The controls of a live figure: a slider beside a box for each number, lists, ticks. Any of them says what it wants.
import { settle, show, superscript, typed } from "./settings.js";

/** An element with properties (a property of children may be text). */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const position = (control, value) => (control.log ? Math.log2(value) : value);
const fromPosition = (control, text) => (control.log ? 2 ** Number(text) : Number(text));

/**
 * The inputs of one control.
 *   control      what fields.py made
 *   key          unique on the page, for labels
 *   changed(value, note)   called when the reader sets a value
 * Returns { box, put(value) }: the element, and how to show a value that came from elsewhere.
 */
export function input(control, key, changed) {
  const make = { number, choice, flag }[control.kind];
  const made = make(control, key, changed);
  made.box.dataset.name = control.name;
  return made;
}

function number(control, key, changed) {
  const { label, log } = control;
  const slider = element("input", {
    type: "range",
    id: key,
    min: position(control, control.min),
    max: position(control, control.max),
    step: control.step,
  });
  const box = element("input", {
    type: "text",
    inputMode: Number.isInteger(control.step) && !log && control.min >= 0 ? "numeric" : "text",
    "aria-label": `${label}, as a number`,
    autocomplete: "off",
  });
  const power = element("span", { className: "live-power", "aria-hidden": "true" }); // "= 2⁻¹⁰", where the box has to round that
  let taken = "";
  let current = control.value;
  const put = (value) => {
    current = value;
    slider.value = position(control, value);
    slider.setAttribute("aria-valuetext", show(value));
    box.value = taken = typed(value);
    power.textContent = log && Number(taken) !== value && Number.isInteger(Math.log2(value)) ? ` = 2${superscript(Math.log2(value))}` : "";
  };
  slider.addEventListener("input", () => {
    const { value } = settle(control, fromPosition(control, slider.value));
    put(value);
    changed(value, "");
  });
  // Enter and the loss of the focus both end in "change": what has been taken once is not taken again, nor its note wiped
  const take = () => {
    if (box.value === taken) return;
    const { value, note } = settle({ ...control, value: current }, box.value); // what is no number changes nothing
    put(value);
    changed(value, note);
  };
  box.addEventListener("change", take);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") take();
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    slider.value = Number(slider.value) + step * control.step;
    slider.dispatchEvent(new Event("input"));
  });
  put(control.value);
  return { box: element("div", { className: "live-control" }, element("label", { htmlFor: key }, label, power), slider, box), put };
}

function choice(control, key, changed) {
  const list = element("select", { id: key });
  for (const [value, text] of control.options) list.append(element("option", { value: String(value) }, text));
  const put = (value) => (list.value = String(value));
  list.addEventListener("change", () => changed(settle(control, list.value).value, ""));
  put(control.value);
  const box = element("div", { className: "live-control" }, element("label", { htmlFor: key }, control.label), list);
  return { box, put };
}

function flag(control, key, changed) {
  const tick = element("input", { type: "checkbox", id: key });
  const put = (value) => (tick.checked = value);
  tick.addEventListener("change", () => changed(tick.checked, ""));
  put(control.value);
  const box = element("div", { className: "live-control live-flag" }, tick, element("label", { htmlFor: key }, control.label));
  return { box, put };
}
