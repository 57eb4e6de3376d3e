// The playground's Web Worker: it descends while the page stays free. Messages to it:
//   { start: setting, key }   a new run, at its start;  what is told of it carries the same key
//   { play: steps a second }  go on at this pace, or as fast as it can;  { play: 0 } pauses
//   { steps: count }          take so many
// It answers with Run.news(), the key, and `pace`: the steps a second that it could take.

import { Run } from "./run.js";

const REPORT_EVERY = 30; // milliseconds
const AT_ONCE = 10; // steps between two looks at the clock

let run = null;
let key = null;
let playing = 0;
let timer = 0;
let last = 0; // when it was last told how far we are
let owed = 0; // steps, of the pace

function tell(pace = 0) {
  postMessage({ key, pace, ...run.news() });
}

function tick() {
  const begun = performance.now();
  const before = run.descent.steps;
  owed = Math.min(owed + (playing * (begun - last)) / 1000, playing); // a second's at most, after a pause of the machine
  last = begun;
  while (owed >= 1 && !run.ended && performance.now() - begun < REPORT_EVERY) {
    const count = Math.min(AT_ONCE, Math.floor(owed));
    run.advance(count);
    owed -= count;
  }
  const taken = run.descent.steps - before;
  if (taken) tell((1000 * taken) / (performance.now() - begun));
  if (run.ended) playing = 0;
  if (playing) timer = setTimeout(tick, Math.max(0, REPORT_EVERY - (performance.now() - begun)));
}

onmessage = ({ data }) => {
  clearTimeout(timer);
  if (data.start) {
    run = new Run(data.start);
    key = data.key;
    playing = 0;
    tell();
  }
  if (data.steps) {
    run.advance(data.steps);
    tell();
  }
  if (data.play !== undefined) playing = data.play;
  if (playing && !run.ended) {
    last = performance.now();
    owed = 0;
    tick();
  }
};
