// The state of live figures in the part of an address behind "#": #fig-puzzle?K=10&L=2&fig-map?n=3
// Pure functions of strings. Anything else behind the "#" is an anchor of the page, and none of ours.

const PART = /(?:^|&)(fig-[a-z0-9-]+)\?(.*?)(?=&fig-[a-z0-9-]+\?|$)/g;

function parts(hash) {
  const text = hash.startsWith("#") ? hash.slice(1) : hash;
  return text.startsWith("fig-") ? [...asWritten(text).matchAll(PART)].map((found) => [found[1], found[2]]) : [];
}

/** A link as it was before a chat or a mail program wrote %3F for "?" or &amp; for "&". */
function asWritten(text) {
  try {
    return (text.includes("?") ? text : decodeURIComponent(text)).replaceAll("&amp;", "&");
  } catch {
    return text;
  }
}

/** The settings of one figure as { name: text }; null if the address does not speak of it. Never throws. */
export function read(hash, id) {
  const mine = parts(hash).find(([name]) => name === id);
  return mine ? Object.fromEntries(new URLSearchParams(mine[1])) : null;
}

/** The hash with the settings of one figure exchanged, or taken out where `settings` is null. */
export function write(hash, id, settings) {
  const others = parts(hash).filter(([name]) => name !== id);
  const all = settings ? [...others, [id, new URLSearchParams(settings).toString()]] : others;
  return all.length ? "#" + all.map(([name, query]) => `${name}?${query}`).join("&") : "";
}

/** Whether the figure is the first that the address speaks of, and so the one to show. */
export function leads(hash, id) {
  return parts(hash)[0]?.[0] === id;
}
