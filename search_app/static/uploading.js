// Files sent piece by piece, so that a broken line, a pause or a reload costs one piece (the protocol tus 1.0.0). Without it the plain form sends them whole.
"use strict";
{
const LARGEST = 1 << 20, FIRST = 1 << 18, SMALLEST = 1 << 16; // bytes of a piece: larger while the line is quick, smaller when it breaks
const QUICK = 2000, SHORTEST_WAIT = 1000, LONGEST_WAIT = 30000, LOOK = 3000; // milliseconds
const TOGETHER = 2; // files at a time; more would only share the line
const HEADER = 1024; // bytes within which a PDF says that it is one

const form = document.querySelector("form.sending"), words = JSON.parse(form.dataset.words), list = form.querySelector(".sent");
const chooser = form.elements.files, token = form.elements.csrf_token.value;
const files = [];
let touched = false, looking;

class FinalError extends Error {} // asking again would not help

class Sending {
  constructor(file) {
    this.file = file;
    this.likeness = [file.name, file.size, file.lastModified].join("/");
    this.row = document.createElement("li");
    this.text = this.part("span");
    this.bar = this.part("progress");
    this.bar.max = file.size || 1;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", file.name);
    this.pauser = this.button(words.pause, () => this.turn(this.held ? "waiting" : "paused"));
    this.canceller = this.button(words.cancel, () => this.cancel());
    list.append(this.row);
    this.turn("waiting");
  }

  part(tag) { return this.row.appendChild(document.createElement(tag)); }

  button(said, act) {
    const button = this.part("button");
    button.type = "button";
    button.className = "second";
    button.append(said);
    button.addEventListener("click", act);
    return button;
  }

  turn(state, said) {
    this.state = state;
    this.say(said ?? words[state]);
    this.held = ["paused", "failed"].includes(state);
    this.pauser.textContent = this.held ? words["go on"] : words.pause;
    this.pauser.hidden = state === "received" || (state === "failed" && !this.address);
    this.canceller.hidden = state === "received";
    if (state === "paused") this.stop?.abort();
    if (state === "received" || said) announce(`${this.file.name}: ${said ?? words[state]}`);
    next();
  }

  say(said) {
    const percent = Math.floor((100 * (this.at ?? this.bar.value)) / (this.file.size || 1));
    this.bar.value = this.at ?? this.bar.value;
    const name = document.createElement("bdi");
    name.textContent = this.file.name;
    this.text.replaceChildren(name, ": " + said.replace("{percent}", percent));
  }

  async run() {
    this.state = "sending";
    this.at = null;
    const mine = (this.going = {}); // a run that was paused while it waited must not go on beside the next
    for (let wait = SHORTEST_WAIT, size = FIRST; this.going === mine && this.state === "sending"; ) {
      this.stop = new AbortController();
      try {
        this.address ??= this.known() ?? (await this.create());
        this.at ??= await this.tell();
        this.say(words.sending);
        if (this.at === this.file.size) return this.turn("received");
        const started = performance.now();
        this.at = await this.send(this.file.slice(this.at, this.at + size));
        wait = SHORTEST_WAIT;
        if (performance.now() - started < QUICK) size = Math.min(2 * size, LARGEST);
      } catch (error) {
        if (this.going !== mine || this.state !== "sending") return;
        if (error instanceof FinalError) return this.turn("failed", error.message);
        this.say(words.broken);
        this.at = null;
        size = Math.max(size / 2, SMALLEST);
        await pause(wait);
        wait = Math.min(2 * wait, LONGEST_WAIT);
      }
    }
  }

  known() {
    const row = [...document.querySelectorAll("#new [data-upload]")].find((one) => one.dataset.likeness === this.likeness);
    row?.remove();
    return row?.dataset.upload;
  }

  async create() {
    const start = new TextDecoder("latin1").decode(await this.file.slice(0, HEADER).arrayBuffer());
    if (!start.includes("%PDF-")) throw new FinalError(words["no pdf"]);
    const metadata = `filename ${encoded(this.file.name)},likeness ${encoded(this.likeness)}`;
    return (await this.ask("POST", form.dataset.address, { "Upload-Length": this.file.size, "Upload-Metadata": metadata })).headers.get("Location");
  }

  async tell() { return Number((await this.ask("HEAD", this.address)).headers.get("Upload-Offset")); }

  async send(piece) {
    const headers = { "Upload-Offset": this.at, "Content-Type": "application/offset+octet-stream" };
    return Number((await this.ask("PATCH", this.address, headers, piece)).headers.get("Upload-Offset"));
  }

  async ask(method, address, headers = {}, body) {
    const all = { "Tus-Resumable": "1.0.0", "X-CSRFToken": token, ...headers };
    const response = await fetch(address, { method, headers: all, body, signal: this.stop.signal, redirect: "manual" });
    if (response.ok) return response;
    if (response.type === "opaqueredirect" || response.status === 400) throw new FinalError(words["signed out"]);
    if (response.status === 404) this.address = null; // it has gone there: begin anew when asked to go on
    if ([404, 413, 507].includes(response.status)) throw new FinalError((await response.text()) || words.broken);
    throw new Error(response.status); // 409, 423 and what a proxy may say: ask where it stands
  }

  async cancel() {
    this.state = "cancelled";
    this.stop?.abort();
    this.row.remove();
    files.splice(files.indexOf(this), 1);
    this.stop = new AbortController();
    if (this.address) await this.ask("DELETE", this.address).catch(() => null);
    next();
  }
}

function next() {
  const busy = files.filter((one) => one.state === "sending").length;
  for (const one of files.filter((one) => one.state === "waiting").slice(0, TOGETHER - busy)) one.run();
  if (files.some((one) => one.state === "received") && !files.some((one) => ["waiting", "sending"].includes(one.state))) look();
}

function take(chosen) {
  for (const file of chosen) if (!files.some((one) => one.file.name === file.name && one.file.size === file.size)) files.push(new Sending(file));
  next();
}

function announce(said) {
  const done = files.filter((one) => one.state === "received").length;
  document.getElementById("heard").textContent = `${said}. ${words.all.replace("{done}", done).replace("{all}", files.length)}`;
}

// Shows what examination has found as soon as it has, unless somebody is already at work on the rows that are shown.
async function look() {
  clearTimeout(looking);
  const response = await fetch(location.pathname, { headers: { Accept: "text/html" } }).catch(() => null);
  if (response?.ok && !response.redirected && !touched) {
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    document.getElementById("new").replaceChildren(...page.getElementById("new").childNodes);
    dress();
  }
  if (document.getElementById("waiting") && !touched) looking = setTimeout(look, LOOK);
}

function dress() {
  const all = document.getElementById("all"), boxes = [...document.querySelectorAll(".rows input[name^=chosen]")];
  if (!all) return;
  all.hidden = false;
  all.firstElementChild.checked = boxes.every((box) => box.checked);
  all.addEventListener("change", () => boxes.forEach((box) => (box.checked = all.firstElementChild.checked)));
}

function pause(milliseconds) {
  return new Promise((done) => { setTimeout(done, milliseconds); addEventListener("online", done, { once: true }); });
}

function encoded(text) { return btoa(String.fromCharCode(...new TextEncoder().encode(text))); }

form.querySelector(".drop").hidden = false;
form.querySelector("button").hidden = true;
chooser.addEventListener("change", () => { take(chooser.files); chooser.value = ""; });
for (const over of ["dragenter", "dragover"]) form.addEventListener(over, (event) => { event.preventDefault(); form.classList.add("over"); });
for (const out of ["dragleave", "drop"]) form.addEventListener(out, () => form.classList.remove("over"));
form.addEventListener("drop", (event) => { event.preventDefault(); take(event.dataTransfer.files); });
document.getElementById("new").addEventListener("input", () => { touched = true; });
dress();
if (document.getElementById("waiting")) looking = setTimeout(look, LOOK);
}
