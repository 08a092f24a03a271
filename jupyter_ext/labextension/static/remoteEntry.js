// The JupyterLab extension of suture, written by hand: a federated module in the form that webpack gives it.
//
// JupyterLab loads this file, calls `init` with the modules that its own packages share, and asks for "./extension".
// CodeMirror is taken from there, so that nothing has to be built or downloaded, and colours follow the reader's theme.
// Where a module is missing the extension says so on the console and does nothing.
//
// The tokenizer is `dsl/highlighting.py` once more; `tests/test_highlighting.py` compares the two piece by piece.
(() => {
  "use strict";

  // ---- the tokenizer ------------------------------------------------------------------------------------------------

  const KEYWORDS = new Set(
    (
      "model latent mutable domain of data from weight under do in query identify estimate compute bound independent " +
      "given adjust show after worlds search predictor over minimax canonicalise as equivalent counterfactual to cause " +
      "where assert by interval table any real if then else and or not xor noise"
    ).split(" "),
  );
  const STATEMENTS = new Set(
    (
      "model domain data query identify estimate compute bound independent adjust show search canonicalise equivalent " +
      "counterfactual fit cause assert"
    ).split(" "),
  );
  const DEFINING = new Set(["model", "domain", "data", "query", "as"]);
  const SPACES = "[ \\t\\r\\f\\u00a0\\ufeff]*";
  const WORD = "[\\p{L}\\p{Nl}\\p{No}][\\p{L}\\p{N}_]*";
  const sticky = (source) => new RegExp(source, "yu");
  const NAME = sticky(WORD);
  // In the order in which they are tried.
  const PATTERNS = [
    ["space", sticky("[ \\t\\r\\f\\u00a0\\ufeff]+")],
    ["comment", sticky("#[^\\n]*")],
    ["string", sticky('"[^"\\n]*"?')],
    ["operator", sticky("\\.\\.")],
    ["number", sticky("(?:\\p{Nd}+(?:\\.\\p{Nd}+)?|\\.\\p{Nd}+)(?:[eE][+\\-]?\\p{Nd}+)?")],
    ["operator", sticky("_\\|\\|_|<->|->|<-|:=|=>|==|!=|<=|>=|[\\-<>=+*\\/^|~→←↔⫫≤≥≠−·]")],
    ["value", sticky("_(?![\\p{L}\\p{N}_])")],
    ["punctuation", sticky("[{}()\\[\\],;:.]")],
  ];
  const MAGIC = sticky("\\s*(?:%%suture(?![\\p{L}\\p{N}_])[^\\n]*|%suture(?![\\p{L}\\p{N}_]))");
  const CALLED = sticky(SPACES + "\\(");
  const IN_A_WORLD = sticky(SPACES + "\\[");
  const OF_A_SOURCE = sticky(SPACES + "\\[" + SPACES + WORD + SPACES + "\\]" + SPACES + "\\(");
  const WORD_AFTER = sticky("[ \\t]+[\\p{L}\\p{Nl}\\p{No}]");
  const NUMBER_AFTER = sticky("[ \\t]+\\p{Nd}");
  const RUNS_ON = /^(?:[-+*/^=<>,|:~→←↔≤≥≠−·]|<?->|<-|:=|=>|[=!<>]=|and|or|xor|not|if|then|else)$/u;

  function matchAt(pattern, text, place) {
    pattern.lastIndex = place;
    const found = pattern.exec(text);
    return found === null ? null : found[0];
  }

  // What is known where the text read so far ends; the fields are those of `State` in `dsl/highlighting.py`.
  function startState() {
    return {
      brackets: [],
      statement: "",
      before: "",
      earlier: "",
      begun: false,
      equals: false,
      table: false,
      gives: false,
      outside: [],
      header: false,
    };
  }

  function copyState(state) {
    return { ...state, brackets: [...state.brackets], outside: [...state.outside] };
  }

  const innermost = (state) => state.brackets[state.brackets.length - 1];

  // The length and hue of the piece of `text` at `place`, which is no line end.
  function next(text, place, state) {
    if (!state.begun) {
      const magic = matchAt(MAGIC, text, place);
      if (magic !== null) {
        state.begun = true;
        return [magic.length, "magic"];
      }
    }
    for (const [hue, pattern] of PATTERNS) {
      const found = matchAt(pattern, text, place);
      if (found === null) continue;
      if (hue !== "space" && hue !== "comment") note(found, state);
      return [found.length, hue];
    }
    const name = matchAt(NAME, text, place);
    if (name !== null) {
      const hue = nameHue(name, text, place + name.length, state);
      note(name, state);
      return [name.length, hue];
    }
    note("", state);
    return [String.fromCodePoint(text.codePointAt(place)).length, "error"];
  }

  function nameHue(name, text, end, state) {
    if (KEYWORDS.has(name) || soft(name, text, end, state)) return "keyword";
    if (matchAt(CALLED, text, end) !== null) return "function";
    if ((name === "P" || name === "E") && matchAt(OF_A_SOURCE, text, end) !== null) return "function";
    if (DEFINING.has(state.before) && !(state.before === "domain" && state.brackets.length)) return "definition";
    return labelled(text, end, state) ? "value" : "variable";
  }

  // Whether a word of `fit`, a name elsewhere, is a keyword here.
  function soft(name, text, end, state) {
    if (state.brackets.length) return false;
    if (name === "fit") return !state.before && matchAt(WORD_AFTER, text, end) !== null;
    if (state.statement !== "fit") return false;
    if (name === "design") return matchAt(WORD_AFTER, text, end) !== null;
    return name === "k" && matchAt(NUMBER_AFTER, text, end) !== null;
  }

  // Whether a name here is one of a variable's values.
  function labelled(text, end, state) {
    const inside = innermost(state);
    if (inside === "labels" || inside === "rows") return !state.gives;
    if (inside === "data") return !state.header;
    return compared(inside, state) && matchAt(IN_A_WORLD, text, end) === null;
  }

  function compared(inside, state) {
    if (state.before === "=") {
      const own = inside === undefined && state.statement === "query" && !state.equals;
      return !own && state.earlier !== "domain";
    }
    if (["==", "!=", "≠"].includes(state.before)) return inside !== undefined;
    return inside === "(" && state.gives && [":", "->", "→"].includes(state.before);
  }

  // A line end: where neither a bracket nor an operator runs over it, a statement, item or row ends here.
  function newline(state) {
    if (RUNS_ON.test(state.before)) return;
    if ([undefined, "block", "rows", "data"].includes(innermost(state))) ended(state);
  }

  function ended(state) {
    if (innermost(state) === "data" && !["", "{"].includes(state.before)) state.header = false;
    state.before = state.earlier = "";
    state.gives = state.table = false;
  }

  // Carry on past a piece that is neither space nor comment.
  function note(piece, state) {
    state.begun = true;
    const inside = innermost(state);
    if (inside === undefined) {
      if (STATEMENTS.has(piece) && (piece !== "fit" || !state.before)) {
        state.statement = piece;
        state.equals = false;
      } else if (piece && state.before === "=") {
        state.equals = true;
      }
    }
    if (piece === ";") {
      ended(state);
      return;
    }
    if (["(", "[", "{"].includes(piece)) {
      state.brackets.push(piece === "{" ? brace(state) : piece);
      state.outside.push(state.gives);
      state.gives = false;
      state.table = state.table && piece !== "{";
    } else if ([")", "]", "}"].includes(piece) && inside !== undefined) {
      state.brackets.pop();
      state.gives = state.outside.pop();
    } else if (piece === "table") {
      state.table = true;
    } else if (piece === "=>" || piece === ":") {
      state.gives = ["(", "labels", "rows"].includes(inside);
    } else if (piece === "," && (inside === "(" || inside === "labels")) {
      state.gives = false;
    }
    state.earlier = state.before;
    state.before = piece;
  }

  function brace(state) {
    if (state.table) return "rows";
    if (state.before === ":" || state.before === "~") return "labels";
    if (state.brackets.length) return "names";
    if (state.statement === "data") {
      state.header = true;
      return "data";
    }
    return state.statement === "model" || state.statement === "domain" ? "block" : "names";
  }

  const tokenizer = { KEYWORDS, STATEMENTS, startState, copyState, next, newline };

  // ---- the language for CodeMirror ----------------------------------------------------------------------------------

  // Names of CodeMirror's highlighting tags; what JupyterLab's theme does not know of is taken from the parent tag.
  const TAGS = {
    magic: "meta",
    comment: "comment",
    string: "string",
    number: "number",
    keyword: "keyword",
    function: "variableName.standard",
    definition: "variableName.definition",
    variable: "variableName",
    value: "atom",
    operator: "operator",
    punctuation: "punctuation",
    error: "invalid",
  };

  const parser = {
    name: "suture",
    startState,
    copyState,
    token(stream, state) {
      if (stream.sol()) newline(state);
      const [length, hue] = next(stream.string, stream.pos, state);
      stream.pos += length;
      return TAGS[hue] ?? null;
    },
    blankLine: newline,
    languageData: { commentTokens: { line: "#" }, closeBrackets: { brackets: ["(", "[", "{", '"'] } },
  };

  // A cell is suture's where its first line that is not blank starts with the cell magic.
  const IS_SUTURE = /^\s*%%suture(?![\p{L}\p{N}_])/u;
  const HEAD = 400;

  const isSuture = (state) => IS_SUTURE.test(state.doc.sliceString(0, HEAD));

  const ICON =
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 22 22" fill="none" stroke-width="1.7" ' +
    'stroke-linecap="round" stroke-linejoin="round"><g class="jp-icon3" stroke="#616161">' +
    '<path d="M11 20v-3M11 11V8M11 8C6 8 5.5 6 5.5 3M11 8C16 8 16.5 6 16.5 3"/>' +
    '<rect x="6.5" y="11" width="9" height="6" rx="1.5"/></g>' +
    '<circle class="jp-icon3" fill="#616161" stroke="none" cx="11" cy="8" r="2"/></svg>';

  function plugins(language, state, codemirror, ui) {
    const suture = language.StreamLanguage.define(parser);
    const plain = language.StreamLanguage.define({
      token(stream) {
        stream.skipToEnd();
        return null;
      },
    });

    const colours = {
      id: "suture:highlighting",
      description: "Colours suture programs: cells that start with %%suture, .suture files, Markdown fences.",
      autoStart: true,
      requires: [codemirror.IEditorLanguageRegistry, codemirror.IEditorExtensionRegistry],
      activate(app, languages, extensions) {
        languages.addLanguage({
          name: "suture",
          displayName: "suture",
          mime: "text/x-suture",
          extensions: ["suture"],
          support: new language.LanguageSupport(suture),
        });
        // CodeMirror uses the first language it is given, so this one goes before the kernel's where it applies.  It
        // takes for granted that there is one, so an editor that has none gets a language without colours.
        const first = state.Prec.highest(language.language.computeN(["doc"], (s) => (isSuture(s) ? [suture] : [])));
        const last = state.Prec.lowest(language.language.of(plain));
        extensions.addExtension({
          name: "suture:cell-magic",
          factory: () => codemirror.EditorExtensionRegistry.createImmutableExtension([first, last]),
        });
      },
    };

    const files = {
      id: "suture:file-type",
      description: "Opens .suture files as text, with an icon.",
      autoStart: true,
      activate(app) {
        app.docRegistry.addFileType({
          name: "suture",
          displayName: "suture program",
          extensions: [".suture"],
          mimeTypes: ["text/x-suture"],
          contentType: "file",
          fileFormat: "text",
          icon: new ui.LabIcon({ name: "suture:program", svgstr: ICON }),
        });
      },
    };

    return [colours, files];
  }

  // ---- the container ------------------------------------------------------------------------------------------------

  let scope = null;

  // A shared module: the version already in use, else the newest; there is one of each in JupyterLab itself.
  async function shared(name) {
    const versions = Object.entries(scope?.[name] ?? {});
    if (!versions.length) throw new Error(`JupyterLab shares no module ${name}`);
    const numbers = (version) => version.split(/[.+-]/).map((part) => Number.parseInt(part, 10) || 0);
    versions.sort(([a], [b]) => {
      const [left, right] = [numbers(a), numbers(b)];
      const place = left.findIndex((part, index) => part !== right[index]);
      return place < 0 ? 0 : (right[place] ?? 0) - left[place];
    });
    const [, entry] = versions.find(([, candidate]) => candidate.loaded) ?? versions[0];
    return (await entry.get())();
  }

  async function extension() {
    try {
      const names = ["@codemirror/language", "@codemirror/state", "@jupyterlab/codemirror", "@jupyterlab/ui-components"];
      return { __esModule: true, default: plugins(...(await Promise.all(names.map(shared)))) };
    } catch (error) {
      console.warn("suture: no highlighting in this JupyterLab,", error);
      return { __esModule: true, default: [] };
    }
  }

  const container = {
    init(shareScope) {
      scope = shareScope;
    },
    async get(name) {
      if (name === "./extension") {
        const found = await extension();
        return () => found;
      }
      if (name === "./tokenizer") return () => tokenizer;
      throw new Error(`Module "${name}" does not exist in container.`);
    },
  };

  globalThis._JUPYTERLAB = globalThis._JUPYTERLAB ?? {};
  globalThis._JUPYTERLAB["suture"] = container;
})();
