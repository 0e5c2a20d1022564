// Shows how far jobs are while they run. Without it, "Look again" does the same: it asks for this very page, and puts its table in place.
"use strict";

const EVERY = 2000; // milliseconds between two looks
const jobs = document.getElementById("jobs");

function running() {
  return jobs.hasAttribute("data-running");
}

async function look() {
  try {
    if (!document.hidden && !jobs.contains(document.activeElement)) { // nobody's place is taken away
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      const then = response.ok && new DOMParser().parseFromString(await response.text(), "text/html").getElementById("jobs");
      if (!then) return; // signed out meanwhile: what is shown stays
      jobs.toggleAttribute("data-running", then.hasAttribute("data-running"));
      jobs.replaceChildren(...then.childNodes);
    }
  } catch { /* no connection: the next look tries again */ }
  if (running()) setTimeout(look, EVERY);
}

if (running()) setTimeout(look, EVERY);
