// What a control accepts: text from a link, a keyboard or a slider becomes a value in range. Knows nothing of the page.
// A control is what dufm_lib/widgets/fields.py makes: { kind, name, label, value, min, max, step, log, options }.

/** { value, note }: the nearest value that the control accepts; `note` says in words what had to be changed. */
export function settle(control, text) {
  if (control.kind === "flag") {
    if (text === true || text === false) return { value: text, note: "" };
    if (/^(1|0|true|false)$/.test(text)) return { value: text === "1" || text === "true", note: "" };
    return fallback(control, text);
  }
  if (control.kind === "choice") {
    const found = control.options.find(([value]) => String(value) === String(text));
    return found ? { value: found[0], note: "" } : fallback(control, text);
  }
  const number = typeof text === "number" ? text : numberIn(String(text));
  if (Number.isNaN(number)) return fallback(control, text);
  const within = Math.min(control.max, Math.max(control.min, number));
  // decimals of a logarithmic or fine scale may be typed freely; whole numbers stay whole
  const value = Number.isInteger(control.step) && !control.log ? Math.round(within) : within;
  if (number < control.min || number > control.max) {
    return {
      value,
      note: `${control.label} = ${show(number)} is outside ${show(control.min)} to ${show(control.max)}: set to ${show(value)}.`,
    };
  }
  return { value, note: value === number ? "" : `${control.label} is a whole number: set to ${value}.` };
}

/** The number that a text means: 0.001, 0,001, 2^-10, 2**-10, 1/1024; NaN if none, as 1,000, which has two meanings. */
function numberIn(text) {
  const parts = text.trim().replace(/−/g, "-").replace(/^(-?(?:0(?=,)|\d+(?!,\d{3}$))),(\d+)$/, "$1.$2").split(/(\^|\*\*|\/)/);
  const [first, sign, second, ...more] = parts.map((part, i) => (i % 2 ? part : part.trim() === "" ? NaN : Number(part)));
  if (more.length) return NaN;
  return sign === undefined ? first : sign === "/" ? first / second : first ** second;
}

function fallback(control, text) {
  const said = String(text).slice(0, 20);
  const start = { number: show, choice: (value) => control.options.find(([each]) => each === value)[1], flag: (value) => (value ? "yes" : "no") };
  return { value: control.value, note: `${control.label} cannot be “${said}”: set to ${start[control.kind](control.value)}.` };
}

/** All values of a figure from texts by name, and the notes; a name that no control has is left out, and said. */
export function settleAll(controls, texts) {
  const values = {};
  const notes = [];
  for (const control of controls) {
    const given = Object.hasOwn(texts, control.name);
    const { value, note } = given ? settle(control, texts[control.name]) : { value: control.value, note: "" };
    values[control.name] = value;
    if (note) notes.push(note);
  }
  const unknown = Object.keys(texts).find((name) => !controls.some((control) => control.name === name));
  if (unknown !== undefined) notes.push(`Nothing here is called “${unknown.slice(0, 20)}”: left out.`);
  return { values, notes };
}

/** The settings that differ from the start, as texts for a link. */
export function changed(controls, values) {
  const different = controls.filter(({ name, value }) => values[name] !== value);
  return Object.fromEntries(different.map(({ name }) => [name, String(values[name])]));
}

/** A number in few digits, to be read: 12, 0.00195, 3.1·10⁻⁵. */
export function show(number, digits = 3) {
  const size = Math.abs(number);
  if (Number.isInteger(number) && size < 1e6) return String(number);
  if ((size >= 1e-4 && size < 1e6) || !Number.isFinite(number)) return String(Number(number.toPrecision(digits)));
  const [digit, power] = number.toExponential(digits - 1).split("e");
  const factor = Number(digit);
  return (factor === 1 ? "" : `${factor}·`) + `10${superscript(Number(power))}`;
}

/** A number in four digits, as a keyboard types it and a narrow box has room for it: 12, 0.001953, 9.766e-4. */
export function typed(number) {
  const short = Number(number.toPrecision(4));
  return short !== 0 && Math.abs(short) < 1e-3 ? short.toExponential() : String(short);
}

/** ⁻¹⁰ */
export function superscript(number) {
  return String(number).replace(/[-\d]/g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]);
}
