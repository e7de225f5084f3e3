// The graph that the page carries, and what of it is to be seen: everything whose groups are open.
// An item is a node or a group; a node of the graph is seen as itself, or as a closed group.

/** How many items are shown at first, and how many at most when a whole level is unfolded. */
const AT_FIRST = 60;
const AT_MOST = 600;

export class Model {
  constructor(contents) {
    this.title = contents.title;
    this.rankdir = contents.rankdir;
    this.pictures = contents.pictures;
    this.groups = contents.groups.map((said, i) => ({
      id: `g${i}`, isGroup: true, isOpen: false, members: [], size: 0, ...said,
      parent: null, parentNumber: said.parent,
    }));
    this.nodes = contents.nodes.map((said, i) => ({
      id: `n${i}`, isGroup: false, ...said, parent: this.groups[said.group],
    }));
    this.root = this.groups[0];
    this.root.isOpen = true;
    this.edges = contents.edges.map(([tail, head, said]) => ({
      tail: this.nodes[tail], head: this.nodes[head], ...said,
    }));
    this.items = new Map();
    for (const group of this.groups.slice(1)) group.parent = this.groups[group.parentNumber];
    for (const item of [...this.groups, ...this.nodes]) {
      this.items.set(item.id, item);
      item.parent?.members.push(item);
    }
    this.nodes.forEach((node, place) => {
      node.isAmiss = isAmiss(node);
      node.end = place;
      for (const group of groupsAround(node)) {
        group.size += 1;
        group.end = place;
        group.isAmiss ||= node.isAmiss;
      }
    });
    // In the order in which they were done.
    for (const group of this.groups) group.members.sort((a, b) => a.end - b.end);
    this.openAtFirst(contents.depth ?? Infinity);
  }

  /** Open whole levels from the outside in, as long as little is seen; `depth` is the user's. */
  openAtFirst(depth) {
    let seen = this.root.members.length;
    let level = this.root.members.filter((item) => item.isGroup);
    for (let around = 0; level.length && around < depth; around += 1) {
      const members = level.flatMap((group) => group.members);
      seen += members.length;
      if (seen > (depth === Infinity ? AT_FIRST : AT_MOST)) return;
      for (const group of level) group.isOpen = true;
      level = members.filter((item) => item.isGroup);
    }
  }

  foldAll() {
    for (const group of this.groups) group.isOpen = group === this.root;
  }

  closedGroups() {
    return this.groups.filter((group) => !group.isOpen && isSeen(group));
  }

  /** Open every closed group that is seen; return false, and do nothing, if that is too much. */
  unfoldLevel() {
    const closed = this.closedGroups();
    const more = closed.reduce((sum, group) => sum + group.members.length, 0);
    if (this.visibleItems().length + more > AT_MOST) return false;
    for (const group of closed) group.isOpen = true;
    return true;
  }

  /** Open whatever is around an item. */
  reveal(item) {
    for (const group of groupsAround(item)) group.isOpen = true;
  }

  /** Return what is seen, in the order of the data; open groups as well, but not the root. */
  visibleItems() {
    const found = [];
    const visit = (group) => {
      for (const item of group.members) {
        found.push(item);
        if (item.isGroup && item.isOpen) visit(item);
      }
    };
    visit(this.root);
    return found;
  }

  /** Return the edges between what is seen: those of closed groups are drawn as one. */
  visibleEdges() {
    const found = new Map();
    for (const edge of this.edges) {
      const tail = standIn(edge.tail);
      const head = standIn(edge.head);
      if (tail === head) continue;
      const key = `${tail.id}>${head.id}`;
      const known = found.get(key);
      if (known) {
        known.edges.push(edge);
        if (edge.kind === "gradient") known.kind = edge.kind;
      } else {
        found.set(key, { key, tail, head, kind: edge.kind, edges: [edge] });
      }
    }
    return [...found.values()];
  }
}

/** Return the groups around an item, from the innermost to the root. */
export function groupsAround(item) {
  const groups = [];
  for (let group = item.parent; group; group = group.parent) groups.push(group);
  return groups;
}

export function isSeen(item) {
  return groupsAround(item).every((group) => group.isOpen);
}

/** Return what an item is seen as: itself, or the outermost closed group around it. */
export function standIn(item) {
  return groupsAround(item).findLast((group) => !group.isOpen) ?? item;
}

/** Return what an item is called where there is little room. */
export function titleOf(item) {
  if (item.isGroup) return item.name || item.kind || "everything";
  return item.name || item.title || item.kind;
}

/** Tell whether numbers that are none, or infinite, stand in a node's value or gradient. */
function isAmiss(node) {
  const arrays = (node.values ?? []).flatMap((value) => [value.value, value.grad]);
  return arrays.some((array) => array && (array.nan > 0 || array.infinite > 0));
}
