// The network as circles: each with what it gives over the plane, each weight as a line.

import { bytes, colour } from "./plane.js";

const SVG = "http://www.w3.org/2000/svg";
const R = 20, GAP = 72;

function element(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Return where every unit stands: layers side by side. */
function places(sizes, width, height) {
  return sizes.map((count, layer) =>
    Array.from({ length: count }, (_, unit) => [
      R + 22 + (layer * (width - 2 * R - 44)) / (sizes.length - 1),
      height / 2 + (unit - (count - 1) / 2) * GAP,
    ]));
}

/** Draw the network.
 *
 * `chosen`: {layer, unit} or null. `walk`: a step of a sample's way, or null, whose numbers stand
 * under the circles and, of weights, in the lines.
 */
export function drawNetwork(svg, state, chosen, walk, choose) {
  const width = 720, height = Math.max(...state.sizes, 4) * GAP + 20;
  const focus = document.activeElement?.dataset?.unit;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  const at = places(state.sizes, width, height);
  state.layers.forEach((layer, place) => {
    const slopes = walk?.kind === "weights" && walk.layer === place + 1 ? walk.values : null;
    const shown = slopes ?? layer.weight;
    const most = Math.max(...shown.flat().map((w) => Math.abs(w ?? 0)), 1e-9);
    shown.forEach((row, to) => row.forEach((weight, from) => {
      const [x1, y1] = at[place][from], [x2, y2] = at[place + 1][to];
      const middle = (x1 + x2) / 2;
      const line = element("path", {
        d: `M${x1 + R},${y1} C${middle},${y1} ${middle},${y2} ${x2 - R},${y2}`,
        stroke: colour(weight > 0 ? "--more" : "--less"),
        "stroke-width": slopes
          ? 0.6 + 6 * Math.abs(weight ?? 0) / most
          : Math.min(7, 0.4 + 2.2 * Math.abs(weight ?? 0)),
        "stroke-opacity": walk && !slopes ? 0.15 : 0.75,
        "stroke-dasharray": weight < 0 ? "5 3" : "none",
      });
      const told = slopes ? `∂L/∂w = ${brief(weight)}` : `w = ${brief(weight)}`;
      line.append(element("title", {}, told));
      svg.append(line);
    }));
  });
  at.forEach((units, layer) => units.forEach(([x, y], unit) => {
    const isChosen = chosen && chosen.layer === layer - 1 && chosen.unit === unit;
    const isLit = walk && walk.layer === layer && walk.kind !== "weights" && walk.kind !== "loss";
    const name = layer === 0 ? state.data.names[unit]
      : layer === at.length - 1
        ? `p(${units.length === 1 ? state.data.labels[1] : state.data.labels[unit]})` : "";
    const group = element("g", {
      class: `unit${isChosen ? " chosen" : ""}${isLit ? " lit" : ""}`, "data-unit": `${layer}-${unit}`,
      ...(layer ? { tabindex: 0, role: "button", "aria-label": `layer ${layer}, perceptron ${unit + 1}` } : {}),
    });
    const clip = `clip-${layer}-${unit}`;
    group.append(
      element("clipPath", { id: clip }, element("circle", { cx: x, cy: y, r: R })),
      element("image", {
        href: small(state, layer, unit), x: x - R, y: y - R, width: 2 * R, height: 2 * R,
        "clip-path": `url(#${clip})`, preserveAspectRatio: "none",
      }),
      element("circle", { cx: x, cy: y, r: R }),
    );
    if (name) group.append(element("text", { x, y: y - R - 5 }, name));
    if (isLit && walk.values.length === units.length) {
      group.append(element("text", { x, y: y + R + 13, class: "value" }, brief(walk.values[unit])));
    }
    if (layer) {
      group.addEventListener("click", () => choose({ layer: layer - 1, unit }));
      group.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          event.stopPropagation();
          choose({ layer: layer - 1, unit });
        }
      });
    }
    svg.append(group);
    if (focus === `${layer}-${unit}`) group.focus();
  }));
}

/** Return a picture of what a unit gives over the plane. */
function small(state, layer, unit) {
  const { size, maps } = state.small;
  const values = bytes(maps[layer][unit]);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(size, size);
  const tones = ["--less", "--paper", "--more"].map((name) => colour(name)).map((hex) =>
    [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16)));
  values.forEach((value, i) => {
    const signed = value / 127.5 - 1;
    const tone = signed < 0 ? tones[0] : tones[2];
    for (let part = 0; part < 3; part++) {
      picture.data[4 * i + part] = tones[1][part] + 0.85 * Math.abs(signed) * (tone[part] - tones[1][part]);
    }
    picture.data[4 * i + 3] = 255;
  });
  context.putImageData(picture, 0, 0);
  return canvas.toDataURL();
}

/** Return a number with four digits. */
export function brief(value) {
  if (value === null || value === undefined) return "not finite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return (size < 0.001 || size >= 10000 ? value.toExponential(1) : value.toPrecision(3)).replaceAll("-", "−");
}
