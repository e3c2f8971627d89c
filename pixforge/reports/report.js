"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const state = { filter: "", sort: "score", down: true, table: false };
  const SVG = "http://www.w3.org/2000/svg";

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (value !== undefined && value !== null && value !== false) element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  function line(points, width, height) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    const steps = points.map((point) => point[0]);
    const values = points.map((point) => point[1]);
    const first = Math.min(...steps), low = Math.min(...values);
    const wide = Math.max(...steps) - first || 1, high = Math.max(...values) - low || 1;
    const path = document.createElementNS(SVG, "polyline");
    path.setAttribute("points", points.map(([step, value]) =>
      `${((step - first) / wide * width).toFixed(1)},${(2 + (1 - (value - low) / high) * (height - 4)).toFixed(1)}`).join(" "));
    svg.append(path);
    return svg;
  }

  const number = (value, digits = 4) => value === undefined ? "" : String(Number(Number(value).toPrecision(digits)));
  function seconds(value) {
    if (value === undefined) return "";
    const short = number(value, 3), whole = Math.round(value);
    return Number(short) < 60 ? `${short} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }

  const columns = [
    { key: "name", title: "run", get: (run) => run.name },
    { key: "score", title: "score", numeric: true, get: (run) => run.score, show: (run) => run.score === undefined ? "" : run.score.toFixed(3) },
    ...data.settings.map((name) => ({ key: `setting ${name}`, title: name, get: (run) => setting(run, name), show: (run) => (run.settings || {})[name] || "" })),
    { key: "status", title: "status", get: (run) => run.status },
    { key: "steps", title: "steps", numeric: true, get: (run) => run.steps },
    { key: "seconds", title: "time", numeric: true, get: (run) => run.seconds, show: (run) => seconds(run.seconds) },
    ...data.terms.map((name) => ({ key: `term ${name}`, title: name, numeric: true, get: (run) => (run.final || {})[name], show: (run) => number((run.final || {})[name]) })),
  ];

  function setting(run, name) {
    const text = (run.settings || {})[name];
    return text !== undefined && text.trim() !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
  }

  // A word is looked for everywhere; `name=value`, `name<3` and `name>3` compare a column.
  function matcher(text) {
    const tests = (text.match(/"[^"]*"|\S+/g) || []).map((word) => {
      const found = word.match(/^([^<>=]+)(<=|>=|=|<|>)(.+)$/);
      const column = found && columns.find((each) => each.title === found[1] || each.title.endsWith(`.${found[1]}`));
      if (!column) {
        const wanted = word.replace(/"/g, "").toLowerCase();
        return (run) => words(run).includes(wanted);
      }
      const [, , sign, wanted] = found;
      return (run) => {
        const value = column.get(run);
        if (value === undefined) return false;
        if (sign === "=") return String(value).toLowerCase() === wanted.toLowerCase() || Number(value) === Number(wanted);
        const [a, b] = [Number(value), Number(wanted)];
        return sign === "<" ? a < b : sign === ">" ? a > b : sign === "<=" ? a <= b : a >= b;
      };
    });
    return (run) => tests.every((test) => test(run));
  }

  function words(run) {
    run.words ??= [run.name, run.status, ...Object.entries(run.settings || {}).flat(), ...(run.differs || [])].join(" ").toLowerCase();
    return run.words;
  }

  function chosen() {
    const column = columns.find((each) => each.key === state.sort) || columns[0];
    const rank = (run) => column.get(run);
    return data.runs.filter(matcher(state.filter)).sort((one, other) => {
      const [a, b] = [rank(one), rank(other)];
      if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
      const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
      return state.down ? -order : order;
    });
  }

  function card(run) {
    const curve = (run.curves || {}).total || Object.values(run.curves || {})[0];
    const drawn = curve && curve.length > 1 ? line(curve, 200, 34) : null;
    if (drawn) drawn.setAttribute("class", "curve");
    return make("button", { class: "card", type: "button", onclick: () => open(run) },
      make("span", { class: "picture" }, run.thumb ? make("img", { src: run.thumb, alt: `picture of run ${run.name}`, loading: "lazy", decoding: "async" }) : make("span", { class: "quiet" }, "no picture")),
      make("span", { class: "head" }, make("span", {}, run.name), make("span", {}, run.score === undefined ? "" : run.score.toFixed(3))),
      ...data.settings.filter((name) => (run.settings || {})[name] !== undefined).map((name) => make("div", { class: "what" }, make("span", { class: "quiet" }, `${name} `), run.settings[name])),
      run.status === "finished" ? null : make("div", { class: run.status === "failed" ? "what failed" : "what quiet" }, run.status),
      drawn);
  }

  function table(runs) {
    const head = make("tr", {}, make("th", {}, ""), ...columns.map((column) => make("th", { class: column.numeric && "number", "aria-sort": state.sort === column.key ? (state.down ? "descending" : "ascending") : "none" },
      make("button", { type: "button", onclick: () => sortBy(column.key) }, column.title + (state.sort === column.key ? (state.down ? " ▾" : " ▴") : "")))), make("th", {}, "links"));
    const body = runs.map((run) => make("tr", {},
      make("td", {}, run.thumb ? make("img", { src: run.thumb, alt: "", loading: "lazy", onclick: () => open(run) }) : ""),
      ...columns.map((column) => {
        const value = column.show ? column.show(run) : column.get(run);
        return make("td", { class: column.numeric && "number" }, value === undefined ? "" : String(value));
      }),
      make("td", {}, ...links(run))));
    return make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
  }

  function links(run) {
    const found = [];
    const add = (address, text) => address && found.push(make("a", { href: address }, text), " ");
    add(run.recipe, "recipe");
    (run.pictures || []).slice(0, 4).forEach((each, index) => add(each, index ? `picture ${index + 1}` : "picture"));
    (run.videos || []).forEach((each) => add(each, decodeURIComponent(each.split("/").pop())));
    add(run.folder, "folder");
    return found;
  }

  function sortBy(key) {
    state.down = state.sort === key ? !state.down : key === "score";
    state.sort = key;
    show();
  }

  function list(title, items) {
    return items && items.length ? [make("h2", {}, title), make("ul", {}, ...items.map((item) => make("li", {}, item)))] : [];
  }

  function open(run) {
    const shown = run.pictures ? make("a", { href: run.pictures[0] }, picture(run)) : picture(run);
    const video = (run.videos || []).find((each) => /\.(mp4|webm)$/.test(each));
    const charts = Object.entries(run.curves || {}).filter(([, points]) => points.length > 1).map(([name, points]) =>
      make("figure", { class: "chart" }, line(points, 220, 80), make("figcaption", {}, `${name}: ${number(points[0][1])} → ${number(points.at(-1)[1])}`)));
    const facts = [
      run.score !== undefined && `held-out score ${run.score.toFixed(4)}`,
      `${run.status}${run.steps === undefined ? "" : `, ${run.steps} of ${run.of} steps`}`,
      run.error && `error: ${run.error}`,
      run.seconds !== undefined && `${seconds(run.seconds)} in all: ${Object.entries(run.timings || {}).map(([name, value]) => `${name.replace("_", " ")} ${seconds(value)}`).join(", ")}`,
      run.seed !== undefined && `seed ${run.seed}`,
    ].filter(Boolean);
    dialog.replaceChildren(
      make("div", { class: "bar" }, make("h1", {}, run.name), make("span", {}, ...links(run)), make("button", { type: "button", onclick: () => dialog.close() }, "close")),
      make("div", { class: "detail" },
        make("div", {}, shown, video ? make("video", { src: video, controls: "", preload: "none" }) : null),
        make("div", {},
          make("ul", {}, ...facts.map((fact) => make("li", {}, fact))),
          ...list("Settings", Object.entries(run.settings || {}).map(([name, value]) => `${name}: ${value}`)),
          ...list("Differs from the default recipe", run.differs),
          ...list("Where it comes from", run.lineage),
          ...list("Made with", run.madeWith && [run.madeWith.join(", ")]),
          ...list("Other pictures", (run.others || []).map((each) => make("a", { href: each }, decodeURIComponent(each.split("/").pop())))))),
      ...(run.cutouts ? [make("h2", {}, "What the perceptors saw in the last step"), make("img", { src: run.cutouts, class: "cutouts", alt: `cutouts of run ${run.name}` })] : []),
      ...(charts.length ? [make("h2", {}, "Curves"), make("div", {}, ...charts)] : []));
    dialog.showModal();
  }

  // The large picture, where it is still there; else the small one.
  function picture(run) {
    const small = run.thumb || "";
    const image = make("img", { src: run.pictures ? run.pictures[0] : small, alt: `picture of run ${run.name}` });
    image.addEventListener("error", () => { if (image.src !== small && small) image.src = small; }, { once: true });
    return image;
  }

  const dialog = make("dialog", {});
  const main = make("main", {});
  const count = make("span", { class: "quiet" });
  const sorter = make("select", { "aria-label": "sort by", onchange: () => { state.sort = sorter.value; state.down = state.sort === "score"; show(); } },
    ...columns.map((column) => make("option", { value: column.key }, `by ${column.title}`)));
  const turn = make("button", { type: "button", title: "turn the order round", onclick: () => { state.down = !state.down; show(); } });
  const pictures = make("button", { type: "button", onclick: () => { state.table = false; show(); } }, "pictures");
  const rows = make("button", { type: "button", onclick: () => { state.table = true; show(); } }, "table");
  const filter = make("input", { type: "search", placeholder: "filter: a word, score>0.3, status=finished", "aria-label": "filter", oninput: () => { state.filter = filter.value; show(); } });

  function show() {
    const runs = chosen();
    sorter.value = state.sort;
    turn.textContent = state.down ? "↓" : "↑";
    pictures.setAttribute("aria-pressed", !state.table);
    rows.setAttribute("aria-pressed", state.table);
    count.textContent = runs.length === data.runs.length ? `${runs.length} runs` : `${runs.length} of ${data.runs.length} runs`;
    main.replaceChildren(state.table ? table(runs) : make("div", { class: "cards" }, ...runs.map(card)));
  }

  const done = data.runs.filter((run) => run.status === "finished").length;
  const failed = data.runs.filter((run) => run.status === "failed").length;
  const spent = data.runs.reduce((sum, run) => sum + (run.seconds || 0), 0);
  document.body.append(
    make("h1", {}, data.title),
    make("p", { class: "quiet" }, `${data.runs.length} runs, ${done} finished${failed ? `, ${failed} failed` : ""}; ${seconds(spent)} in all; pixforge ${data.version}`),
    data.sheets.length ? make("p", {}, "Contact sheets: ", ...data.sheets.flatMap((each, index) => [make("a", { href: each }, String(index + 1)), " "])) : "",
    make("div", { class: "bar" }, filter, sorter, turn, pictures, rows, count),
    main, dialog);
  show();
})();
