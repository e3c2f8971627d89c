"use strict";
// A run in progress: its cutouts, its earlier moments, and what may be changed while it goes on.

let shownLook = "", shownMoments = "", dialsOf = "", dialed = {};

function paintWatch(now, active) {
  $("look").hidden = $("mark").hidden = !active;
  $("look").disabled = $("mark").disabled = !now.steps;
  const look = now.looks ? `${API}/jobs/${now.id}/cutouts.jpg?n=${now.looks}` : "";
  if (look !== shownLook) {
    shownLook = look;
    $("seen").hidden = !look;
    if (look) $("cutouts").src = look; else $("cutouts").removeAttribute("src");
  }
  const moments = (now.moments || []).filter(step => step < (state.steps[now.id]?.step ?? now.step) || now.state !== "running");
  const word = `${now.id} ${moments.join(" ")}`;
  if (word !== shownMoments) {
    shownMoments = word;
    $("moments").replaceChildren(...[...moments].reverse().map(step => make("option", { value: step, textContent: step })));
  }
  $("back-set").hidden = !moments.length || now.state === "waiting";
  $("turn").hidden = !active || !now.steps;
  if (active && now.steps && $("turn").open) showDials(now).catch(error => say(error.message));
}

async function showDials(now) {
  const word = `${now.id} ${now.notes.join()}`;  // after a change there is a note
  if (word === dialsOf) return;
  dialsOf = word;
  const { dials } = await ask(`/jobs/${now.id}/dials`);
  if (!dials.length) { dialsOf = ""; return; }
  dialed = Object.fromEntries(dials.map(each => [each.path, each.value]));
  const fields = dials.map(({ path, label, value }) => {
    const text = typeof value === "string";
    const input = make("input", { type: text ? "text" : "number", value, step: "any", name: path });
    return make("label", { className: text ? "wide" : "" }, `${label} `, input);
  });
  $("dials").replaceChildren(...fields, make("p", { className: "row wide" }, make("button", { type: "submit", className: "main", textContent: "Go on with these" })));
}

$("cutouts").addEventListener("error", () => { $("seen").hidden = true; });
$("turn").addEventListener("toggle", () => { dialsOf = ""; soon(); });
$("dials").addEventListener("submit", safely(async event => {
  event.preventDefault();
  const changes = {};
  for (const input of $("dials").querySelectorAll("input")) {
    const value = input.type === "number" ? Number(input.value) : input.value;
    if (value !== dialed[input.name] && input.value !== "") changes[input.name] = value;
  }
  if (!Object.keys(changes).length) { say("Nothing was changed."); return; }
  await ask(`/jobs/${job().id}/change`, { changes });
  Object.assign(dialed, changes);
  say("The run goes on with it. To go back, undo to an earlier step.");
}));
$("look").addEventListener("click", safely(() => ask(`/jobs/${job().id}/look`, {})));
$("mark").addEventListener("click", safely(() => ask(`/jobs/${job().id}/mark`, {})));
$("back").addEventListener("click", safely(() => ask(`/jobs/${job().id}/back`, { step: Number($("moments").value) })));
