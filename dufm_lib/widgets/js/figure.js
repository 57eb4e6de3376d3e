// A live figure: title, controls, the drawing, the result in words, reset, link, and the run in Python where one answers.
//
// A figure's own module ends in
//     export default live((figure) => {
//       // once: make what stays, in figure.stage (a div)
//       return {
//         draw() { ...; return "what the figure shows, in one or two sentences"; },   // on every change
//         reset() { ... },      // optional, after the values are back: stop what runs
//         remove() { ... },     // optional: let go of what was taken
//       };
//     });
// and reads
//     figure.values   { name: value } of the controls          figure.data    what Python computed for it
//     figure.result   of the last run with PyTorch, or null     figure.looks   { structure: { color, label, dash, marker } }
//     figure.width    of the stage in pixels                    figure.still   whether the reader wants no motion now
//     figure.set(values)    as if the reader had moved controls; figure.redraw()    draw at the next frame
import { leads, read, write } from "./address.js";
import { element, input } from "./controls.js";
import { changed, settleAll } from "./settings.js";

export function live(setup) {
  return { render: ({ model, el }) => render(model, el, setup) };
}

function render(model, el, setup) {
  const card = model.get("card");
  const key = `${card.id}-${Math.random().toString(36).slice(2)}`; // a figure may be shown twice
  const undo = [];
  const listen = (target, event, heard, options) => {
    target.addEventListener(event, heard, options);
    undo.push(() => target.removeEventListener(event, heard, options));
  };
  const follow = (event, heard) => {
    model.on(event, heard);
    undo.push(() => model.off(event, heard));
  };
  // In the built book a figure's state is in the address; JupyterLab keeps the address for itself.
  const onPage = document.querySelector(".bd-content") !== null;
  const timers = {};
  const later = (name, wait, act) => {
    clearTimeout(timers[name]);
    timers[name] = setTimeout(act, wait);
  };
  undo.push(() => Object.values(timers).forEach(clearTimeout));

  // --- what is on the page
  const words = element("p", { className: "live-words", role: "status" });
  const note = element("p", { className: "live-note", role: "status" });
  const stage = element("div", { className: "live-stage" });
  const reset = element("button", { type: "button", className: "live-reset" }, "Reset");
  const share = element("button", { type: "button", className: "live-share", hidden: !onPage }, "Copy link");
  const run = element("button", { type: "button", className: "live-run" }, "Run with PyTorch");
  const stop = element("button", { type: "button", className: "live-stop", disabled: true }, "Stop");
  const bar = element("progress", { max: 1, value: 0, "aria-label": "progress of the run" });
  const status = element("span", { className: "live-status", role: "status" });
  const kernelRow = element("div", { className: "live-row live-kernel", hidden: true }, run, stop, bar, status);
  const inputs = {};
  const controls = element("div", { className: "live-controls" });
  const kernelControls = element("div", { className: "live-controls live-kernel", hidden: true });
  for (const control of card.controls) {
    if (control.hidden) continue; // set in the drawing itself
    inputs[control.name] = input(control, `${key}-${control.name}`, (value, said) => {
      adopt({ ...values, [control.name]: value }, said ? [said] : []);
    });
    (control.kernel ? kernelControls : controls).append(inputs[control.name].box);
  }
  const title = element("p", { className: "live-title", id: `${key}-title` }, element("strong", {}, card.title));
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const hint = element("span", { className: "live-hint", hidden: !onPage || !card.runs }, "In JupyterLab or on Binder this figure also runs with PyTorch.");
  const root = element(
    "div",
    { className: "live", role: "group", "aria-labelledby": `${key}-title` },
    title,
    element("p", { className: "live-about" }, card.about),
    controls,
    kernelControls,
    note,
    stage,
    words,
    kernelRow,
    element("div", { className: "live-row" }, reset, share, hint),
  );
  if (onPage) root.id = card.id;
  el.append(root);
  // Shortcuts of JupyterLab and of Notebook must not take the arrow keys of a slider: they ask what has the focus.
  listen(root, "focusin", ({ target }) => target.setAttribute("data-lm-suppress-shortcuts", "true"));
  listen(root, "keydown", (event) => event.stopPropagation());

  // --- state
  let values = settleAll(card.controls, model.get("values")).values;
  let kernel = false;
  let unsent = false; // the reader's last change waits to be sent to Python
  let frame = 0;
  let width = 0;

  const figure = {
    id: card.id,
    stage,
    data: card.data,
    looks: card.looks,
    get still() {
      return calm.matches;
    },
    get values() {
      return values;
    },
    get result() {
      const result = model.get("result");
      return result && Object.keys(result).length ? result : null;
    },
    get width() {
      return width;
    },
    set: (some) => {
      const settled = settleAll(card.controls, { ...values, ...some });
      adopt(settled.values, settled.notes);
    },
    redraw: () => {
      if (!frame) frame = requestAnimationFrame(draw);
    },
  };
  const drawing = setup(figure);

  function draw() {
    frame = 0;
    if (!width) return;
    const said = drawing.draw();
    // spoken once the reader rests, not at every step of a drag
    if (said !== undefined) later("words", 150, () => words.textContent !== said && (words.textContent = said));
  }

  /** Take values as the state: into the controls, the model, the address and the drawing. */
  function adopt(next, notes, { toAddress = true } = {}) {
    values = next;
    note.textContent = notes.join(" ");
    for (const [name, made] of Object.entries(inputs)) made.put(values[name]);
    model.set("values", values);
    if (kernel) {
      unsent = true;
      later("save", 100, send);
    }
    if (toAddress && onPage) later("address", 200, toPageAddress);
    figure.redraw();
  }

  function send() {
    unsent = false;
    model.set("values", values);
    model.save_changes();
  }

  function query() {
    return changed(card.controls, values);
  }

  function toPageAddress() {
    const settings = query();
    const hash = write(location.hash, card.id, Object.keys(settings).length ? settings : null);
    // an anchor of the page itself stays while this figure has nothing to say
    if (hash === location.hash || (!hash && !location.hash.startsWith("#fig-"))) return;
    try {
      history.replaceState(history.state, "", hash || location.pathname + location.search);
    } catch {
      // some browsers allow few changes a minute: the link button still works
    }
  }

  function fromPageAddress() {
    const texts = read(location.hash, card.id);
    if (!texts) return;
    const settled = settleAll(card.controls, texts);
    adopt(settled.values, settled.notes, { toAddress: false });
    if (leads(location.hash, card.id)) later("show", 50, () => root.scrollIntoView({ block: "start", behavior: "instant" }));
  }

  // --- reset and link
  listen(reset, "click", () => {
    adopt(settleAll(card.controls, {}).values, []);
    drawing.reset?.();
    if (figure.result) {
      model.set("result", {});
      if (kernel) model.save_changes();
    }
  });
  listen(share, "click", async () => {
    const link = new URL(location.href);
    link.hash = write("", card.id, query()) || card.id;
    try {
      await navigator.clipboard.writeText(link.href);
      note.textContent = "The link to this setting is in the clipboard.";
    } catch {
      // without leave to use the clipboard, and from files on a disk: show it, ready to be copied
      const shown = element("input", { type: "text", value: link.href, readOnly: true, "aria-label": "link to this setting" });
      note.replaceChildren("The link to this setting: ", shown);
      shown.select();
    }
  });

  // --- Python, where it answers
  follow("msg:custom", (message) => {
    if (message.kind === "kernel") {
      kernel = true;
      kernelRow.hidden = !card.runs;
      kernelControls.hidden = !card.runs || !kernelControls.children.length;
      hint.hidden = true;
    } else if (message.kind === "progress") {
      running(true);
      bar.value = message.fraction;
      if (message.text !== undefined) status.textContent = message.text;
    } else if (message.kind === "end") {
      running(false);
      bar.value = message.fraction;
      status.textContent = message.text;
    }
  });
  function running(now) {
    const held = document.activeElement;
    run.disabled = now;
    stop.disabled = !now;
    // a button that becomes disabled would drop the keyboard's place
    if (now && held === run) stop.focus();
    if (!now && held === stop) run.focus();
  }
  listen(run, "click", () => {
    running(true);
    status.textContent = "Waiting for Python …";
    model.send({ kind: "run", values });
  });
  listen(stop, "click", () => model.send({ kind: "stop" }));
  follow("change:result", figure.redraw);
  listen(calm, "change", figure.redraw);
  follow("change:values", () => {
    if (unsent) return; // a slow kernel's echo of an older change
    const settled = settleAll(card.controls, model.get("values"));
    if (JSON.stringify(settled.values) !== JSON.stringify(values)) adopt(settled.values, settled.notes);
  });
  model.send({ kind: "hello" });

  // --- size, and the first drawing
  const observer = new ResizeObserver(([entry]) => {
    const measured = Math.floor(entry.contentRect.width);
    if (measured && measured !== width) {
      width = measured;
      figure.redraw();
    }
  });
  observer.observe(stage);
  undo.push(() => observer.disconnect());
  for (const [name, made] of Object.entries(inputs)) made.put(values[name]);
  if (onPage) {
    fromPageAddress();
    if (location.hash === "#" + card.id) later("show", 50, () => root.scrollIntoView({ block: "start", behavior: "instant" }));
    listen(window, "hashchange", fromPageAddress);
  }

  return () => {
    cancelAnimationFrame(frame);
    undo.forEach((each) => each());
    drawing.remove?.();
    root.remove();
  };
}
