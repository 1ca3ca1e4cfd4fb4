// The editor, a chunk of its own: fetched when a file is opened. It stands in a shadow root: there CodeMirror keeps its
// styles in adopted sheets, which a strict Content-Security-Policy lets pass; in the document it would add a style element.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { HighlightStyle, StreamLanguage, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lua } from "@codemirror/legacy-modes/mode/lua";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { language } from "../text";
import { options, source } from "./complete";
import { phrases } from "./phrases";
import type { Api } from "./types";

export interface Editor {
  text(): string;
  setText(text: string): void;
  /** Marks in the margin; lines from 1, those without one are not shown. */
  mark(problems: { line?: number; text: string }[]): void;
  goTo(line: number): void;
  setReadOnly(on: boolean): void;
  focus(): void;
  close(): void;
}

export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  folder: string;
  label: string;
  readOnly: boolean;
  api: Api | null;
  onChange: (text: string) => void;
  onSave: () => void;
}

// Colours are the page's own variables: they come in from outside, and follow light and dark.
const theme = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--surface)", height: "100%", fontSize: "13px" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--muted)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 7%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--line)", color: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 28%, transparent)" },
  ".cm-selectionMatch": { backgroundColor: "color-mix(in srgb, var(--warn) 22%, transparent)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "color-mix(in srgb, var(--ok) 30%, transparent)" },
  ".cm-panels, .cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--text)", borderColor: "var(--line-strong)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-completionInfo": { maxWidth: "26rem" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--surface)", borderColor: "var(--line-strong)", color: "var(--text)" },
  ".cm-textfield": { backgroundColor: "var(--surface)", borderColor: "var(--line-strong)", color: "var(--text)" },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--reserved)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--ok)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--bad)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.standard(tags.name), tags.standard(tags.variableName)], color: "var(--accent)" },
]);

export function openEditor(given: EditorOptions): Editor {
  const root = given.parent.shadowRoot ?? given.parent.attachShadow({ mode: "open" });
  root.replaceChildren();
  const box = document.createElement("div");
  box.style.height = "100%";
  root.append(box);
  const readOnly = new Compartment();
  const locked = (on: boolean) => [EditorState.readOnly.of(on), EditorView.editable.of(true)];
  let quiet = false;
  const state = EditorState.create({
    doc: given.text,
    extensions: [
      lineNumbers(), lintGutter(), highlightActiveLine(), highlightActiveLineGutter(), history(), drawSelection(), bracketMatching(), closeBrackets(),
      indentOnInput(), indentUnit.of("  "), highlightSelectionMatches(), search({ top: true }),
      StreamLanguage.define({ ...lua, languageData: { commentTokens: { line: "--", block: { open: "--[[", close: "]]" } }, closeBrackets: { brackets: ["(", "[", "{", '"', "'"] } } }),
      syntaxHighlighting(colours), theme,
      autocompletion(given.api ? { override: [source(options(given.api, given.folder))] } : {}),
      readOnly.of(locked(given.readOnly)),
      language() === "zh" ? EditorState.phrases.of(phrases) : [],
      EditorView.contentAttributes.of({ "aria-label": given.label, tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged && !quiet) given.onChange(update.state.doc.toString());
      }),
      // Tab indents; Escape and then Tab leaves the editor (CodeMirror's own way out).
      keymap.of([
        { key: "Mod-s", preventDefault: true, run: () => { given.onSave(); return true; } },
        ...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab,
      ]),
    ],
  });
  const view = new EditorView({ state, parent: box, root });
  const lineAt = (line: number) => view.state.doc.line(Math.min(Math.max(1, line), view.state.doc.lines));
  return {
    text: () => view.state.doc.toString(),
    setText: (text) => {
      quiet = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      quiet = false;
    },
    mark: (problems) => {
      const found = problems.filter((one) => one.line !== undefined).map((one) => {
        const line = lineAt(one.line!);
        return { from: line.from, to: line.to, severity: "error" as const, message: one.text };
      });
      view.dispatch(setDiagnostics(view.state, found));
    },
    goTo: (line) => {
      view.dispatch({ selection: { anchor: lineAt(line).from }, effects: EditorView.scrollIntoView(lineAt(line).from, { y: "center" }) });
      view.focus();
    },
    setReadOnly: (on) => view.dispatch({ effects: readOnly.reconfigure(locked(on)) }),
    focus: () => view.focus(),
    close: () => view.destroy(),
  };
}
