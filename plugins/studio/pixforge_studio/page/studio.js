"use strict";
// The page shows what the server holds: after a reload, or on a second page, all is there again.
const $ = id => document.getElementById(id);
const API = "/api/v1";

async function ask(path, body, method) {
  const options = { method: method || (body === undefined ? "GET" : "POST"), headers: {} };
  if (options.method !== "GET") {
    options.headers["Content-Type"] = body instanceof Blob ? "application/octet-stream" : "application/json";
    options.body = body instanceof Blob ? body : JSON.stringify(body || {});
  }
  const answer = await fetch(API + path, options);
  const found = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(found.error || answer.statusText), { found, status: answer.status });
  return found;
}

let saying;
function say(text) {
  clearTimeout(saying);
  $("says").textContent = text;
  saying = setTimeout(() => { $("says").textContent = ""; }, 6000);
}

function make(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties || {});
  made.append(...children.filter(each => each !== null && each !== undefined));
  return made;
}

function button(text, act, label) {
  const made = make("button", { type: "button", textContent: text });
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", () => act().catch(error => say(error.message)));
  return made;
}

// Views

const VIEWS = ["make", "watch", "queue", "gallery"];
function show() {
  const word = location.hash.slice(1), view = VIEWS.includes(word) ? word : "make";
  document.body.dataset.view = view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === "#" + view) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  if (view === "gallery") look();
  if (view === "watch" && innerWidth < 1000) scrollTo(0, 0);
  paint();
}
addEventListener("hashchange", show);

// Make: the text is the recipe; the form is a view of it, and what is typed there changes the text.

const FIRST = "prompts:\n- a red heart\n";
let form = null, asked = 0, waiting;

const at = word => (text, offset) => ask(`/recipes/${word}`, { text, offset }).catch(() => null);
const editor = makeEditor($("editor"), { text: localStorage.getItem("recipe") || FIRST, run, complete: at("complete"), about: at("about"),
  changed(text) {
    localStorage.setItem("recipe", text);
    $("verdict").textContent = "";
    clearTimeout(waiting);
    waiting = setTimeout(check, 250);
  } });

function setText(text) {
  editor.text = text;
  localStorage.setItem("recipe", text);
}

function seen(found) {
  const { problems, words } = found;
  form = found.form;
  editor.show(problems, words || []);
  const unknown = [...new Set((words || []).map(each => each.word))];
  $("problems").replaceChildren(...problems.map(each => {
    const go = make("button", { type: "button", textContent: (each.line ? `Line ${each.line}: ` : "") + each.message });
    go.addEventListener("click", () => editor.toLine(each.line || 1));
    return make("li", {}, go);
  }), ...(unknown.length ? [make("li", { className: "hint", textContent: `The model was not trained with: ${unknown.join(", ")}.` })] : []));
  $("verdict").textContent = problems.length ? `${problems.length} ${problems.length === 1 ? "problem" : "problems"}` : "valid";
  $("verdict").className = problems.length ? "bad" : "good";
  fill();
  if (typeof showStrip === "function") showStrip().catch(error => say(error.message));
}

async function check() {
  const mine = ++asked;
  try {
    const found = await ask("/recipes/check", { text: editor.text });
    if (mine === asked) seen(found);
  } catch (error) { say(error.message); }
}

let changing = Promise.resolve(), typed = 0;
$("form").addEventListener("input", () => { typed = Date.now(); });
$("form").addEventListener("change", () => { typed = Date.now(); });
function change(changes) {
  changing = changing.then(async () => {
    const mine = ++asked;
    try {
      const found = await ask("/recipes/edit", { text: editor.text, changes });
      setText(found.text);
      if (mine === asked) seen(found);
    } catch (error) { say(error.message); }
  });
  return changing;
}

function single(value) { return Array.isArray(value) ? (value.length === 1 ? value[0] : null) : value; }

function setSelect(id, value) {
  const select = $(id);
  select.querySelector("option[data-kept]")?.remove();
  let word = value === null || value === undefined ? "" : typeof value === "string" ? value : null;
  if (word === null || ![...select.options].some(each => each.value === word)) {
    word = word === null ? "\u0000" : word;
    select.append(make("option", { value: word, textContent: word === "\u0000" ? "as the text says" : word }));
    select.lastChild.dataset.kept = "";
  }
  select.value = word;
}

function fill() {
  for (const each of $("form").elements) each.disabled = form === null;
  if (form === null) return;
  const rows = $("prompts"), prompts = form.prompts || [];
  const same = rows.children.length === prompts.length && prompts.every((each, i) => ("kept" in each) === !rows.children[i].querySelector("input"));
  if (!same) rows.replaceChildren(...prompts.map(row));
  prompts.forEach((each, i) => {
    const line = rows.children[i];
    if ("kept" in each) { line.querySelector("output").textContent = each.kept; return; }
    const [text, weight] = line.querySelectorAll("input");
    if (document.activeElement !== text) text.value = each.text;
    if (document.activeElement !== weight) weight.value = each.weight;
    const part = line.querySelector(".part");
    part.textContent = each.where ? "Not only a part" : "Only a part";
    part.setAttribute("aria-label", `${part.textContent}: prompt ${i + 1}`);
  });
  setSelect("extends", single(form.extends));
  setSelect("generator", form.generator);
  setSelect("init", form.init);
  showStart();
  const size = Array.isArray(form.size) ? form.size : typeof form.size === "string" ? form.size.split("x") : [];
  const values = { width: size[0], height: size[1] ?? size[0], steps: form.steps, seed: form.seed };
  for (const [id, value] of Object.entries(values)) {
    const fits = typeof value === "string" && ($(id).type !== "number" || /^\d+$/.test(value));
    if (document.activeElement !== $(id)) $(id).value = fits ? value : "";
  }
}

function row(prompt, index) {
  const remove = make("button", { type: "button", className: "quiet", textContent: "×" });
  remove.setAttribute("aria-label", `Remove prompt ${index + 1}`);
  remove.addEventListener("click", () => change({ prompts: form.prompts.filter((_, i) => i !== index) }));
  if ("kept" in prompt) return make("div", { className: "prompt" }, make("output"), remove);
  const text = make("input", { type: "text" }), weight = make("input", { type: "number", step: "any" });
  text.setAttribute("aria-label", `Prompt ${index + 1}`);
  weight.setAttribute("aria-label", `Weight of prompt ${index + 1}`);
  const tell = () => change({ prompts: form.prompts.map((each, i) => i !== index ? each :
    { ...each, text: text.value, weight: weight.value === "" || !isFinite(weight.value) ? 1 : Number(weight.value) }) });
  let later;
  for (const each of [text, weight]) each.addEventListener("input", () => { clearTimeout(later); later = setTimeout(tell, 250); });
  const part = make("button", { type: "button", className: "quiet part" });
  part.addEventListener("click", () => partOf(index));
  return make("div", { className: "prompt" }, text, weight, part, remove);
}

$("add-prompt").addEventListener("click", async () => {
  await change({ prompts: [...(form.prompts || []), { text: "", weight: 1 }] });
  $("prompts").lastElementChild?.querySelector("input")?.focus();
});
for (const id of ["extends", "generator", "init"]) {
  $(id).addEventListener("change", () => { if ($(id).value !== "\u0000") change({ [id]: $(id).value || null }); });
}
for (const id of ["width", "height"]) {
  $(id).addEventListener("change", () => {
    const w = Number($("width").value) || Number($("height").value), h = Number($("height").value) || w;
    change({ size: w ? [w, h] : null });
  });
}
$("steps").addEventListener("change", () => change({ steps: $("steps").value === "" ? null : Number($("steps").value) }));
$("seed").addEventListener("change", () => {
  const word = $("seed").value.trim();
  change({ seed: word === "" ? null : /^\d{1,15}$/.test(word) ? Number(word) : word });
});
$("form").addEventListener("submit", event => event.preventDefault());

async function run() {
  clearTimeout(waiting);
  if (document.activeElement?.closest?.("#form")) document.activeElement.blur();
  if (Date.now() - typed < 300) await new Promise(done => setTimeout(done, 260));  // what was just typed in the form
  await changing;
  try {
    const job = await ask("/jobs", { text: editor.text });
    watched = job.id;
    say(state.jobs.some(each => each.state === "running") ? "It waits in the queue." : "It runs.");
    if (innerWidth < 1000) location.hash = "#watch";
  } catch (error) {
    if (error.found?.problems) { seen(error.found); editor.toLine(error.found.problems[0].line || 1); }
    say(error.message);
  }
}
$("run").addEventListener("click", run);
addEventListener("keydown", event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented && !document.querySelector("dialog[open]")) { event.preventDefault(); run(); }
});

async function choices() {
  const schema = await ask("/schema");
  for (const name of ["generator", "init"]) {
    const words = new Set();
    (function gather(node, depth) {
      if (!node || typeof node !== "object" || depth > 6) return;
      if (node.$ref) gather(schema.$defs[node.$ref.split("/").pop()], depth + 1);
      if (typeof node.const === "string") words.add(node.const);
      if (node.properties) { gather(node.properties.type, depth + 1); return; }
      for (const each of [...(node.anyOf || []), ...(node.oneOf || [])]) gather(each, depth + 1);
      for (const each of Object.values(node.discriminator?.mapping || {})) gather({ $ref: each }, depth + 1);
    })(schema.properties[name], 0);
    for (const word of [...words].sort()) $(name).append(make("option", { value: word, textContent: word }));
  }
  fill();
}

// Watch and Queue

const state = { jobs: [], points: {}, steps: {} };
let watched = null, shownPreview = "", preview = {};

function job() {
  const mine = state.jobs.find(each => each.id === watched);
  const running = mine?.state === "running" ? mine : state.jobs.find(each => each.state === "running");
  return running || (mine && (mine.steps || mine.state === "failed") ? mine : null) || state.jobs.filter(each => each.steps).pop();
}

function seconds(value) {
  if (value === null || value === undefined) return "";
  const whole = Math.round(value);
  return whole < 60 ? `${whole} s left` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} left`;
}

function paint() {
  const now = job();
  $("idle").hidden = Boolean(now);
  $("live").hidden = !now;
  if (!now) return;
  const live = state.steps[now.id] || now, step = Math.max(live.step || 0, now.step || 0);
  const word = now.state === "running" ? (now.paused ? "paused" : "running") : now.state;
  $("live-name").textContent = now.name || now.run;
  $("progress").max = now.steps || 1;
  $("progress").value = step;
  const rate = live.rate ? `${live.rate} steps/s` : "", left = now.state === "running" && !now.paused ? seconds(live.left) : "";
  const score = now.score === null ? "" : `score ${now.score.toFixed(3)}`;
  const memory = Object.entries(live.memory || {}).map(([where, size]) => `${size < 1000 ? `${size} MB` : `${(size / 1024).toFixed(1)} GB`}${where === "there" ? " on the GPU" : ""}`).join(", ");
  $("numbers").textContent = [word, now.steps ? `step ${step} of ${now.steps}` : "loading", rate, left, memory, score].filter(Boolean).join(" · ");
  const version = preview[now.id] || now.previews, source = version ? `${API}/jobs/${now.id}/preview.jpg?n=${version}` : "";
  if (source !== shownPreview) {
    shownPreview = source;
    $("preview").hidden = !source;
    if (source) $("preview").src = source; else $("preview").removeAttribute("src");
    $("preview").alt = source ? `Preview of ${now.name}` : "";
  }
  const active = now.state === "running";
  $("pause").hidden = $("stop").hidden = !active;
  $("pause").textContent = now.paused ? "Go on" : "Pause";
  $("again").hidden = active;
  paintWatch(now, active);
  const points = state.points[now.id] || [], last = points.length ? points[points.length - 1][1] : {};
  drawCurve($("curve"), points, now.steps);
  $("curve").setAttribute("aria-label", points.length ? `Curve of the loss, now ${last.total}` : "Curve of the loss");
  $("legend").replaceChildren(...(points.length ? termsOf(points) : []).map((name, index) => {
    const mark = make("i");
    mark.style.background = termColor(index);
    return make("li", {}, mark, `${name} ${last[name] === undefined ? "" : last[name].toPrecision(3)}`);
  }));
  $("notes").replaceChildren(...[now.error, ...now.notes].filter(Boolean).map(text => make("li", { textContent: text })));
}

// Whoever is told of a picture last of all may ask when it has gone: the entry was removed elsewhere.
$("preview").addEventListener("error", () => { $("preview").hidden = true; });
$("pause").addEventListener("click", () => { const now = job(); if (now) ask(`/jobs/${now.id}/${now.paused ? "proceed" : "pause"}`, {}).catch(error => say(error.message)); });
$("stop").addEventListener("click", () => { const now = job(); if (now) ask(`/jobs/${now.id}/stop`, {}).catch(error => say(error.message)); });
$("again").addEventListener("click", () => { const now = job(); if (now) loadJob(now.id).catch(error => say(error.message)); });

async function loadJob(id) {
  setText((await ask(`/jobs/${id}`)).text);
  location.hash = "#make";
  await check();
}

let painting = false;
function soon() {
  if (painting) return;
  painting = true;
  requestAnimationFrame(() => { painting = false; paint(); });
}

function listen() {
  const events = new EventSource(API + "/events");
  events.addEventListener("open", () => { $("connection").textContent = ""; preview = {}; });  // it may be another studio, which tells anew what it has
  events.addEventListener("error", () => { $("connection").textContent = "The studio does not answer; trying again."; });
  events.addEventListener("queue", event => {
    const before = state.jobs.filter(each => each.state === "running").map(each => each.id);
    state.jobs = JSON.parse(event.data).jobs;
    const ended = before.some(id => state.jobs.find(each => each.id === id)?.state !== "running");
    if (ended && document.body.dataset.view === "gallery") look();
    list();
    soon();
  });
  events.addEventListener("step", event => {
    const news = JSON.parse(event.data);
    state.steps[news.id] = news;
    state.points[news.id] = news.fresh ? news.points : [...(state.points[news.id] || []), ...news.points];
    soon();
  });
  events.addEventListener("preview", event => {
    const news = JSON.parse(event.data);
    preview[news.id] = news.preview;
    soon();
  });
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon);
addEventListener("resize", soon);
addEventListener("DOMContentLoaded", () => {
  show();
  check();
  choices().catch(error => say(error.message));
  listen();
});
