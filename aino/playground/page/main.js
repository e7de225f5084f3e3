// The page: asks the engine, draws what it answers, keeps the settings in the address.

import { drawCurve, drawPlane, toPlane } from "./plane.js";
import { brief, drawNetwork } from "./network.js";

const SHAPES = ["circles", "quarters", "spiral", "clouds", "three", "xor"];
const RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
const LIMITS = { layers: 6, units: 8, points: 300, table: 6000 };
/** What this page calls itself: each page has a network of its own. */
const TAB = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const $ = (id) => document.getElementById(id);

let settings = { hidden: [4, 3], activation: "tanh", optimizer: "adam", lr: 0.03, seed: 0, shape: "circles" };
let state = null, chosen = { layer: 0, unit: 0 }, point = null, target = 0, way = null, place = 0;
let pen = null, running = false, busy = Promise.resolve();

/** Ask the engine, one question after the other; say what is wrong. */
function ask(name, given = {}) {
  busy = busy.then(async () => {
    const response = await fetch(name, { method: "POST", body: JSON.stringify({ ...given, tab: TAB }) });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    return answer;
  }).catch((error) => {
    running = false;
    say(error instanceof TypeError ? "the server has ended: python -m aino play" : error.message);
    return null;
  });
  return busy;
}

function say(text) {
  $("message").textContent = text;
  $("message").hidden = !text;
}

async function show(question, given) {
  const answer = await ask(question, given);
  if (answer) {
    state = answer;
    say("");
  }
  await explain();
  draw();
  return answer;
}

async function setup(change = {}, step = 0) {
  running = false;
  const before = settings;
  settings = { ...settings, ...change };
  for (const other of ["shape", "points", "table"]) {
    if (["shape", "points", "table"].some((name) => name in change) && !(other in change)) delete settings[other];
  }
  way = null;
  if ("shape" in change || "points" in change || "table" in change) point = null;
  if (!await show("setup", settings)) settings = before;
  for (let left = step; left > 0; left -= 1000) await show("forward", { steps: Math.min(left, 1000) });
  remember();
}

/** Keep settings and step in the address: whoever opens it comes to the same weights. */
function remember() {
  const kept = { ...settings, step: state?.step ?? 0 };
  if (kept.points?.length > LIMITS.points || kept.table?.length > LIMITS.table) {
    // Other points would not lead to the same weights.
    for (const name of ["points", "table", "step"]) delete kept[name];
  }
  history.replaceState(null, "", "#" + encodeURIComponent(JSON.stringify(kept)));
}

function remembered() {
  try {
    return JSON.parse(decodeURIComponent(location.hash.slice(1))) ?? {};
  } catch {
    return {};
  }
}

async function move(question, steps = 1) {
  running = false;
  await show(question, { steps });
  remember();
}

async function run() {
  running = !running;
  draw();
  while (running) {
    const begun = performance.now();
    if (!await show("forward", { steps: state.step < 20 ? 1 : 4 })) break;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 50 - (performance.now() - begun))));
  }
  remember();
  draw();
}

/** Fill in the numbers of the chosen perceptron and of the chosen point's way. */
async function explain() {
  if (!state) return;
  if (chosen.layer >= state.layers.length || chosen.unit >= state.sizes[chosen.layer + 1]) {
    chosen = { layer: 0, unit: 0 };
  }
  const at = point ?? state.data.points[0] ?? [0, 0];
  const unit = await ask("perceptron", { ...chosen, point: at });
  if (unit) writeUnit(unit, at);
  if (way) way = await ask("walk", { point, target });
}

function writeUnit(unit, at) {
  const names = unit.inputs.map((_, i) => chosen.layer ? `a${i + 1}` : state.data.names[i]);
  const sum = unit.weights.map((_, i) => `w${i + 1}·${names[i]}`).join(" + ");
  const numbers = unit.weights.map((w, i) => `${signed(w)}·${signed(unit.inputs[i])}`).join(" + ");
  const joint = unit.activation === "softmax";
  $("unit-title").textContent = `Perceptron ${chosen.unit + 1} of layer ${chosen.layer + 1}`;
  $("unit").replaceChildren(
    told(`of the point (${at.map(brief).join(", ")})`),
    formula(`z = ${sum} + b\n  = ${numbers} + ${signed(unit.bias)}\n  = ${brief(unit.sum)}`),
    formula(`${unit.activation}(z${joint ? ", beside the others" : ""}) = ${brief(unit.output)}`),
  );
}

const signed = (value) => value < 0 ? `(${brief(value)})` : brief(value);

function formula(text) {
  const made = document.createElement("p");
  made.className = "formula";
  made.textContent = text;
  return made;
}

function told(text) {
  const made = document.createElement("p");
  made.className = "told";
  made.textContent = text;
  return made;
}

function draw() {
  if (!state) return;
  const step = way?.steps[place] ?? null;
  drawNetwork($("circles"), state, chosen, step, async (which) => {
    chosen = which;
    await explain();
    draw();
  });
  drawPlane($("plane"), state, point);
  drawCurve($("curve"), state.losses);
  $("step").textContent = state.step;
  $("loss").textContent = state.data.points.length ? brief(state.loss) : "";
  $("right").textContent = state.right === null ? "" : `${(100 * state.right).toFixed(1)} %`;
  $("run").textContent = running ? "❚❚ pause" : "▶ learn";
  $("back").disabled = $("restart").disabled = state.step <= state.first;
  $("restart").disabled = state.step === 0;
  drawLegend();
  drawSizes();
  if (![...$("lr").options].some((option) => Number(option.value) === settings.lr)) {
    $("lr").append(new Option(settings.lr, settings.lr));  // the address may say any
  }
  for (const name of ["activation", "optimizer", "lr", "seed"]) $(name).value = settings[name];
  $("shape").value = settings.shape ?? "";
  for (const button of $("pens").children) {
    const own = button.dataset.pen === String(pen);
    button.setAttribute("aria-pressed", own);
    button.style.background = own ? `var(--class${button.dataset.pen})` : "";
  }
  $("walk-back").disabled = !way || place === 0;
  $("walk-on").disabled = !way || place === way.steps.length - 1;
  $("walk-count").textContent = way ? `${place + 1} of ${way.steps.length}` : "";
  if (step) {
    const rows = step.kind === "weights" ? step.values : [step.values];
    const cells = rows.map((row) => row.map(brief));
    const wide = Math.max(...cells.flat().map((cell) => cell.length)) + 2;
    const numbers = cells.map((row) => row.map((cell) => cell.padStart(wide)).join("")).join("\n");
    $("walk").replaceChildren(formula(step.formula), formula(numbers), told(step.told));
  }
}

function drawLegend() {
  $("legend").replaceChildren(...state.data.labels.map((label, i) => {
    const made = document.createElement("span"), dot = document.createElement("i");
    dot.style.background = `var(--class${i})`;
    made.append(dot, label);
    return made;
  }));
}

function drawSizes() {
  const focus = document.activeElement?.dataset?.size;
  const hidden = settings.hidden;
  const button = (text, title, key, change, off) => {
    const made = document.createElement("button");
    Object.assign(made, { textContent: text, title, disabled: off });
    made.dataset.size = key;
    made.setAttribute("aria-label", title);
    made.addEventListener("click", () => setup({ hidden: change }));
    return made;
  };
  const groups = hidden.map((size, i) => {
    const made = document.createElement("span");
    const sized = (other) => hidden.map((own, j) => j === i ? other : own);
    made.append(
      button("−", `fewer perceptrons in layer ${i + 1}`, `less-${i}`, sized(size - 1), size <= 1),
      `${size}`,
      button("+", `more perceptrons in layer ${i + 1}`, `more-${i}`, sized(size + 1), size >= LIMITS.units),
    );
    return made;
  });
  $("sizes").replaceChildren(
    "hidden layers",
    button("−", "one layer fewer", "fewer", hidden.slice(0, -1), !hidden.length), ...groups,
    button("+", "one layer more", "further", [...hidden, 3], hidden.length >= LIMITS.layers),
  );
  if (focus) document.querySelector(`[data-size="${focus}"]`)?.focus();
}

async function point_at(event) {
  const at = toPlane($("plane"), state.data.box, event);
  if (pen !== null) {
    const short = (pair) => pair.map((part) => Number(part.toFixed(2)));
    await busy;  // of a shape that was just chosen the points are not there yet
    // What was drawn just now stands in the settings, whether the engine has answered or not.
    const old = settings.table ? [] : settings.points ?? state.data.points.map((own, i) => [...short(own), state.data.classes[i]]);
    const clamped = settings.table ? at.map((part) => Math.max(-1, Math.min(1, part))) : at;
    await setup({ points: [...old, [...short(clamped), pen]] });
    return;
  }
  const distance = (own) => Math.hypot(...own.map((part, i) => (part - at[i]) / (state.data.box[2 * i + 1] - state.data.box[2 * i])));
  const near = state.data.points.reduce((best, own, i, all) => best < 0 || distance(own) < distance(all[best]) ? i : best, -1);
  if (near < 0) return;
  running = false;
  point = state.data.points[near];
  target = state.data.classes[near];
  place = 0;
  way = await ask("walk", { point, target });
  await explain();
  draw();
}

function options(id, values) {
  $(id).replaceChildren(...values.map((value) => new Option(value, value)));
}

function begin() {
  for (const link of document.querySelectorAll("a[download]")) link.search = `?tab=${TAB}`;
  options("shape", SHAPES);
  $("shape").prepend(new Option("own", ""));
  options("activation", ["tanh", "relu", "sigmoid", "gelu", "linear"]);
  options("optimizer", ["adam", "sgd"]);
  options("lr", RATES);
  $("pens").replaceChildren(...[0, 1, 2, 3].map((place) => {
    const made = document.createElement("button");
    Object.assign(made, { textContent: place, title: `draw points of class ${place}` });
    made.dataset.pen = place;
    made.style.borderColor = `var(--class${place})`;
    made.addEventListener("click", () => { pen = pen === place ? null : place; draw(); });
    return made;
  }));
  $("shape").addEventListener("change", (event) => event.target.value ? setup({ shape: event.target.value }) : draw());
  $("activation").addEventListener("change", (event) => setup({ activation: event.target.value }));
  $("optimizer").addEventListener("change", (event) => setup({ optimizer: event.target.value }));
  $("lr").addEventListener("change", (event) => setup({ lr: Number(event.target.value) }));
  $("seed").addEventListener("change", (event) => setup({ seed: Math.trunc(Number(event.target.value)) }));
  $("clear").addEventListener("click", () => { point = null; pen ??= 0; setup({ points: [] }); });
  $("table").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) { point = null; pen = null; await setup({ table: await file.text() }); }
  });
  $("run").addEventListener("click", run);
  $("forward").addEventListener("click", () => move("forward"));
  $("back").addEventListener("click", () => move("back"));
  $("restart").addEventListener("click", () => setup());
  $("plane").addEventListener("click", point_at);
  $("walk-on").addEventListener("click", () => { place += 1; draw(); });
  $("walk-back").addEventListener("click", () => { place -= 1; draw(); });
  document.addEventListener("keydown", (event) => {
    if (/^(INPUT|SELECT|BUTTON|A)$/.test(event.target.tagName)) return;
    const keys = { " ": run, ArrowRight: () => move("forward"), ArrowLeft: () => move("back"), Home: () => setup() };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  const { step, ...kept } = remembered();
  setup(kept, Number.isInteger(step) && step > 0 ? Math.min(step, 20000) : 0);
}

begin();
