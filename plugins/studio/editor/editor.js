// The recipe's editor: CodeMirror with what the server knows about recipes. `npm ci && npm run build` makes page/editor.js.
import { EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, hoverTooltip, keymap } from "@codemirror/view";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { autocompletion, closeCompletion, completionStatus, currentCompletions, startCompletion } from "@codemirror/autocomplete";
import { setDiagnostics } from "@codemirror/lint";
import { yaml } from "@codemirror/lang-yaml";
import { tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";

const colors = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  { tag: [tags.string, tags.content, tags.attributeValue], color: "var(--ink)" },
]);

const look = EditorView.theme({
  "&": { fontSize: ".875rem", maxHeight: "24rem", minHeight: "12rem", color: "var(--ink)", backgroundColor: "var(--ground)" },
  "&.cm-focused": { outline: "3px solid var(--accent)", outlineOffset: "-3px" },
  ".cm-scroller": { fontFamily: 'ui-monospace, "SF Mono", Menlo, Consolas, monospace', lineHeight: "1.5", minHeight: "12rem" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--ground)", color: "var(--soft)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 8%, transparent)" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground":
    { backgroundColor: "color-mix(in srgb, var(--accent) 28%, transparent)" },
  ".cm-tooltip, .cm-panels": { backgroundColor: "var(--panel)", color: "var(--ink)", border: "1px solid var(--line)", maxWidth: "34rem" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-completionDetail": { fontStyle: "normal", opacity: ".8" },
  ".cm-completionInfo, .about": { padding: ".4rem .6rem", fontFamily: "system-ui, sans-serif", fontSize: ".875rem", maxWidth: "26rem" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)" },
  ".cm-lint-line, .cm-diagnostic": { fontFamily: "system-ui, sans-serif" },
  ".wrong-line": { backgroundColor: "color-mix(in srgb, var(--bad) 14%, transparent)" },
  ".unknown-word": { textDecoration: "underline dotted var(--bad) 2px", textUnderlineOffset: "3px" },
});

const mark = StateEffect.define();
const marks = StateField.define({
  create: () => Decoration.none,
  update(value, transaction) {
    let kept = value.map(transaction.changes);
    for (const effect of transaction.effects) if (effect.is(mark)) kept = effect.value;
    return kept;
  },
  provide: field => EditorView.decorations.from(field),
});

function box(title, text) {
  const dom = document.createElement("div");
  dom.className = "about";
  const head = document.createElement("strong"), body = document.createElement("div");
  head.textContent = title;
  body.textContent = text;
  dom.append(head, body);
  return dom;
}

function completion(ask) {
  return async context => {
    const before = context.matchBefore(/[\w.%-]+/);
    if (!before && !context.explicit) return null;
    const found = await ask(context.state.doc.toString(), context.pos);
    if (!found || !found.options.length || context.aborted) return null;
    const options = found.options.map(each => ({ label: each.label, detail: each.detail, type: each.kind, apply: each.apply,
      info: each.info || undefined, boost: each.kind === "constant" ? 50 : 0 }));
    return { from: found.from, options, validFor: /^[\w.%-]*$/ };
  };
}

function hover(ask) {
  return hoverTooltip(async (view, pos) => {
    const found = await ask(view.state.doc.toString(), pos);
    return found && found.text ? { pos: found.from, end: found.to, above: true, create: () => ({ dom: box(found.title, found.text) }) } : null;
  });
}

// A shadow root, so that the editor's styles are style sheets that the page's policy allows.
window.makeEditor = function makeEditor(place, { text, changed, run, complete, about }) {
  const root = place.attachShadow({ mode: "open" });
  const home = document.createElement("div");
  root.append(home);
  let quiet = false;
  const view = new EditorView({ parent: home, root, state: EditorState.create({ doc: text, extensions: [
    Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => { run(); return true; } }])),
    basicSetup, yaml(), look, syntaxHighlighting(colors), marks, EditorView.lineWrapping,
    autocompletion({ override: [completion(complete)], activateOnTyping: true }), hover(about),
    EditorView.contentAttributes.of({ "aria-label": "Recipe", tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
    EditorView.updateListener.of(update => { if (update.docChanged && !quiet) changed(view.state.doc.toString()); }),
  ] }) });
  const line = number => view.state.doc.line(Math.min(Math.max(number, 1), view.state.doc.lines));
  return {
    view,
    get text() { return view.state.doc.toString(); },
    set text(value) {
      if (value === view.state.doc.toString()) return;
      quiet = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
      quiet = false;
    },
    focus() { view.focus(); },
    toLine(number) {
      const { from, to } = line(number);
      view.focus();
      view.dispatch({ selection: { anchor: from, head: to }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    },
    show(problems, words) {
      const found = [], length = view.state.doc.length;
      for (const each of problems) if (each.line) found.push(Decoration.line({ class: "wrong-line" }).range(line(each.line).from));
      for (const each of words) {
        if (each.to > length || each.from >= each.to) continue;
        const title = each.near.length ? `not known to the model; it knows ${each.near.join(" and ")}` : "not known to the model";
        found.push(Decoration.mark({ class: "unknown-word", attributes: { title } }).range(each.from, each.to));
      }
      view.dispatch({ effects: mark.of(Decoration.set(found, true)) });
      view.dispatch(setDiagnostics(view.state, problems.filter(each => each.line).map(each => {
        const at = line(each.line), begin = at.from + at.text.search(/\S|$/);
        return { from: begin, to: Math.max(at.to, begin), severity: "error", message: each.message };
      })));
    },
    complete() { view.focus(); startCompletion(view); },
    close() { closeCompletion(view); },
    offered() { return completionStatus(view.state) === "active" ? currentCompletions(view.state).map(each => each.label) : []; },
  };
};
