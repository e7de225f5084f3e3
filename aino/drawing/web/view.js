// Draws boxes and lines as SVG. Every box is an item of a tree: it can be focused, and says what it is.

import { BOX_PADDING, LINE_HEIGHT, layout, widthOfLine } from "./layout.js";
import { groupsAround, titleOf } from "./model.js";
import { linesOf, shorten, spokenOf } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";

export class View {
  constructor(model, canvas) {
    this.model = model;
    this.canvas = canvas;
    this.selected = null;
    this.matches = new Set();
  }

  /** Lay out and draw what is seen; the line from and to each item are kept for the keyboard. */
  draw() {
    const { width, height, boxes, lines } = layout(this.model);
    this.size = { width, height };
    this.boxes = boxes;
    this.lines = lines;
    this.elements = new Map();
    this.tails = new Map();
    this.heads = new Map();
    for (const edge of new Set(lines.flatMap((line) => line.edges))) {
      listed(this.tails, edge.head).push(edge.tail);
      listed(this.heads, edge.tail).push(edge.head);
    }
    const items = [...boxes.keys()];
    const frames = items.filter((item) => item.isGroup && item.isOpen);
    const closed = items.filter((item) => !(item.isGroup && item.isOpen));
    this.canvas.replaceChildren(
      ...frames.map((item) => this.box(item)),
      ...lines.map((line) => this.line(line)),
      ...closed.map((item) => this.box(item)),
      ...lines.filter((line) => line.label).map((line) => label(line.label)),
    );
    this.mark();
  }

  box(item) {
    const { x, y, width, height } = this.boxes.get(item);
    const group = element("g", {
      class: classOf(item), "data-id": item.id, role: "treeitem", tabindex: "-1",
      "aria-level": groupsAround(item).length, "aria-selected": "false",
      "aria-label": spokenOf(item, this.names(this.tails, item), this.names(this.heads, item)),
      transform: `translate(${x} ${y})`,
    });
    if (item.isGroup) group.setAttribute("aria-expanded", item.isOpen);
    if (item.isGroup && !item.isOpen) {
      group.append(element("rect", { class: "behind", x: 4, y: 4, width, height, rx: 5 }));
    }
    group.append(element("rect", { class: "paper", width, height, rx: item.kind === "input" ? 12 : 5 }));
    if (item.isGroup) {
      const down = item.isOpen;
      const path = down ? "M0,0 h8 l-4,6 z" : "M0,-1 v8 l6,-4 z";
      group.append(element("path", { class: "fold", d: path, transform: "translate(9 11)" }));
    }
    this.write(group, item, width);
    this.elements.set(item, group);
    return group;
  }

  write(group, item, width) {
    const isFrame = item.isGroup && item.isOpen;
    linesOf(item).forEach((line, i) => {
      const row = element("text", { y: BOX_PADDING.y + i * LINE_HEIGHT + 12 });
      const room = item.isGroup ? 16 : 0;
      row.setAttribute("x", isFrame ? 22 : (width + room - widthOfLine(line)) / 2);
      line.forEach(([text, kind], part) => {
        const span = element("tspan", { class: kind, ...(part ? { dx: 8 } : {}) });
        span.textContent = text;
        row.append(span);
      });
      group.append(row);
    });
  }

  line({ points, kind, edges, isLast }) {
    const path = element("path", { class: `edge ${kind}`, d: curve(points), "aria-hidden": "true" });
    if (isLast && kind !== "unseen") path.setAttribute("marker-end", "url(#arrow)");
    const shares = edges.flatMap((edge) => edge.edges.map(({ share }) => share ?? -1));
    const share = Math.max(...shares);
    if (share >= 0) {
      path.classList.add("graded");
      path.style.setProperty("--share", share.toFixed(3));
    }
    path.dataset.ends = edges.flatMap(({ tail, head }) => [tail.id, head.id]).join(" ");
    return path;
  }

  names(ends, item) {
    return (ends.get(item) ?? []).slice(0, 4).map((end) => shorten(titleOf(end), 24));
  }

  select(item) {
    this.selected = item;
    this.mark();
  }

  /** Show what is selected, the lines at it, and what the search found. */
  mark() {
    const { selected } = this;
    const first = this.elements.has(selected) ? selected : this.boxes.keys().next().value;
    for (const [item, drawn] of this.elements) {
      drawn.classList.toggle("selected", item === selected);
      drawn.classList.toggle("found", this.matches.has(item));
      drawn.setAttribute("aria-selected", item === selected);
      drawn.setAttribute("tabindex", item === first ? "0" : "-1");
    }
    for (const path of this.canvas.querySelectorAll("path.edge")) {
      const isOn = selected !== null && path.dataset.ends.split(" ").includes(selected.id);
      path.classList.toggle("selected", isOn);
    }
  }

  /** Return the item whose box an element of the page belongs to. */
  itemAt(target) {
    const drawn = target instanceof Element ? target.closest("[data-id]") : null;
    return drawn && this.canvas.contains(drawn) ? this.model.items.get(drawn.dataset.id) : null;
  }
}

function classOf(item) {
  if (item.isGroup) return `box group ${item.isOpen ? "open" : "closed"} ${item.mark ?? ""}`;
  return `box ${item.kind} ${item.output ? "output" : ""} ${item.mark ?? ""}`;
}

function listed(map, key) {
  if (!map.has(key)) map.set(key, []);
  return map.get(key);
}

export function element(name, attributes = {}) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function label({ text, x, y }) {
  const drawn = element("text", {
    class: "label", x, y: y + 4, "text-anchor": "middle", "aria-hidden": "true",
  });
  drawn.textContent = text;
  return drawn;
}

/** Return a path that is straight at its ends and bends at the points between. */
function curve(points) {
  const [first, ...rest] = points;
  const last = rest.pop();
  let path = `M${at(first)}`;
  rest.forEach((point, i) => {
    const next = rest[i + 1] ?? last;
    const end = { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    path += ` Q${at(point)} ${at(end)}`;
  });
  return `${path} L${at(last)}`;
}

function at({ x, y }) {
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}
