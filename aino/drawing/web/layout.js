// Where everything stands. Each open group is laid out by itself, by dagre, and is then one large
// box in the group around it. What comes in from outside, or leaves, does so through ports: points
// on its border, one for each value, so that a line can be drawn through as many borders as needed.

import { groupsAround } from "./model.js";
import { linesOf, shorten } from "./text.js";

const LINE = 16;
const PADDING = { x: 10, y: 6 };
const HEADER = 24;
const MARGIN = 14;
const PORT_GAP = 22;
const LABEL = 28;
const FONT = "12px Helvetica, Arial, sans-serif";

const pen = document.createElement("canvas").getContext("2d");
const layouts = new Map();

/** Return `{ width, height, boxes, lines }`: boxes by item, lines as `{ points, ... }`. */
export function layout(model) {
  const levels = new Map();
  for (const edge of model.visibleEdges()) cross(edge, levels);
  const sizes = new Map();
  const inner = arrange(model.root, levels, model.rankdir, sizes);
  const boxes = new Map();
  const lines = [];
  place(model.root, inner, 0, 0, boxes, lines, sizes);
  return { width: inner.width, height: inner.height, boxes, lines };
}

/** Cut an edge at the borders that it crosses, and give each group its piece. */
function cross(edge, levels) {
  const outer = new Set(groupsAround(edge.tail));
  const ways = groupsAround(edge.head);
  const common = ways.find((group) => outer.has(group));
  let from = edge.tail;
  for (const group of groupsAround(edge.tail)) {
    if (group === common) break;
    piece(levels, group, edge, from.id, `out:${edge.tail.id}`);
    from = group;
  }
  const inwards = ways.slice(0, ways.indexOf(common)).reverse();
  piece(levels, common, edge, from.id, (inwards[0] ?? edge.head).id);
  inwards.forEach((group, i) => {
    piece(levels, group, edge, `in:${edge.tail.id}`, (inwards[i + 1] ?? edge.head).id);
  });
}

function piece(levels, group, edge, from, to) {
  if (!levels.has(group)) levels.set(group, new Map());
  const pieces = levels.get(group);
  const key = `${from}>${to}>${edge.tail.id}`;
  const isLast = to === edge.head.id;
  const known = pieces.get(key);
  if (known) known.edges.push(edge);
  else pieces.set(key, { from, to, wire: edge.tail.id, kind: edge.kind, isLast, edges: [edge] });
}

/** Lay out what an open group holds; what was laid out before is taken from there. */
function arrange(group, levels, rankdir, sizes) {
  for (const item of group.members) {
    if (item.isGroup && item.isOpen) {
      const inner = arrange(item, levels, rankdir, sizes);
      sizes.set(item, { width: inner.width, height: inner.height, inner });
    } else {
      sizes.set(item, boxSize(item));
    }
  }
  const pieces = [...(levels.get(group)?.values() ?? [])];
  const key = JSON.stringify([
    group.members.map((item) => [item.id, sizes.get(item).width, sizes.get(item).height]),
    pieces.map(({ from, to, wire }) => [from, to, wire]),
  ]);
  const known = layouts.get(group);
  if (known?.key === key) return { ...known.result, pieces };
  const result = compute(group, pieces, rankdir, sizes);
  layouts.set(group, { key, result });
  return { ...result, pieces };
}

function compute(group, pieces, rankdir, sizes) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir, nodesep: 22, ranksep: 34, edgesep: 12 });
  for (const item of group.members) {
    const { width, height } = sizes.get(item);
    graph.setNode(item.id, { width, height });
  }
  const ports = new Set();
  for (const { from, to } of pieces) {
    for (const end of [from, to]) if (end.includes(":")) ports.add(end);
  }
  keepAtBorder(graph, [...ports]);
  for (const { from, to, wire, edges, isLast } of pieces) {
    const text = isLast ? labelOf(edges) : "";
    const size = text ? { width: widthOf(text, FONT) + 6, height: LINE, labelpos: "c" } : {};
    graph.setEdge(from, to, { weight: ports.has(from) || ports.has(to) ? 1 : 2, ...size }, wire);
  }
  dagre.layout(graph);
  const { shift, size } = frameAround(group, graph, sizes, ports, rankdir);
  const moved = ({ x, y }) => ({ x: x + shift.x, y: y + shift.y });
  return {
    ...size,
    places: new Map(group.members.map((item) => [item.id, moved(graph.node(item.id))])),
    ports: new Map([...ports].map((port) => {
      const inside = moved(graph.node(port));
      return [port, { inside, border: onBorder(port, inside, size, rankdir) }];
    })),
    paths: pieces.map(({ from, to, wire }) => {
      const edge = graph.edge(from, to, wire);
      return { points: edge.points.map(moved), label: "x" in edge ? moved(edge) : null };
    }),
  };
}

/** Return how large a group is around what was laid out, and by how much that is moved inside. */
function frameAround(group, graph, sizes, ports, rankdir) {
  if (!group.parent) {
    const { width, height } = graph.graph();
    return { shift: { x: 0, y: 0 }, size: { width, height } };
  }
  // Along the flow a frame ends shortly beyond its members: ports move onto its border. Across
  // it there has to be room for lines, too.
  const isUpright = rankdir === "TB" || rankdir === "BT";
  const [along, length, across, breadth] = isUpright
    ? ["y", "height", "x", "width"] : ["x", "width", "y", "height"];
  const flow = reach(group.members.map((item) => [graph.node(item.id), sizes.get(item)]), along, length);
  const points = graph.edges().flatMap((edge) => graph.edge(edge).points);
  const wide = reach([
    ...group.members.map((item) => [graph.node(item.id), sizes.get(item)]),
    ...points.map((point) => [point, { width: 0, height: 0 }]),
  ], across, breadth);
  const gap = ports.size ? PORT_GAP : MARGIN;
  const inner = {
    [length]: flow.end - flow.start + 2 * gap, [breadth]: wide.end - wide.start + 2 * MARGIN,
  };
  const width = Math.max(inner.width, boxSize(group).width + MARGIN);
  const shift = { [along]: gap - flow.start, [across]: MARGIN - wide.start };
  shift.x += (width - inner.width) / 2;
  shift.y += HEADER;
  return { shift, size: { width, height: inner.height + HEADER } };
}

/** Return where boxes begin and end in one direction. */
function reach(boxes, direction, length) {
  const starts = boxes.map(([middle, size]) => middle[direction] - size[length] / 2);
  const ends = boxes.map(([middle, size]) => middle[direction] + size[length] / 2);
  return { start: Math.min(...starts), end: Math.max(...ends) };
}

/** Add ports as points, held together in the first and in the last rank. */
function keepAtBorder(graph, ports) {
  for (const port of ports) graph.setNode(port, { width: 1, height: 1 });
  const entries = ports.filter((port) => port.startsWith("in:"));
  const exits = ports.filter((port) => port.startsWith("out:"));
  if (entries.length > 1) {
    graph.setNode("top", { width: 1, height: 1 });
    for (const port of entries) graph.setEdge("top", port, { weight: 20 }, "top");
  }
  if (exits.length > 1) {
    graph.setNode("bottom", { width: 1, height: 1 });
    for (const port of exits) graph.setEdge(port, "bottom", { weight: 20 }, "bottom");
  }
}

/** Move a port to the border that its values cross. */
function onBorder(port, { x, y }, { width, height }, rankdir) {
  const isFirst = port.startsWith("in:") === (rankdir === "TB" || rankdir === "LR");
  if (rankdir === "TB" || rankdir === "BT") return { x, y: isFirst ? 0 : height };
  return { x: isFirst ? 0 : width, y };
}

/** Collect boxes and lines in the coordinates of the whole drawing. */
function place(group, inner, left, top, boxes, lines, sizes) {
  const at = ({ x, y }) => ({ x: x + left, y: y + top });
  const borders = new Map();
  for (const item of group.members) {
    const { width, height, inner: own } = sizes.get(item);
    const { x, y } = at(inner.places.get(item.id));
    boxes.set(item, { x: x - width / 2, y: y - height / 2, width, height });
    if (own) {
      borders.set(item.id, { own, left: x - width / 2, top: y - height / 2 });
      place(item, own, x - width / 2, y - height / 2, boxes, lines, sizes);
    }
  }
  inner.pieces.forEach((piece, i) => {
    const points = inner.paths[i].points.map(at);
    const port = (border, name) => {
      const point = border.own.ports.get(name).border;
      return { x: point.x + border.left, y: point.y + border.top };
    };
    if (inner.ports.has(piece.from)) {
      points.splice(0, 1, ...wayIn(inner, piece.from).map(at));
    }
    if (inner.ports.has(piece.to)) {
      points.splice(-1, 1, ...wayIn(inner, piece.to).reverse().map(at));
    }
    if (borders.has(piece.from)) {
      leadTo(points, 0, 1, port(borders.get(piece.from), `out:${piece.wire}`));
    }
    if (borders.has(piece.to)) {
      const end = points.length - 1;
      leadTo(points, end, end - 1, port(borders.get(piece.to), `in:${piece.wire}`));
    }
    const text = piece.isLast ? labelOf(piece.edges) : "";
    const label = text ? { text, ...at(inner.paths[i].label) } : null;
    lines.push({ points, label, kind: piece.kind, edges: piece.edges, isLast: piece.isLast });
  });
}

/** Return the points from a border inwards, past what stands in the port's own row. */
function wayIn({ ports, width, height }, name) {
  const { border, inside } = ports.get(name);
  const isPast = inside.x > 0 && inside.x < width && inside.y > HEADER && inside.y < height;
  return isPast ? [border, inside] : [border];
}

/** Lead a line to a port, which may be far from the middle of the box that dagre led it to. */
function leadTo(points, end, beside, point) {
  const { x, y } = points[beside];
  const moved = { x: x + (point.x - points[end].x) / 2, y: y + (point.y - points[end].y) / 2 };
  points[end] = point;
  if (points.length > 2) points[beside] = moved;
}

/** Return what is written at an edge: nothing where it stands for edges of a folded group. */
function labelOf(edges) {
  if (edges.length !== 1 || edges[0].edges.length !== 1) return "";
  const { tail, head, edges: [{ label = "", derivative = "" }] } = edges[0];
  return tail.isGroup || head.isGroup ? "" : shorten(derivative || label, LABEL);
}

function boxSize(item) {
  const lines = linesOf(item);
  const widths = lines.map((line) => widthOfLine(line));
  const width = Math.max(24, ...widths) + 2 * PADDING.x + (item.isGroup ? 16 : 0);
  return { width: Math.ceil(width), height: lines.length * LINE + 2 * PADDING.y };
}

/** Return how wide a line of several parts is, 8 pixels between them. */
export function widthOfLine(line) {
  const widths = line.map(([text, kind]) => widthOf(text, fontOf(kind)));
  return widths.reduce((sum, width) => sum + width + 8, -8);
}

export function widthOf(text, font) {
  pen.font = font;
  return pen.measureText(text).width;
}

export function fontOf(kind) {
  if (kind === "title" || kind === "name" || kind === "amiss") return `bold ${FONT}`;
  return kind === "formula" ? `italic ${FONT}` : FONT;
}

export const LINE_HEIGHT = LINE;
export const BOX_PADDING = PADDING;
