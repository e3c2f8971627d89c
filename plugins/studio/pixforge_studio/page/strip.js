"use strict";
// The film strip: scenes on a time line, and numbers with keyframes as curves. Both are views of the text.

const SVG = "http://www.w3.org/2000/svg", CURVE = { width: 560, height: 150, left: 44, right: 12, top: 10, bottom: 22 };
let strip = { scenes: [], curves: [], flat: [] }, dragging = false;

async function showStrip() {
  if (!$("film").open || dragging) return;
  const text = editor.text;
  const found = await ask("/recipes/strip", { text });
  if (text !== editor.text || dragging) return;
  strip = found;
  CURVE.width = Math.max(260, $("curves").clientWidth);
  const focused = document.activeElement?.dataset?.spot;
  $("strip").replaceChildren(...strip.scenes.map(scene));
  $("curves").replaceChildren(...strip.curves.map(curve));
  const options = strip.flat.map((each, i) => make("option", { value: i, textContent: pathOf(each.path) }));
  const kept = $("flat").selectedOptions[0]?.textContent;
  $("flat").replaceChildren(...options);
  $("flat").closest("span").hidden = !options.length;
  const again = options.find(each => each.textContent === kept);
  if (again) $("flat").value = again.value;
  if (focused) document.querySelector(`[data-spot="${CSS.escape(focused)}"]`)?.focus();
}

const pathOf = place => place.map(each => typeof each === "number" ? each + 1 : each).join(" ");

function putAt(place, value) {
  changing = changing.then(async () => {
    const mine = ++asked;
    try {
      const found = await ask("/recipes/put", { text: editor.text, path: place, value });
      setText(found.text);
      if (mine === asked) seen(found);
    } catch (error) { say(error.message); }
  });
  return changing;
}

// Scenes

function setSeconds(index, seconds) {
  const each = strip.scenes[index], value = Math.max(.25, Math.round(seconds * 4) / 4);
  return each.short ? putAt(["scenes", index], { seconds: value, prompts: [each.prompt] }) : putAt(["scenes", index, "seconds"], value);
}

function scene(each, index) {
  const box = make("div", { className: "scene", title: each.text }), seconds = make("b", { textContent: `${each.seconds} s` });
  box.style.flex = `${each.seconds} 1 0`;
  const fade = make("div", { className: "fade" });
  fade.style.width = `${Math.min(1, each.fade / each.seconds) * 100}%`;
  const end = make("button", { type: "button", className: "end" });
  end.dataset.spot = `scene ${index}`;
  end.setAttribute("role", "slider");
  for (const [name, value] of Object.entries({ label: `End of scene ${index + 1}: ${each.text}`, valuenow: each.seconds, valuemin: .25, valuemax: 600, valuetext: `${each.seconds} seconds` })) end.setAttribute(`aria-${name}`, value);
  end.addEventListener("keydown", event => {
    const way = { ArrowLeft: -.25, ArrowRight: .25, PageUp: 1, PageDown: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    each.seconds = Math.max(.25, each.seconds + way);
    setSeconds(index, each.seconds);
  });
  end.addEventListener("pointerdown", event => {
    event.preventDefault();
    end.setPointerCapture(event.pointerId);
    dragging = true;
    const total = strip.scenes.reduce((sum, one) => sum + one.seconds, 0), scale = total / $("strip").clientWidth, from = event.clientX, before = each.seconds;
    const move = moved => {
      each.seconds = Math.max(.25, Math.round((before + (moved.clientX - from) * scale) * 4) / 4);
      box.style.flex = `${each.seconds} 1 0`;
      seconds.textContent = `${each.seconds} s`;
    };
    end.addEventListener("pointermove", move);
    end.addEventListener("pointerup", () => { end.removeEventListener("pointermove", move); dragging = false; setSeconds(index, each.seconds); }, { once: true });
  });
  box.append(seconds, ` ${each.text}`, fade, end);
  return box;
}

$("add-scene").addEventListener("click", safely(async () => {
  const text = strip.scenes.at(-1)?.prompt || form?.prompts?.[0]?.text || "a red heart", value = { seconds: 4, fade: 1, prompts: [text] };
  if (strip.scenes.length) { await putAt(["scenes", strip.scenes.length], value); return; }
  if (!/^film:/m.test(editor.text)) await putAt(["film"], { fps: 12 });
  await putAt(["scenes"], [value]);
}));

// Curves

function put(each) {
  const value = Object.fromEntries(each.keys.map(key => [`${+key.at.toFixed(2)}${key.percent ? "%" : ""}`, +key.value.toPrecision(4)]));
  return putAt(each.path, each.ease === "linear" ? value : { ...value, ease: each.ease });
}

function shape(each) {
  const steps = Number(form?.steps) || 0;
  const far = Math.max(1, ...each.keys.filter(key => !key.percent).map(key => key.at), steps);
  const values = each.keys.map(key => key.value), low = Math.min(0, ...values), high = Math.max(1, ...values), room = (high - low) * .1;
  const wide = CURVE.width - CURVE.left - CURVE.right, tall = CURVE.height - CURVE.top - CURVE.bottom;
  return { far, low: low - room, high: high + room,
    x: key => CURVE.left + wide * (key.percent ? key.at / 100 : key.at / far),
    y: key => CURVE.top + tall * (1 - (key.value - low + room) / (high - low + 2 * room)),
    at: (x, percent) => {  // a step is a whole number
      const share = Math.min(Math.max((x - CURVE.left) / wide, 0), 1);
      return percent ? share * 100 : Math.round(share * far);
    },
    value: y => low - room + (1 - (y - CURVE.top) / tall) * (high - low + 2 * room) };
}

function line(each, form) {
  const keys = [...each.keys].sort((a, b) => form.x(a) - form.x(b)), parts = [`M ${CURVE.left} ${form.y(keys[0])} L ${form.x(keys[0])} ${form.y(keys[0])}`];
  for (let i = 1; i < keys.length; i++) {
    const [x0, y0, x1, y1] = [form.x(keys[i - 1]), form.y(keys[i - 1]), form.x(keys[i]), form.y(keys[i])];
    if (each.ease === "step") parts.push(`L ${x1} ${y0} L ${x1} ${y1}`);
    else if (each.ease === "cosine") for (let k = 1; k <= 16; k++) parts.push(`L ${x0 + (x1 - x0) * k / 16} ${y0 + (y1 - y0) * (1 - Math.cos(Math.PI * k / 16)) / 2}`);
    else parts.push(`L ${x1} ${y1}`);
  }
  return `${parts.join(" ")} L ${CURVE.width - CURVE.right} ${form.y(keys.at(-1))}`;
}

function draw(name, properties, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(properties)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

const spotOf = (svg, event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());

function curve(each, number) {
  const name = pathOf(each.path), svg = draw("svg", { viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, role: "group", "aria-label": `Curve of ${name}` });
  const ease = make("select", {}, ...["linear", "cosine", "step"].map(word => make("option", { value: word, textContent: word })));
  ease.value = each.ease;
  ease.setAttribute("aria-label", `Between the keyframes of ${name}`);
  ease.addEventListener("change", () => { each.ease = ease.value; put(each); });
  const flat = button("Take away", () => putAt(each.path, each.keys[0].value), `Take away the keyframes of ${name}`);
  const paintCurve = fresh => {
    const to = shape(each);
    svg.replaceChildren(draw("path", { d: line(each, to) }), draw("text", { x: 4, y: CURVE.top + 8 }, to.high.toPrecision(2)), draw("text", { x: 4, y: CURVE.height - CURVE.bottom }, to.low.toPrecision(2)),
      draw("text", { x: CURVE.left, y: CURVE.height - 6 }, "0"), draw("text", { x: CURVE.width - CURVE.right, y: CURVE.height - 6, "text-anchor": "end" }, each.keys.every(key => key.percent) ? "100%" : `step ${to.far}`),
      ...each.keys.map((key, i) => point(each, number, key, i, to, fresh)));
  };
  const point = (each, number, key, i, to) => {
    const dot = draw("circle", { cx: to.x(key), cy: to.y(key), r: 7, tabindex: 0, role: "slider", "data-spot": `curve ${number} ${i}`, "aria-label": `Keyframe ${i + 1} of ${name}`,
      "aria-valuenow": key.value, "aria-valuetext": `${+key.value.toPrecision(4)} at ${+key.at.toFixed(2)}${key.percent ? "%" : ""}` });
    dot.addEventListener("keydown", event => movedByKey(event, each, key, to));
    dot.addEventListener("pointerdown", event => {
      event.preventDefault();
      dragging = true;
      const move = moved => {
        const { x, y } = spotOf(svg, moved);
        key.at = to.at(x, key.percent);
        key.value = to.value(y);
        dot.setAttribute("cx", to.x(key));
        dot.setAttribute("cy", to.y(key));
        svg.querySelector("path").setAttribute("d", line(each, to));
      };
      addEventListener("pointermove", move);
      addEventListener("pointerup", () => { removeEventListener("pointermove", move); dragging = false; put(each); }, { once: true });
    });
    return dot;
  };
  svg.addEventListener("dblclick", event => {
    const to = shape(each), percent = each.keys[0].percent, { x, y } = spotOf(svg, event);
    each.keys.push({ at: to.at(x, percent), percent, value: to.value(y) });
    put(each);
  });
  paintCurve();
  return make("figure", { className: "curve" }, make("figcaption", {}, name, make("span", { className: "row" }, ease, flat)), svg);
}

function movedByKey(event, each, key, to) {
  const small = (to.high - to.low) / 50, wide = key.percent ? 1 : Math.max(1, Math.round(to.far / 100));
  const way = { ArrowUp: [0, small], ArrowDown: [0, -small], ArrowLeft: [-wide, 0], ArrowRight: [wide, 0] }[event.key];
  if (way) {
    key.at = Math.min(Math.max(key.at + way[0], 0), key.percent ? 100 : 1e6);
    key.value += way[1];
  } else if (event.key === "Delete" && each.keys.length > 1) each.keys.splice(each.keys.indexOf(key), 1);
  else if (event.key === "+") each.keys.push({ ...key, at: Math.min(key.at + 10 * wide, key.percent ? 100 : 1e6) });
  else return;
  event.preventDefault();
  put(each);
}

$("add-curve").addEventListener("click", safely(async () => {
  const each = strip.flat[$("flat").value];
  if (each) await putAt(each.path, { "0%": each.value, "100%": each.value });
}));
addEventListener("resize", () => showStrip().catch(error => say(error.message)));
$("film").addEventListener("toggle", () => showStrip().catch(error => say(error.message)));
