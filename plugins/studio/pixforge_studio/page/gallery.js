"use strict";
// All runs of the folder: filtered, searched, marked, compared, and thrown away.

const PAGE = 60;
let wanted = 0, total = 0, loading = false, searched = null;
const picked = new Set(), titles = {};

const path = run => run.split("/").map(encodeURIComponent).join("/");
const fileOf = (run, name) => `${API}/runs/${path(run)}/files/${encodeURIComponent(name)}`;

function query(offset) {
  const day = (id, later) => $(id).value ? new Date(`${$(id).value}T00:00`).getTime() / 1000 + later : "";
  const values = { limit: PAGE, offset, q: $("filter").value, generator: $("by-generator").value, tag: $("by-tag").value,
    score: $("by-score").value, since: day("since", 0), until: day("until", 86400), star: $("starred").checked ? "1" : "", sort: $("order").value };
  return new URLSearchParams(Object.entries(values).filter(([, value]) => value !== ""));
}

async function look() {
  if (searched) { await searched(); return; }
  const mine = ++wanted;
  try {
    const found = await ask(`/runs?${query(0)}`);
    if (mine !== wanted) return;
    total = found.total;
    choicesOf("by-generator", found.generators);
    choicesOf("by-tag", found.tags);
    $("pictures").replaceChildren(...found.runs.map(tile));
    told();
  } catch (error) { say(error.message); }
}

function choicesOf(id, words) {
  const select = $(id), value = select.value;
  if (value) return;  // only what is left would be offered
  select.replaceChildren(select.options[0], ...words.map(word => make("option", { value: word, textContent: word })));
}

function told() {
  const shown = $("pictures").children.length;
  $("found").textContent = total === 1 ? "1 run" : `${total} runs`;
  $("more").textContent = shown < total ? `${shown} are shown; scroll for more.` : total ? "" : "There are no such pictures.";
}

function tile(found) {
  const text = found.prompts.join(", ") || found.run;
  titles[found.run] = text;
  const image = make("img", { loading: "lazy", decoding: "async", alt: "", width: 256, height: 256 });
  image.src = `${API}/runs/${path(found.run)}/thumb.jpg?v=${found.made}`;
  const made = new Date(found.made * 1000), old = made.getFullYear() !== new Date().getFullYear();
  const when = made.toLocaleDateString(undefined, { month: "short", day: "numeric", year: old ? "numeric" : undefined }), like = found.likeness;
  const facts = [like === undefined ? when : `alike ${like.toFixed(3)}`, found.held_out_score?.toFixed(3), found.video ? "video" : "", ...(found.tags || [])];
  const open = make("button", { type: "button" }, image, make("span", { textContent: text, title: text }),
    make("span", { className: "about", textContent: facts.filter(Boolean).join(" · ") }));
  open.addEventListener("click", () => details(found.run));
  const pick = make("input", { type: "checkbox", className: "pick", checked: picked.has(found.run) });
  pick.setAttribute("aria-label", `Compare ${text}, ${found.run}`);
  pick.addEventListener("change", () => {
    if (pick.checked) picked.add(found.run); else picked.delete(found.run);
    chosen();
  });
  return make("li", {}, open, pick, starOf(found, text));
}

function starOf(found, text) {
  const star = make("button", { type: "button", className: "star" });
  const show = () => { star.textContent = found.star ? "★" : "☆"; star.setAttribute("aria-pressed", found.star); };
  star.setAttribute("aria-label", `Star ${text}, ${found.run}`);
  show();
  star.addEventListener("click", safely(async () => {
    found.star = (await ask(`/runs/${path(found.run)}/mark`, { star: !found.star })).star;
    show();
  }));
  return star;
}

function chosen() {
  $("compare").disabled = picked.size < 2 || picked.size > 4;
  $("compare").textContent = picked.size ? `Compare ${picked.size}` : "Compare";
}

async function further() {
  if (searched || loading || $("pictures").children.length >= total || document.body.dataset.view !== "gallery") return;
  loading = true;
  const mine = wanted;
  try {
    const found = await ask(`/runs?${query($("pictures").children.length)}`);
    if (mine === wanted) { $("pictures").append(...found.runs.map(tile)); told(); }
  } catch (error) { say(error.message); }
  loading = false;
}
new IntersectionObserver(found => { if (found.some(each => each.isIntersecting)) further(); }, { rootMargin: "800px" }).observe($("more"));

let filtering;
$("filters").addEventListener("input", () => {
  searched = null;
  $("search-end").hidden = true;
  clearTimeout(filtering);
  filtering = setTimeout(look, 150);
});
for (const id of ["filters", "search", "tag-form"]) $(id).addEventListener("submit", event => event.preventDefault());

// Search by what pictures show

function showFound(found) {
  total = found.total;
  $("pictures").replaceChildren(...found.runs.map(tile));
  told();
}

async function searchWith(act) {
  location.hash = "#gallery";
  $("search-end").hidden = false;
  $("found").textContent = "Searching; new pictures are looked at first.";
  searched = async () => {
    const mine = ++wanted;
    try {
      const found = await act();
      if (mine === wanted) showFound(found);
    } catch (error) { $("found").textContent = ""; say(error.message); }
  };
  await searched();
}

const searchBy = blob => searchWith(() => ask("/search/picture", blob));
$("search").addEventListener("submit", safely(async () => {
  const words = $("shows").value.trim();
  if (words) await searchWith(() => ask("/search", { words }));
}));
$("search-picture").addEventListener("click", () => $("search-file").click());
$("search-file").addEventListener("change", safely(async () => {
  const file = $("search-file").files[0];
  if (file) await searchBy(file.slice(0, file.size));
  $("search-file").value = "";
}));
$("search-end").addEventListener("click", () => { searched = null; $("search-end").hidden = true; $("shows").value = ""; look(); });

// One run

function videoOf(run, name, text) {
  const video = make("video", { src: fileOf(run, name), controls: true, loop: true, muted: true, preload: "metadata" });
  video.setAttribute("aria-label", `Video of ${text}`);
  return video;
}

// A film that is being loaded is asked for in pieces: to take it off the page does not end that.
function empty(place) {
  for (const each of place.querySelectorAll("video")) { each.removeAttribute("src"); each.load(); }
  place.replaceChildren();
}

// The run, those that it came from and all their branches, as nested lists of small pictures.
function familyOf(found) {
  const lists = new Map();
  for (const each of found.family.length > 1 ? found.family : []) {
    const open = make("button", { type: "button", className: "quiet" });
    open.setAttribute("aria-label", `Open ${each.run}`);
    if (each.picture) open.append(make("img", { src: `${API}/runs/${path(each.run)}/thumb.jpg`, alt: "", width: 56, height: 56, loading: "lazy" }));
    open.append(make("span", {}, each.run, make("small", { className: "about", textContent: each.steps === null ? "" : `${each.steps} steps` })));
    open.addEventListener("click", () => details(each.run));
    if (each.run === found.run) open.setAttribute("aria-current", "true");
    const item = make("li", {}, open), below = make("ul");
    lists.set(each.run, below);
    (lists.get(each.parent) || $("family")).append(item);
    item.append(below);
  }
}

function lineageOf(found) {
  const pieces = (found.lineage || []).map(each => {
    const words = [`from step ${each.step ?? 0}`, each.from ? `of ${each.from}` : "", (each.changes || []).join("; ")];
    return make("li", { textContent: words.filter(Boolean).join(", ") });
  });
  if (!pieces.length) pieces.push(make("li", { textContent: "Made in one piece, from nothing else." }));
  return pieces;
}

async function details(run) {
  let found;
  try { found = await ask(`/runs/${path(run)}`); } catch (error) { say(error.message); return; }
  const text = found.prompts.join(", ") || run;
  $("details-title").textContent = text;
  empty($("media"));
  if (found.picture) $("media").append(make("img", { src: fileOf(run, found.picture), alt: text }));
  if (found.video) $("media").append(videoOf(run, found.video, text));
  const facts = { Folder: run, State: found.status, Generator: found.generator, Seed: found.seed, Steps: found.steps === null ? null : `${found.steps_done ?? 0} of ${found.steps}`,
    Score: found.held_out_score, Seconds: found.timings?.total?.toFixed(1), Made: new Date(found.made * 1000).toLocaleString(), Error: found.error };
  $("facts").replaceChildren(...Object.entries(facts).filter(([, value]) => value !== null && value !== undefined && value !== "")
    .flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", { textContent: value })]));
  $("lineage").replaceChildren(...lineageOf(found));
  $("family").replaceChildren();
  $("family").hidden = found.family.length < 2;
  familyOf(found);
  $("recipe").textContent = found.recipe;
  $("tags").value = found.tags.join(", ");
  const starred = () => { $("star").textContent = found.star ? "★ Starred" : "☆ Star"; $("star").setAttribute("aria-pressed", found.star); };
  starred();
  const mark = async body => { Object.assign(found, await ask(`/runs/${path(run)}/mark`, body)); look(); };
  $("star").onclick = safely(async () => { await mark({ star: !found.star }); starred(); });
  $("tag-form").onsubmit = safely(async () => {
    await mark({ tags: $("tags").value.split(",").map(each => each.trim()).filter(Boolean) });
    $("tags").value = found.tags.join(", ");
    say("The tags are set.");
  });
  $("alike").onclick = () => { $("details").close(); searchWith(() => ask("/search", { run })).catch(error => say(error.message)); };
  $("start-here").onclick = safely(async () => {
    $("details").close();
    await startFrom(await (await fetch(fileOf(run, found.picture))).blob());
  });
  $("alike").hidden = $("start-here").hidden = !found.picture;
  $("throw").onclick = safely(async () => {
    empty($("media"));  // nothing may be asked for that has been moved
    try { await ask(`/runs/${path(run)}/trash`, {}); } catch (error) { await details(run); throw error; }
    $("details").close();
    picked.delete(run);
    chosen();
    say("It is in the trash.");
    await look();
  });
  $("load").onclick = () => { setText(found.recipe); $("details").close(); location.hash = "#make"; check(); };
  if (!$("details").open) $("details").showModal();
}
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", event => { if (event.target === dialog && dialog.id !== "painter") dialog.close(); });
}
$("details").addEventListener("close", () => empty($("media")));

// Two to four runs

$("compare").addEventListener("click", safely(async () => {
  const names = [...picked], found = await ask(`/compare?${new URLSearchParams(names.map(run => ["run", run]))}`);
  const pictures = found.runs.filter(each => each.picture);
  const over = found.runs.length === 2 && pictures.length === 2;
  $("over").hidden = !over;
  if (over) ["a", "b"].forEach((word, i) => { $(`over-${word}`).src = fileOf(pictures[i].run, pictures[i].picture); $(`over-${word}`).alt = pictures[i].run; });
  slide();
  $("side").replaceChildren(...found.runs.map(each => {
    const text = each.prompts.join(", ") || each.run, score = each.held_out_score;
    return make("div", {}, each.video ? videoOf(each.run, each.video, text) : each.picture ? make("img", { src: fileOf(each.run, each.picture), alt: text }) : null,
      make("p", { textContent: [each.run, typeof score === "number" ? `score ${score.toFixed(3)}` : ""].filter(Boolean).join(" · ") }));
  }));
  $("videos").hidden = found.runs.filter(each => each.video).length < 2;
  const head = make("tr", {}, ...["Where", ...names].map(text => make("th", { scope: "col", textContent: text })));
  const rows = found.differences.map(each => make("tr", {}, make("th", { scope: "row", textContent: each.where }),
    ...each.values.map(value => make("td", { textContent: value || "(none)" }))));
  $("differences").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  $("comparison").showModal();
}));

function slide() { $("over-b").style.clipPath = `inset(0 0 0 ${$("over-slide").value}%)`; }
$("over-slide").addEventListener("input", slide);

const videos = () => [...$("side").querySelectorAll("video")];
$("videos-play").addEventListener("click", safely(async () => {
  const all = videos(), going = all.some(each => !each.paused);
  const at = all[0].currentTime;
  for (const each of all) { if (going) each.pause(); else each.currentTime = Math.min(at, each.duration || at); }
  if (!going) await Promise.all(all.map(each => each.play()));
  $("videos-play").textContent = going ? "Play all" : "Pause all";
}));
$("videos-at").addEventListener("input", () => {
  for (const each of videos()) if (each.duration) each.currentTime = each.duration * $("videos-at").value / 1000;
});
$("comparison").addEventListener("close", () => empty($("side")));

// The trash

async function listTrash() {
  const { trash } = await ask("/trash");
  $("thrown").replaceChildren(...trash.map(each => make("li", {}, each.run, button("Put back", async () => {
    await ask(`/trash/${encodeURIComponent(each.id)}/restore`, {});
    await listTrash();
    await look();
  }, `Put ${each.run} back`))));
  if (!trash.length) $("thrown").append(make("li", { textContent: "Nothing is in it." }));
  $("empty").disabled = !trash.length;
}
$("show-trash").addEventListener("click", safely(async () => { await listTrash(); $("trash").showModal(); }));
$("empty").addEventListener("click", safely(async () => { await ask("/trash", {}, "DELETE"); await listTrash(); }));
