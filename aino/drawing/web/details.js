// The panel beside the graph: all that is known of what is selected. Text is set as text, never as
// HTML, so that names and file names may hold whatever they like.

import { groupsAround, titleOf } from "./model.js";
import { brief, counted, nested, shapeText } from "./text.js";

const KINDS = {
  input: "Input", parameter: "Parameter", constant: "Constant", operation: "Operation",
  module: "Module", gradient: "Gradient", more: "Left out",
};
const MARKS = {
  passed: "It did nothing here: what came in went out.",
  failed: "It raised an error.",
  nan: "The first numbers that are none appeared here.",
  inf: "The first infinite numbers appeared here.",
};

/** Fill the panel; `go` is called with an item when a link to it is followed. */
export function showDetails(panel, model, item, go) {
  const parts = item ? (item.isGroup ? ofGroup(item) : ofNode(item)) : ofAll(model);
  const drawn = model.pictures[(item ?? model.root).picture];
  if (drawn) parts.push(pictureOf(drawn));
  if (item) parts.push(...ends(model, item, go), around(item, go));
  panel.replaceChildren(...parts.filter(Boolean));
  panel.scrollTop = 0;
}

function ofAll(model) {
  return [
    make("h2", model.title),
    make("p", `${counted(model.nodes.length, "node")}, ${counted(model.edges.length, "edge")}, `
      + `${counted(model.groups.length - 1, "group")}.`),
    make("p", "Click a box to see its formula, its numbers and its gradient.", "pale"),
  ];
}

function ofGroup(group) {
  return [
    make("p", "Group", "pale"),
    make("h2", titleOf(group)),
    list([
      ["kind", group.name ? group.kind : ""],
      ["settings", group.note],
      ["parameters", group.parameters ? group.parameters.toLocaleString("en") : ""],
      ["holds", counted(group.size, "node")],
    ]),
    note(group),
  ];
}

function ofNode(node) {
  const letters = Object.entries(node.letters ?? {});
  return [
    make("p", node.output ? `${KINDS[node.kind]}, output` : KINDS[node.kind], "pale"),
    make("h2", node.title || node.name || node.kind),
    list([
      ["name", node.title ? node.name : ""],
      [node.kind === "module" ? "kind" : "formula", node.formula],
      ["here", node.spoken],
      ["where", letters.map(([letter, meaning]) => `${letter} = ${meaning}`).join(", ")],
      ["settings", (node.details ?? []).join(", ")],
    ]),
    note(node),
    node.line && section("Computed at", make("pre", node.line, "code")),
    ...(node.values ?? []).map((value) => ofValue(value)),
  ];
}

/** Return the picture of the network that an item is, or is in; a click shows it large, and back. */
function pictureOf({ title, svg }) {
  const head = `Picture of ${title}`;
  if (!svg) return section(head, make("p", "It was written into since it was drawn.", "pale"));
  const image = make("img");
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  image.alt = head;
  const button = make("button", "", "picture");
  button.type = "button";
  button.title = "Larger, and back";
  button.setAttribute("aria-pressed", "false");
  button.append(image);
  const show = (isLarge) => {
    button.classList.toggle("large", isLarge);
    button.setAttribute("aria-pressed", String(isLarge));
  };
  button.addEventListener("click", () => show(!button.classList.contains("large")));
  button.addEventListener("keydown", (event) => {
    if (event.key === "Escape") show(false);
  });
  return section(head, button);
}

function note(item) {
  const amiss = item.isAmiss && "There are numbers here that are none, or infinite.";
  const said = MARKS[item.mark] ?? amiss;
  return said && make("p", said, item.mark === "passed" ? "pale" : "amiss");
}

function ofValue(value) {
  const whole = document.createDocumentFragment();
  whole.append(section(value.name || "Value", make("p", shapeText(value)), ...ofArray(value.value)));
  if (value.grad) whole.append(section("Gradient", ...ofArray(value.grad)));
  return whole;
}

/** Return a table of an array's figures, and its numbers where the page has them. */
function ofArray(array) {
  if (!array) return [make("p", "Its numbers were not kept.", "pale")];
  if (array.stale) return [make("p", "It was written into since it was drawn.", "pale")];
  const rows = ["min", "max", "mean", "norm", "nan", "infinite"]
    .filter((name) => array[name] !== undefined)
    .map((name) => [name === "nan" ? "NaN" : name, brief(array[name], 6), array[name] > 0]);
  const table = make("table");
  for (const [name, figure, isThere] of rows) {
    const row = table.insertRow();
    const head = make("th", name);
    head.scope = "row";
    row.append(head, make("td", figure));
    if ((name === "NaN" || name === "infinite") && isThere) row.className = "amiss";
  }
  return array.numbers === undefined ? [table] : [table, make("pre", rowsOf(array.numbers))];
}

/** Return the numbers of an array, a line for each row of a matrix. */
function rowsOf(numbers) {
  const isDeep = Array.isArray(numbers) && Array.isArray(numbers[0]);
  return isDeep ? numbers.map(rowsOf).join("\n") : nested(numbers);
}

/** Return links along the edges at an item, with the derivatives that they carry. */
function ends(model, item, go) {
  const isHere = (node) => node === item || groupsAround(node).includes(item);
  const inwards = model.edges.filter((edge) => isHere(edge.head) && !isHere(edge.tail));
  const outwards = model.edges.filter((edge) => isHere(edge.tail) && !isHere(edge.head));
  return [
    links("From", inwards, (edge) => edge.tail, go),
    links("To", outwards, (edge) => edge.head, go),
  ];
}

const MOST = 30;

function links(title, edges, end, go) {
  const seen = new Map(edges.map((edge) => [end(edge), edge]));
  if (!seen.size) return null;
  const items = [...seen].slice(0, MOST).map(([node, edge]) => {
    const row = make("li");
    row.append(link(node, go));
    const said = [edge.label, edge.derivative].filter(Boolean);
    if (said.length) row.append(make("span", ` ${said.join("  ")}`, "pale"));
    if (edge.slope?.numbers !== undefined) row.append(make("pre", rowsOf(edge.slope.numbers)));
    return row;
  });
  if (seen.size > MOST) items.push(make("li", `and ${seen.size - MOST} more`, "pale"));
  const found = make("ul");
  found.append(...items);
  return section(title, found);
}

function around(item, go) {
  const groups = groupsAround(item).filter((group) => group.parent).reverse();
  if (!groups.length) return null;
  const found = make("ul");
  for (const group of groups) {
    const row = make("li");
    row.append(link(group, go));
    if (group.name && group.kind) row.append(make("span", ` ${group.kind}`, "pale"));
    found.append(row);
  }
  return section("Inside", found);
}

function link(item, go) {
  const button = make("button", titleOf(item), "link");
  button.type = "button";
  button.addEventListener("click", () => go(item));
  return button;
}

function list(pairs) {
  const terms = make("dl");
  for (const [name, text] of pairs) {
    if (!text) continue;
    const pair = make("div");
    pair.append(make("dt", name), make("dd", text));
    terms.append(pair);
  }
  return terms;
}

function section(title, ...content) {
  const made = make("section");
  made.append(make("h3", title), ...content);
  return made;
}

function make(tag, text = "", name = "") {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (name) made.className = name;
  return made;
}
