// Brings the parts of the page together.

import { Camera } from "./camera.js";
import { showDetails } from "./details.js";
import { step } from "./keyboard.js";
import { Model, isSeen, standIn, titleOf } from "./model.js";
import { search } from "./search.js";
import { counted } from "./text.js";
import { View } from "./view.js";

const byId = (id) => document.getElementById(id);
const svg = byId("graph");
const query = byId("query");
const model = new Model(JSON.parse(byId("contents").textContent));
const view = new View(model, byId("camera"));
const camera = new Camera(svg, byId("camera"));
let found = [];
let last = null;

/** Select an item, open what is around it, and bring it into view; `far` where that is a jump. */
function go(item, { focus = true, far = false } = {}) {
  if (!isSeen(item)) {
    model.reveal(item);
    view.draw();
  }
  last = view.selected;
  view.select(item);
  if (far) camera.visit(view.boxes.get(item));
  else camera.show(view.boxes.get(item));
  showDetails(byId("details"), model, item, jump);
  if (focus) view.elements.get(item).focus({ preventScroll: true });
}

function jump(item) {
  go(item, { far: true });
}

/** Draw again after groups were opened or closed; an item stays where it was on the screen. */
function redraw(fixed = null) {
  const hadFocus = svg.contains(document.activeElement);
  const before = fixed && view.boxes.get(fixed);
  const selected = view.selected && standIn(view.selected);
  view.draw();
  view.select(selected);
  showDetails(byId("details"), model, selected, jump);
  if (hadFocus) svg.querySelector('[tabindex="0"]').focus({ preventScroll: true });
  const after = fixed && view.boxes.get(fixed);
  if (before && after) {
    const middle = (box) => box.x + box.width / 2;
    camera.move((middle(before) - middle(after)) * camera.scale, (before.y - after.y) * camera.scale);
  }
}

function toggle(group) {
  group.isOpen = !group.isOpen;
  redraw(group);
  go(group);
  say(`${titleOf(group)} ${group.isOpen ? "unfolded" : "folded"}`);
}

function fold() {
  model.foldAll();
  redraw();
  camera.begin(view.size);
  say(`Folded: ${counted(view.boxes.size, "item")}`);
}

function unfold() {
  if (!model.closedGroups().length) {
    say("Nothing is folded");
    return;
  }
  if (!model.unfoldLevel()) {
    say("That would be too much to see at once: unfold what you look for");
    return;
  }
  redraw(view.selected);
  if (!view.selected) camera.begin(view.size);
  say("Unfolded one level more");
}

/** Tell what has happened, also those who can't see it. */
function say(text) {
  byId("found").textContent = text;
}

function look() {
  found = search(model, query.value);
  view.matches = new Set(found.map(standIn));
  view.mark();
  byId("found").textContent = query.value.trim() ? `${found.length.toLocaleString("en")} found` : "";
}

/** Go to the next item that was found, or to the one before. */
function next(direction) {
  if (!found.length) return;
  const place = found.indexOf(view.selected);
  const start = place < 0 && direction < 0 ? 0 : place;
  go(found[(start + direction + found.length) % found.length], { focus: false, far: true });
  look();
  byId("found").textContent = `${found.indexOf(view.selected) + 1} of ${found.length.toLocaleString("en")}`;
}

function theme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
}

function help() {
  byId("keys").hidden = !byId("keys").hidden;
  byId("help").setAttribute("aria-expanded", !byId("keys").hidden);
}

function closeHelp() {
  if (!byId("keys").hidden) help();
}

const KEYS = {
  f: fold, u: unfold, "?": help, escape: closeHelp, "/": () => query.focus(), 0: () => camera.fit(view.size),
  "+": () => camera.zoom(1.25), "=": () => camera.zoom(1.25), "-": () => camera.zoom(0.8),
};

/** Keys that work wherever no text is written. */
function shortcut(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target === query) return;
  const action = KEYS[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
}

/** Keys on the graph, from the item that has the focus. */
function walk(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const item = view.itemAt(event.target);
  if (!item) return;
  const items = [...view.boxes.keys()];
  let target = null;
  if (event.key === "Enter" || event.key === " ") {
    if (item.isGroup) toggle(item);
    else go(item);
  } else if (event.key === "Home") target = items[0];
  else if (event.key === "End") target = items.at(-1);
  else if (event.key === "Escape") target = item.parent.parent ? item.parent : null;
  else if (event.key.startsWith("Arrow")) target = step(view, item, event.key, last);
  else return;
  event.preventDefault();
  if (target) go(target);
}

svg.addEventListener("click", (event) => {
  if (camera.hasMoved) return;
  const item = view.itemAt(event.target);
  if (item?.isGroup && event.target.closest(".fold")) toggle(item);
  else if (item) go(item);
});
svg.addEventListener("dblclick", (event) => {
  const item = view.itemAt(event.target);
  if (item?.isGroup && !event.target.closest(".fold")) toggle(item);
});
svg.addEventListener("focusin", (event) => {
  const item = view.itemAt(event.target);
  if (item && item !== view.selected) go(item, { focus: false });
});
svg.addEventListener("keydown", walk);
document.addEventListener("keydown", shortcut);
query.addEventListener("input", look);
query.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && view.selected) view.elements.get(view.selected).focus();
});
byId("search").addEventListener("submit", (event) => event.preventDefault());
query.addEventListener("keydown", (event) => {
  if (event.key === "Enter") next(event.shiftKey ? -1 : 1);
});
for (const [id, action] of Object.entries({
  fold, unfold, theme, help, fit: KEYS[0], larger: KEYS["+"], smaller: KEYS["-"],
})) byId(id).addEventListener("click", action);

view.draw();
camera.begin(view.size);
showDetails(byId("details"), model, null, jump);
performance.mark("opened");
