"use strict";
// The queue: what waits, in an order that can be changed, and sweeps, each as one entry that unfolds.

const unfolded = new Set();
let order = [], dragged = null;

// What waits may be dragged before another entry that waits, or below the last one.
function draggable(item, each) {
  item.draggable = true;
  const allows = event => dragged !== null && dragged !== each.id && (event.preventDefault(), true);
  const lower = event => event.clientY - item.getBoundingClientRect().top > item.clientHeight / 2;
  item.addEventListener("dragstart", event => { dragged = each.id; event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", each.name); });
  item.addEventListener("dragend", () => { dragged = null; list(); });
  item.addEventListener("dragover", event => item.classList.toggle("below", allows(event)));
  item.addEventListener("dragleave", () => item.classList.remove("below"));
  item.addEventListener("drop", safely(async event => {
    if (!allows(event)) return;
    const moved = dragged, rest = order.filter(other => other.id !== moved), at = rest.findIndex(other => other.id === each.id);
    dragged = null;
    await ask(`/jobs/${moved}/place`, { before: rest[at + (lower(event) ? 1 : 0)]?.id ?? null });
  }));
}

function list() {
  if (dragged !== null) return;  // a list that is made anew would end the dragging
  const open = state.jobs.filter(each => each.state === "waiting" || each.state === "running").length;
  $("waiting").hidden = !open;
  $("waiting").textContent = open ? `(${open})` : "";
  $("queue-empty").hidden = state.jobs.length > 0;
  const focused = document.activeElement?.closest?.("#jobs li"), word = document.activeElement?.textContent;
  order = state.jobs.filter(each => each.state === "waiting");
  const shown = [], groups = new Map();
  for (const each of state.jobs) {
    if (!each.group) shown.push(entry(each));
    else if (groups.has(each.group)) groups.get(each.group).push(each);
    else { groups.set(each.group, [each]); shown.push(each.group); }
  }
  $("jobs").replaceChildren(...shown.map(each => typeof each === "number" ? sweepOf(each, groups.get(each)) : each));
  if (focused) [...$("jobs").querySelectorAll(`li[data-id="${CSS.escape(focused.dataset.id)}"] button`)].find(each => each.textContent === word)?.focus();
}

function moves(each) {
  const at = order.indexOf(each), place = before => ask(`/jobs/${each.id}/place`, { before });
  const up = button("Up", () => place(order[at - 1].id), `Up: ${each.name}`);
  const down = button("Down", () => place(order[at + 2]?.id ?? null), `Down: ${each.name}`);
  up.disabled = at <= 0;
  down.disabled = at >= order.length - 1;
  return [up, down];
}

function entry(each) {
  const move = (text, way) => button(text, () => ask(`/jobs/${each.id}/${way}`, {}), `${text}: ${each.name}`);
  const actions = make("span", { className: "row" });
  if (each.state === "waiting") actions.append(...moves(each), move("First", "first"), move(each.paused ? "Go on" : "Hold", each.paused ? "proceed" : "pause"), move("Stop", "stop"));
  if (each.state === "running") actions.append(button("Watch", async () => { watched = each.id; location.hash = "#watch"; soon(); }, `Watch ${each.name}`), move(each.paused ? "Go on" : "Pause", each.paused ? "proceed" : "pause"), move("Stop", "stop"));
  if (each.state === "failed" || each.state === "stopped") actions.append(move(each.step ? "Go on" : "Retry", "retry"));
  if (each.state === "finished" || each.state === "stopped" || each.state === "failed") actions.append(move("Redo", "redo"));
  actions.append(button("Change", () => loadJob(each.id), `Load the recipe of ${each.name} to change it`));
  if (each.state !== "running") actions.append(button("Remove", () => ask(`/jobs/${each.id}`, {}, "DELETE"), `Remove ${each.name}`));
  const about = [each.state + (each.paused ? ", held" : ""), each.steps ? `step ${(state.steps[each.id] || each).step} of ${each.steps}` : "", each.run];
  const item = make("li", {}, make("div", {}, make("div", { textContent: each.name || each.run }),
    make("div", { className: "about", textContent: about.filter(Boolean).join(" · ") })), actions,
    each.error ? make("p", { className: "wrong", textContent: each.error }) : null);
  item.dataset.id = each.id;
  if (each.state === "waiting") draggable(item, each);
  return item;
}

function sweepOf(group, jobs) {
  const count = name => jobs.filter(each => each.state === name).length, left = jobs.filter(each => each.state !== "finished").length;
  const words = [`${jobs[0].of - left} of ${jobs[0].of} finished`, ...["running", "waiting", "stopped", "failed"].map(name => count(name) ? `${count(name)} ${name}` : "")];
  const all = (text, states, act) => {
    const made = button(text, () => Promise.all(jobs.filter(each => states.includes(each.state)).map(act)), `${text}: ${jobs[0].title}`);
    made.disabled = !jobs.some(each => states.includes(each.state));
    return made;
  };
  const details = make("details", { open: unfolded.has(group) }, make("summary", {}, `Sweep ${jobs[0].title} `, make("span", { className: "about", textContent: words.filter(Boolean).join(" · ") })));
  details.addEventListener("toggle", () => { if (details.open) unfolded.add(group); else unfolded.delete(group); });
  details.append(make("ol", {}, ...jobs.map(entry)));
  const actions = make("span", { className: "row" }, all("Stop all", ["waiting", "running"], each => ask(`/jobs/${each.id}/stop`, {})),
    all("Go on with all", ["stopped", "failed"], each => ask(`/jobs/${each.id}/retry`, {})),
    all("Remove all", ["waiting", "stopped", "failed", "finished"], each => ask(`/jobs/${each.id}`, {}, "DELETE")));
  const item = make("li", { className: "sweep" }, details, actions);
  item.dataset.id = `sweep-${group}`;
  return item;
}

$("run-sweep").addEventListener("click", safely(async () => {
  const values = {};
  for (const row of document.querySelectorAll("#sweep .axis")) {
    const [path, line] = [...row.querySelectorAll("input")].map(each => each.value.trim());
    if (path) values[path] = line;
  }
  const { jobs } = await ask("/sweeps", { text: editor.text, values });
  say(`${jobs.length} runs are in the queue.`);
  location.hash = "#queue";
}));
$("add-axis").addEventListener("click", () => {
  const rows = document.querySelectorAll("#sweep .axis"), copy = rows[rows.length - 1].cloneNode(true);
  for (const each of copy.querySelectorAll("input")) each.value = "";
  rows[rows.length - 1].after(copy);
  copy.querySelector("input").focus();
});
