// Answers while the reader types. Everything works without it: it asks for the very page that the form would, and puts that page's answers in place.
"use strict";

const PAUSE = 250; // milliseconds without a key before asking
const PARTS = ["answers", "facets"]; // what of the page changes with the question

const form = document.querySelector("form.search");
const box = document.getElementById("q");
let waiting, asking, shown = form && address();

if (form) {
  box.addEventListener("input", (event) => { if (!event.isComposing) soon(); }); // half a word of Thai or Chinese is no question
  box.addEventListener("compositionend", soon);
  form.addEventListener("change", (event) => { if (event.target !== box) ask(); });
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(ask, PAUSE);
}

function address() {
  const said = [...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value);
  const query = new URLSearchParams(said).toString();
  return form.getAttribute("action") + (query && "?" + query);
}

async function ask() {
  clearTimeout(waiting);
  const wanted = address();
  if (wanted === shown) return;
  asking?.abort();
  const mine = (asking = new AbortController());
  const answers = document.getElementById("answers");
  answers.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(wanted, { signal: mine.signal, headers: { Accept: "text/html" } });
    if (response.ok) show(new DOMParser().parseFromString(await response.text(), "text/html"), wanted);
    else if (response.status === 503) waiting = setTimeout(ask, 1000 * (response.headers.get("Retry-After") || 5)); // many ask: what is shown stays meanwhile
  } catch (error) {
    if (error.name !== "AbortError") shown = null; // no connection: what is shown stays, and the next key or the button tries again
  } finally {
    if (asking === mine) answers.removeAttribute("aria-busy");
  }
}

function show(page, wanted) {
  const held = document.activeElement;
  for (const part of PARTS) {
    const now = document.getElementById(part), then = page.getElementById(part);
    if (now && then) now.replaceChildren(...then.childNodes);
  }
  if (!held.isConnected && held.name)
    [...form.elements].find((one) => one.name === held.name && one.value === held.value)?.focus();
  document.title = page.title;
  history.replaceState(null, "", wanted);
  shown = wanted;
  document.getElementById("said").textContent = document.querySelector("#answers :is(h1, h2)")?.textContent ?? "";
  for (const link of document.querySelectorAll('a[href*="back="]')) // the way back from the choice of languages
    link.href = link.getAttribute("href").replace(/back=[^&]*/, "back=" + encodeURIComponent(wanted));
  for (const field of document.querySelectorAll("input[name=back]")) field.value = wanted;
}
