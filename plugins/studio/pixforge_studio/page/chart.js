"use strict";
// The curve of a run's losses: each term in its own color, the total thick.
const COLORS = { light: ["#2456a6", "#b3541e", "#1b7a45", "#8a2f8f", "#8a6d00", "#006f7a", "#b02a55", "#555c66"],
  dark: ["#8ab4f8", "#f3a06b", "#7ed6a0", "#dd9be2", "#e0c35a", "#6fd2dc", "#f48fb1", "#b7bec8"] };

function termColor(index) {
  return COLORS[matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"][index % 8];
}

function termsOf(points) {
  const names = new Set();
  for (const [, losses] of points) for (const name of Object.keys(losses)) names.add(name);
  names.delete("total");
  return ["total", ...names];
}

function drawCurve(canvas, points, steps) {
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width) return;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas), left = 46, bottom = 20, top = 8;
  let low = 0, high = 0;
  for (const [, losses] of points) for (const value of Object.values(losses)) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (high === low) high = low + 1;
  const x = step => left + (width - left - 8) * step / Math.max(steps, 1);
  const y = value => top + (height - top - bottom) * (1 - (value - low) / (high - low));
  pen.font = "11px system-ui, sans-serif";
  pen.fillStyle = style.getPropertyValue("--soft");
  pen.strokeStyle = style.getPropertyValue("--line");
  pen.lineWidth = 1;
  pen.textAlign = "right";
  for (let i = 0; i <= 4; i++) {
    const value = low + (high - low) * i / 4;
    pen.beginPath(); pen.moveTo(left, y(value)); pen.lineTo(width - 8, y(value)); pen.stroke();
    pen.fillText(value.toPrecision(2), left - 6, y(value) + 4);
  }
  pen.fillText(String(steps), width - 8, height - 5);
  pen.textAlign = "left";
  pen.fillText("step 0", left, height - 5);
  termsOf(points).forEach((name, index) => {
    pen.strokeStyle = termColor(index);
    pen.lineWidth = name === "total" ? 2.2 : 1.3;
    pen.beginPath();
    let begun = false;
    for (const [step, losses] of points) {
      if (!(name in losses)) continue;
      if (begun) pen.lineTo(x(step), y(losses[name])); else pen.moveTo(x(step), y(losses[name]));
      begun = true;
    }
    pen.stroke();
  });
}
