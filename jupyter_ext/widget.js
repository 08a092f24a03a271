// The browser's half of `suture.jupyter_ext.explore`: draws a view, turns clicks into states, asks the kernel.
//
// Click on a box, or press Enter on it: observed, then set, then free again.  One request is under way at a time; while
// it is, only the newest state is kept, so a slider never runs ahead of the kernel and no stale answer is drawn.

const SLOW = 250;
const REST = 700;
const SILENT = 20000;
const ROLES = { asked: "asked", given: "observed", do: "set" };
const SIGNS = { identified: "✓", not_identified: "✗", undecided: "?", value: "=" };

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const copied = (state) => JSON.parse(JSON.stringify(state));

// ---- asking: shared by all views of one widget ------------------------------------------------------------------------

const askers = new Map();

export class Asker {
  constructor(model) {
    this.model = model;
    this.sent = model.get("view").request;
    this.waiting = false;
    this.wanted = null;
    this.listeners = new Set();
  }

  ask(state) {
    this.wanted = state;
    if (!this.waiting) this.send();
  }

  send() {
    const state = this.wanted;
    this.wanted = null;
    this.waiting = true;
    this.sent += 1;
    this.model.send({ kind: "ask", request: this.sent, state });
    clearTimeout(this.resting);
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.tell({ silent: true }), SILENT);
    this.tell({});
  }

  // A view has come: whether it is the one that was asked for.
  arrived() {
    if (this.model.get("view").request !== this.sent) return;
    clearTimeout(this.silence);
    this.waiting = false;
    if (this.wanted !== null) {
      this.send();
      return;
    }
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.model.send({ kind: "rest" }), REST);
    this.tell({ fresh: true });
  }

  tell(news) {
    for (const listener of this.listeners) listener(news);
  }
}

// ---- drawing ----------------------------------------------------------------------------------------------------------

class View {
  constructor(model, root) {
    this.model = model;
    this.about = model.get("about");
    const key = this.about.key;
    if (!askers.has(key)) askers.set(key, new Asker(model));
    this.asker = askers.get(key);
    this.state = copied(model.get("view").state);
    this.labels = new Map(this.about.variables.map((variable) => [variable.name, variable.labels]));
    this.root = element("section", { class: "suture-explorer", "aria-label": `Explore model ${this.about.model}` });
    // While the widget lives, the still beside it would say everything twice.
    this.root.append(element("style", {}, `.suture-still[data-key="${key}"]{display:none}`));
    this.question = element("div", { class: "su-question" });
    this.picture = element("div", { class: "su-picture" });
    this.chips = element("div", { class: "su-chips", role: "group", "aria-label": "The question's variables" });
    this.sliders = element("div", { role: "group", "aria-label": "Parameters" });
    this.answer = element("div", { class: "su-answer", role: "status", "aria-live": "polite" });
    const hint = element("p", { class: "su-hint" }, "Click a box, or press Enter on it: observe, set, free again.");
    this.root.append(this.picture, hint, this.chips, this.sliders, this.question, this.answer);
    root.append(this.root);
    this.drawSliders();
    this.draw();
  }

  heard({ fresh, silent }) {
    clearTimeout(this.slow);
    if (fresh) {
      this.root.removeAttribute("aria-busy");
      this.state = copied(this.model.get("view").state);
      this.draw();
    } else if (silent) {
      this.root.removeAttribute("aria-busy");
      this.answer.replaceChildren(
        element("p", { class: "su-error" }, "No answer from the kernel so far. If it was stopped, run the cell again."),
      );
    } else {
      this.slow = setTimeout(() => this.root.setAttribute("aria-busy", "true"), SLOW);
    }
  }

  // -- changing the question

  change(edit) {
    edit(this.state);
    this.asker.ask(copied(this.state));
  }

  role(name) {
    return ["asked", "given", "do"].find((role) => name in this.state[role]) ?? "free";
  }

  cycle(name) {
    const role = this.role(name);
    if (role === "asked") {
      this.chips.querySelector("select")?.focus();
      return;
    }
    this.focused = name;
    this.change((state) => {
      const value = state[role]?.[name];
      delete state.given[name];
      delete state.do[name];
      if (role === "free") state.given[name] = this.first(name);
      if (role === "given") state.do[name] = value;
    });
    this.drawChips();
  }

  // The value a variable is first given: its last label, as in `{no, yes}`; a number where it is real.
  first(name) {
    const labels = this.labels.get(name);
    if (labels === null) return null;
    return labels.length ? labels[labels.length - 1] : "0";
  }

  ask(old, name) {
    this.change((state) => {
      const value = name === old ? state.asked[old] : this.labels.get(name)?.length === 0 ? null : this.first(name);
      delete state.asked[old];
      delete state.given[name];
      delete state.do[name];
      state.asked[name] = value;
    });
  }

  // -- the parts

  draw() {
    const view = this.model.get("view");
    this.drawPicture(view);
    this.drawChips();
    this.question.textContent = view.question;
    this.answer.replaceChildren(...this.answered(view));
    for (const input of this.sliders.querySelectorAll("input")) {
      if (document.activeElement !== input) this.place(input, view.state.parameters[input.name]);
    }
  }

  drawPicture(view) {
    const had = this.picture.contains(document.activeElement) ? this.focused : null;
    this.picture.innerHTML = view.svg;
    const svg = this.picture.querySelector("svg");
    // What can be pressed must not be part of an image.
    svg.setAttribute("role", "group");
    const seen = new Set();
    for (const title of svg.querySelectorAll("rect > title, path > title")) {
      const name = view.places[title.textContent];
      if (name === undefined || title.parentNode.getAttribute("stroke-width") === "0.7") continue;
      this.spot(title.parentNode, name, seen.has(name));
      if (!seen.has(name) && name === had) title.parentNode.focus();
      seen.add(name);
    }
  }

  spot(shape, name, again) {
    const role = this.role(name);
    shape.classList.add("su-spot");
    if (role === "given" || role === "asked") shape.classList.add(`su-is-${role}`);
    shape.addEventListener("click", () => this.cycle(name));
    if (again) {
      shape.setAttribute("aria-hidden", "true");
      return;
    }
    shape.setAttribute("role", "button");
    shape.setAttribute("tabindex", "0");
    shape.setAttribute("data-variable", name);
    const next = { free: "observe it", given: "set it", do: "free it", asked: "choose what is asked" }[role];
    shape.setAttribute("aria-label", `${name}: ${ROLES[role] ?? "free"}; press to ${next}`);
    shape.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      // The notebook has keys of its own.
      event.preventDefault();
      event.stopPropagation();
      this.cycle(name);
    });
  }

  drawChips() {
    const active = this.chips.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    const chips = [];
    for (const role of ["asked", "do", "given"]) {
      for (const name of Object.keys(this.state[role])) chips.push(this.chip(role, name));
    }
    this.chips.replaceChildren(...chips);
    if (active) [...this.chips.querySelectorAll("[aria-label]")].find((e) => e.getAttribute("aria-label") === active)?.focus();
  }

  chip(role, name) {
    const free = role === "asked" ? null : element(
      "button",
      { type: "button", "aria-label": `free ${name}`, title: `free ${name}`, onclick: () => this.free(role, name) },
      "×",
    );
    const label = role === "asked" ? this.chooser(name) : element("strong", {}, name);
    const parts = [element("span", { class: "su-role" }, ROLES[role]), label, this.valued(role, name), free];
    return element("span", { class: "su-chip", "data-role": role, "data-chip": name }, ...parts.filter(Boolean));
  }

  free(role, name) {
    this.change((state) => delete state[role][name]);
    this.drawChips();
  }

  chooser(name) {
    const taken = Object.keys(this.state.asked);
    const names = [...this.labels.keys()].filter((each) => each === name || !taken.includes(each));
    const options = names.map((each) => element("option", { value: each, selected: each === name ? "" : null }, each));
    const change = (event) => this.ask(name, event.target.value);
    return element("select", { "aria-label": "asked variable", onchange: change }, ...options);
  }

  // The value of a variable: one of its labels or each of them; a number where it is real.
  valued(role, name) {
    const labels = this.labels.get(name);
    if (labels === null) return null;
    const value = this.state[role][name];
    const set = (given) => this.change((state) => (state[role][name] = given));
    if (!labels.length) {
      const change = (event) => set(event.target.value === "" ? null : event.target.value);
      const input = { type: "number", step: "any", value: value ?? "", "aria-label": `value of ${name}`, onchange: change };
      return element("span", {}, "= ", element("input", input));
    }
    const options = labels.map((label) => element("option", { selected: label === value ? "" : null, value: `=${label}` }, label));
    options.push(element("option", { selected: value === null ? "" : null, value: "" }, "each value"));
    const change = (event) => set(event.target.value === "" ? null : event.target.value.slice(1));
    return element("span", {}, "= ", element("select", { "aria-label": `value of ${name}`, onchange: change }, ...options));
  }

  drawSliders() {
    const parameters = this.model.get("view").state.parameters;
    for (const { name, low, high, step } of this.about.sliders) {
      const shown = element("output", {});
      const input = element("input", { type: "range", name, min: low, max: high, step, "aria-label": `parameter ${name}` });
      input.addEventListener("input", () => {
        shown.textContent = input.value;
        this.change((state) => (state.parameters[name] = Number(input.value)));
      });
      this.sliders.append(element("label", { class: "su-slider" }, element("em", {}, name), input, shown));
      this.place(input, parameters[name]);
    }
  }

  place(input, value) {
    input.value = value;
    input.nextElementSibling.textContent = String(value);
  }

  answered(view) {
    if (view.error) return [element("p", { class: "su-error", role: "alert" }, view.error)];
    const parts = [element("div", { class: "su-verdict", "data-sign": SIGNS[view.status] ?? "" }, view.verdict ?? "")];
    if (view.formula) parts.push(element("div", { class: "su-formula" }, view.formula));
    if (view.number !== null && view.number !== undefined) {
      parts.push(element("div", { class: "su-number" }, Number(view.number.toPrecision(6)).toString()));
    }
    if (view.rows) parts.push(this.table(view.rows));
    if (view.form) parts.push(element("div", { class: "su-formula" }, `= ${view.form}`));
    if (view.reason) parts.push(element("p", { class: "su-reason" }, view.reason));
    const open = this.answer.querySelector("details")?.open ? "" : null;
    if (view.details) {
      parts.push(element("details", { open }, element("summary", {}, "in full"), element("pre", {}, view.details)));
    }
    return parts;
  }

  table({ variables, rows }) {
    const head = element("tr", {}, ...[...variables, ""].map((name) => element("th", { scope: "col" }, name)));
    const shown = rows.slice(0, 24).map((row) => {
      const cells = row.map((cell) => (typeof cell === "number" ? Number(cell.toPrecision(6)).toString() : (cell ?? "undetermined")));
      return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
    });
    return element("table", {}, element("thead", {}, head), element("tbody", {}, ...shown));
  }
}

function render({ model, el }) {
  const view = new View(model, el);
  const heard = (news) => view.heard(news);
  const arrived = () => view.asker.arrived();
  view.asker.listeners.add(heard);
  model.on("change:view", arrived);
  return () => {
    view.asker.listeners.delete(heard);
    model.off("change:view", arrived);
  };
}

export default { render };
