// Keys for slides: arrows, space, page up and down, home and end. The number of the slide stands in the address.
const slides = [...document.querySelectorAll("main > section")];
const shown = () => slides.findIndex(slide => slide.getBoundingClientRect().bottom > innerHeight / 2);
const steps = {ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1, Home: -Infinity, End: Infinity};

function show(number) {
  const kept = Math.max(0, Math.min(number, slides.length - 1));
  slides[kept].scrollIntoView();
  history.replaceState(null, "", `#${kept + 1}`);
}

addEventListener("keydown", event => {
  const step = event.shiftKey && event.key === " " ? -1 : steps[event.key];
  if (step === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  show(shown() + step);
});
addEventListener("hashchange", () => show(location.hash.slice(1) - 1));
addEventListener("resize", () => location.hash && show(location.hash.slice(1) - 1)); // letters change, the slide stays
if (location.hash) addEventListener("load", () => show(location.hash.slice(1) - 1));
