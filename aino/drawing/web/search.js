// Finds nodes and groups by any word that is said of them.

/** Return the items that hold every word of the query, in the order of the data. */
export function search(model, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  return [...model.nodes, ...model.groups.slice(1)].filter((item) => {
    const text = (item.text ??= textOf(item));
    return words.every((word) => text.includes(word));
  });
}

function textOf(item) {
  const values = (item.values ?? []).map((value) => `${value.shape.join("x")} ${value.dtype}`);
  const parts = [item.name, item.title, item.kind, item.formula, item.spoken, item.line, item.note,
    item.mark, item.isAmiss && "nan", item.output && "output", ...(item.details ?? []), ...values];
  return parts.filter(Boolean).join(" ").toLowerCase();
}
