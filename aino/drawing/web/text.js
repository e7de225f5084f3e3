// Numbers and shapes as text, and what is written on a box.

/** The longest line on a box; the details say it in full. */
const LONGEST = 42;

export function shorten(text, length = LONGEST) {
  const letters = [...text];
  return letters.length <= length ? text : letters.slice(0, length - 1).join("").trimEnd() + "…";
}

/** Return a number with a few significant digits; what JSON can't say is text already. */
export function brief(number, digits = 4) {
  if (typeof number !== "number") return String(number);
  if (Number.isInteger(number) && Math.abs(number) < 1e15) return String(number);
  const text = number.toPrecision(digits);
  return text.includes("e") ? text.replace(/\.?0+e/, "e") : text.replace(/\.?0+$/, "");
}

export function nested(numbers) {
  return Array.isArray(numbers) ? `[${numbers.map(nested).join(", ")}]` : brief(numbers);
}

export function shapeText({ shape, dtype }) {
  return `(${shape.join(", ")}${shape.length === 1 ? "," : ""}) ${dtype}`.trim();
}

export function counted(count, what) {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}

/** Return an array in one short line: its numbers where they are few, else its norm. */
export function arrayText(array, name = "") {
  if (array.numbers !== undefined) {
    const text = nested(array.numbers);
    if (text.length <= LONGEST) return `${name} ${text}`.trim();
  }
  return array.norm === undefined ? "" : `‖${name}‖ = ${brief(array.norm)}`;
}

/** Return the lines on an item's box: each a list of [text, class]. */
export function linesOf(item) {
  return item.isGroup ? linesOfGroup(item) : linesOfNode(item);
}

function linesOfGroup(group) {
  const first = group.name
    ? [[shorten(group.name), "title"], [shorten(group.kind), "pale"]]
    : [[shorten(group.kind), "title"]];
  const lines = [first];
  if (!group.isOpen) {
    if (group.note) lines.push([[shorten(group.note), "pale"]]);
    const parts = [counted(group.size, "node")];
    if (group.parameters) parts.unshift(counted(group.parameters, "parameter"));
    lines.push([[parts.join(", "), "pale"]]);
  }
  if (group.isAmiss) lines[0].push(["NaN", "amiss"]);
  return lines;
}

function linesOfNode(node) {
  const formula = node.spoken || node.formula;
  const first = node.title ? [[shorten(node.title), "title"]] : [];
  const lines = [first];
  if (formula) {
    const part = [shorten(formula), "formula"];
    if (first.length && node.title.length + formula.length > LONGEST) lines.push([part]);
    else first.push(part);
  }
  for (const detail of (node.details ?? []).slice(0, 3)) lines.push([[shorten(detail), "pale"]]);
  // The parameters of a module have names of their own, and stand in its settings already.
  const values = (node.values ?? []).filter((value) => node.kind !== "module" || !value.name);
  values.slice(0, 2).forEach((value, i) => {
    const line = i === 0 && node.name ? [[shorten(node.name), "name"]] : [];
    lines.push([...line, [shapeText(value), "pale"]]);
    const numbers = value.value?.numbers;
    if (numbers !== undefined && nested(numbers).length <= LONGEST) {
      lines.push([[nested(numbers), ""]]);
    }
    if (value.grad) lines.push([[shorten(arrayText(value.grad, "grad")), "gradient"]]);
  });
  if (values.length > 2) lines.push([[`and ${values.length - 2} more`, "pale"]]);
  if (!values.length && node.name) lines.push([[shorten(node.name), "name"]]);
  if (node.isAmiss) (lines[0].length ? lines[0] : lines.at(-1)).push(["NaN", "amiss"]);
  return lines.filter((line) => line.length);
}

/** Return what a screen reader says of an item. */
export function spokenOf(item, inputs, users) {
  const parts = linesOf(item).map((line) => line.map(([text]) => text).join(" "));
  if (!item.isGroup) parts.unshift(item.output ? `output, ${item.kind}` : item.kind);
  if (inputs.length) parts.push(`from ${inputs.join(", ")}`);
  if (users.length) parts.push(`to ${users.join(", ")}`);
  return parts.join("; ");
}
