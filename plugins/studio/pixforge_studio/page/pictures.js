"use strict";
// Pictures that are dropped, pasted or chosen: their recipes, starts of runs, and masks painted on them.

for (const each of document.querySelectorAll("[data-close]")) each.addEventListener("click", () => each.closest("dialog").close());

const own = name => `${API}/pictures/${encodeURIComponent(name)}`;
const keepPicture = blob => ask("/pictures", blob instanceof Blob ? blob : new Blob([blob]));

// What is dropped, pasted or opened

let dropped = null;

async function take(file) {
  if (/\.ya?ml$/i.test(file.name || "")) { setText(await file.text()); location.hash = "#make"; await check(); return; }
  if (dropped) URL.revokeObjectURL(dropped.address);
  dropped = { file: file.slice(0, file.size), text: "", address: URL.createObjectURL(file) };
  let why = "";
  try { dropped.text = (await ask("/recipes/of-file", dropped.file)).text; } catch (error) { why = error.message; }
  const picture = /^image\/(png|jpeg|webp)$/.test(file.type) || /\.(png|jpe?g|webp)$/i.test(file.name || "");
  if (!picture && !dropped.text) { say(why); return; }
  $("dropped-title").textContent = file.name || "A picture";
  $("dropped-picture").hidden = !picture;
  if (picture) $("dropped-picture").src = dropped.address;
  $("dropped-about").textContent = dropped.text ? "It was made by this recipe:" : "It holds no recipe.";
  $("dropped-recipe").textContent = dropped.text;
  $("dropped-load").hidden = !dropped.text;
  for (const word of ["start", "keep", "alike"]) $(`dropped-${word}`).hidden = !picture;
  $("dropped").showModal();
}

const safely = act => (...given) => Promise.resolve(act(...given)).catch(error => say(error.message));

$("dropped-load").addEventListener("click", safely(async () => {
  $("dropped").close();
  setText(dropped.text);
  location.hash = "#make";
  await check();
}));
$("dropped-start").addEventListener("click", safely(async () => { $("dropped").close(); await startFrom(dropped.file); }));
$("dropped-keep").addEventListener("click", safely(async () => {
  $("dropped").close();
  await startFrom(dropped.file);
  keepPart();
}));
$("dropped-alike").addEventListener("click", safely(async () => { $("dropped").close(); await searchBy(dropped.file); }));
$("open").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", safely(async () => { const file = $("file").files[0]; if (file) await take(file); $("file").value = ""; }));
addEventListener("dragover", event => { event.preventDefault(); document.body.classList.add("dropping"); });
addEventListener("dragleave", () => document.body.classList.remove("dropping"));
addEventListener("drop", safely(async event => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  if (event.dataTransfer.files[0]) await take(event.dataTransfer.files[0]);
}));
addEventListener("paste", safely(async event => {
  const file = [...(event.clipboardData?.files || [])][0];
  if (file) { event.preventDefault(); await take(file); }
}));

// The start of a run

async function startFrom(blob) {
  const found = await keepPicture(blob);
  await change({ init: { type: "image", image: found.path } });
  location.hash = "#make";
}

function startAddress() {
  const match = /^pictures\/([\w.]+)$/.exec(form?.picture || "");
  return match ? own(match[1]) : "";
}

function showStart() {
  const address = startAddress();
  $("start").hidden = !address;
  if (address && !$("start").src.endsWith(address)) $("start").src = address;
  $("no-start").hidden = !form.picture;
  $("no-keep").hidden = !form.keep;
}

$("choose").addEventListener("click", () => $("start-file").click());
$("start-file").addEventListener("change", safely(async () => {
  if ($("start-file").files[0]) await startFrom($("start-file").files[0]);
  $("start-file").value = "";
}));
$("no-start").addEventListener("click", () => change({ init: null }));
$("no-keep").addEventListener("click", () => change({ keep: null }));
$("keep-part").addEventListener("click", () => keepPart());

function keepPart() {
  if (!form?.picture) { say("Choose a picture to start from first."); return; }
  const picture = form.picture;
  paintMask("The part that stays as it is", async mask => change({ keep: { image: picture, where: { image: mask } } }));
}

function partOf(index) {
  const prompts = form.prompts, prompt = prompts[index];
  const put = where => change({ prompts: prompts.map((each, i) => i !== index ? each : { ...each, where }) });
  if (prompt.where) { put(null); return; }
  paintMask(`The part for “${prompt.text}”`, mask => put({ image: mask, feather: 4 }));
}

// The painter: a mask of the recipe's shape over the start picture, the last preview, or nothing.

const SHOWN = 560;
const painter = { strokes: [], ground: null, x: 0, y: 0, done: null, width: 0, height: 0, turned: false };

function sizeOfRecipe() {
  const size = Array.isArray(form?.size) ? form.size : typeof form?.size === "string" ? form.size.split("x") : [];
  const width = Number(size[0]) || 256, height = Number(size[1] ?? size[0]) || 256;
  return [width, height];
}

function paintMask(title, done) {
  const [width, height] = sizeOfRecipe(), scale = SHOWN / Math.max(width, height);
  const canvas = $("mask");
  Object.assign(painter, { strokes: [], ground: null, done, turned: false, width: Math.round(width * scale), height: Math.round(height * scale) });
  canvas.width = painter.width;
  canvas.height = painter.height;
  painter.x = canvas.width / 2;
  painter.y = canvas.height / 2;
  $("painter-title").textContent = title;
  const address = startAddress() || ($("preview").hidden ? "" : $("preview").src);
  if (address) {
    const image = new Image();
    image.onload = () => { painter.ground = image; drawMask(); };
    image.src = address;
  }
  $("painter").showModal();
  canvas.focus();
  drawMask();
}

function strokesOn(pen, color, none) {
  pen.lineCap = pen.lineJoin = "round";
  for (const stroke of painter.strokes) {
    pen.globalCompositeOperation = stroke.erase ? none : "source-over";
    pen.strokeStyle = color;
    pen.lineWidth = 2 * stroke.brush;
    pen.beginPath();
    stroke.points.forEach(([x, y], i) => i ? pen.lineTo(x, y) : pen.moveTo(x, y));
    if (stroke.points.length === 1) pen.lineTo(stroke.points[0][0] + .01, stroke.points[0][1]);
    pen.stroke();
  }
  pen.globalCompositeOperation = "source-over";
}

function layer(color) {
  const canvas = make("canvas", { width: painter.width, height: painter.height }), pen = canvas.getContext("2d");
  strokesOn(pen, color, "destination-out");
  if (painter.turned) {
    pen.globalCompositeOperation = "source-out";
    pen.fillStyle = color;
    pen.fillRect(0, 0, canvas.width, canvas.height);
  }
  return canvas;
}

function drawMask() {
  const canvas = $("mask"), pen = canvas.getContext("2d"), { ground, width, height } = painter;
  pen.clearRect(0, 0, width, height);
  if (ground) {
    const scale = Math.max(width / ground.naturalWidth, height / ground.naturalHeight);
    const w = ground.naturalWidth * scale, h = ground.naturalHeight * scale;
    pen.drawImage(ground, (width - w) / 2, (height - h) / 2, w, h);
  }
  pen.globalAlpha = .55;
  pen.drawImage(layer("#00a2ff"), 0, 0);
  pen.globalAlpha = 1;
  for (const [color, wide] of [["#000", 3], ["#fff", 1.5]]) {
    pen.strokeStyle = color;
    pen.lineWidth = wide;
    pen.beginPath();
    pen.arc(painter.x, painter.y, Number($("brush").value), 0, 7);
    pen.stroke();
  }
}

function pointOf(event) {
  const box = $("mask").getBoundingClientRect();
  return [(event.clientX - box.left) * painter.width / box.width, (event.clientY - box.top) * painter.height / box.height];
}

function beginStroke(point) {
  painter.strokes.push({ points: [point], brush: Number($("brush").value), erase: $("erase").checked });
}

$("mask").addEventListener("pointerdown", event => { $("mask").setPointerCapture(event.pointerId); beginStroke(pointOf(event)); drawMask(); });
$("mask").addEventListener("pointermove", event => {
  [painter.x, painter.y] = pointOf(event);
  if (event.buttons && painter.strokes.length) painter.strokes.at(-1).points.push(pointOf(event));
  drawMask();
});
$("mask").addEventListener("keydown", event => {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (way) {
    const far = event.shiftKey ? 48 : 12;
    painter.x = Math.min(Math.max(painter.x + way[0] * far, 0), painter.width);
    painter.y = Math.min(Math.max(painter.y + way[1] * far, 0), painter.height);
  } else if (event.key === " ") beginStroke([painter.x, painter.y]);
  else return;
  event.preventDefault();
  drawMask();
});
$("brush").addEventListener("input", drawMask);
$("mask-undo").addEventListener("click", () => { painter.strokes.pop(); drawMask(); });
$("mask-clear").addEventListener("click", () => { painter.strokes = []; painter.turned = false; drawMask(); });
$("mask-turn").addEventListener("click", () => { painter.turned = !painter.turned; drawMask(); });
$("mask-use").addEventListener("click", safely(async () => {
  if (!painter.strokes.length) { say("Nothing is painted yet."); return; }
  const whole = make("canvas", { width: painter.width, height: painter.height }), pen = whole.getContext("2d");
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, whole.width, whole.height);
  pen.drawImage(layer("#fff"), 0, 0);
  const blob = await new Promise(done => whole.toBlob(done, "image/png"));
  const { path } = await keepPicture(blob);
  $("painter").close();
  await painter.done(path);
}));
