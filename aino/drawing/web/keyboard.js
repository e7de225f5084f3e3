// The arrow keys: along the edges, and to what stands beside.

const TURNED = {
  TB: { ArrowDown: "on", ArrowUp: "back", ArrowLeft: "before", ArrowRight: "after" },
  BT: { ArrowUp: "on", ArrowDown: "back", ArrowLeft: "before", ArrowRight: "after" },
  LR: { ArrowRight: "on", ArrowLeft: "back", ArrowUp: "before", ArrowDown: "after" },
  RL: { ArrowLeft: "on", ArrowRight: "back", ArrowUp: "before", ArrowDown: "after" },
};

/** Return where an arrow key leads from an item, null where nothing is. */
export function step(view, item, key, last) {
  const way = TURNED[view.model.rankdir][key];
  if (way === "on" || way === "back") {
    const ends = (way === "on" ? view.heads : view.tails).get(item) ?? [];
    if (ends.includes(last)) return last;
    if (ends.length) return nearest(view, item, ends);
    // A frame has no arrow of its own where nothing enters it: its first member is next.
    if (way === "on" && item.isGroup && item.isOpen) return item.members[0];
    return null;
  }
  return beside(view, item, way === "after" ? 1 : -1);
}

function nearest(view, item, others) {
  const here = middle(view, item);
  const far = (other) => {
    const there = middle(view, other);
    return Math.hypot(there.x - here.x, there.y - here.y);
  };
  return others.reduce((best, other) => (far(other) < far(best) ? other : best));
}

/** Return the closest item on one side, of those that are not reached along the flow. */
function beside(view, item, sign) {
  const isUpright = view.model.rankdir === "TB" || view.model.rankdir === "BT";
  const [across, along] = isUpright ? ["x", "y"] : ["y", "x"];
  const here = middle(view, item);
  let best = null;
  let least = Infinity;
  for (const other of view.boxes.keys()) {
    if (other.isGroup && other.isOpen) continue;
    const there = middle(view, other);
    const aside = (there[across] - here[across]) * sign;
    if (aside <= 4) continue;
    const far = aside + 4 * Math.abs(there[along] - here[along]);
    if (far < least) [best, least] = [other, far];
  }
  return best;
}

function middle(view, item) {
  const { x, y, width, height } = view.boxes.get(item);
  // A frame is where its title is.
  return { x: x + width / 2, y: item.isGroup && item.isOpen ? y : y + height / 2 };
}
