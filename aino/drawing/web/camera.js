// Which part of the drawing is seen: dragging moves it, the wheel and two fingers zoom.

const SMALLEST = 0.02;
const LARGEST = 6;
const READABLE = 0.5;

export class Camera {
  constructor(svg, layer) {
    this.svg = svg;
    this.layer = layer;
    this.x = 0;
    this.y = 0;
    this.scale = 1;
    this.fingers = new Map();
    this.hasMoved = false;
    svg.addEventListener("wheel", (event) => this.turn(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.press(event));
    svg.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      svg.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    }
  }

  apply() {
    this.layer.setAttribute("transform", `translate(${this.x} ${this.y}) scale(${this.scale})`);
  }

  /** Show all of a drawing of this size, no larger than it is. */
  fit({ width, height }) {
    const room = this.svg.getBoundingClientRect();
    const scale = Math.min(1, (room.width - 40) / width, (room.height - 40) / height);
    this.scale = Math.max(SMALLEST, scale);
    this.x = (room.width - width * this.scale) / 2;
    this.y = Math.max(20, (room.height - height * this.scale) / 2);
    this.apply();
  }

  /** Show a drawing from its beginning where all of it would be too small to read. */
  begin(size) {
    this.fit(size);
    if (this.scale >= READABLE) return;
    const room = this.svg.getBoundingClientRect();
    this.scale = Math.max(READABLE, Math.min(1, (room.width - 40) / size.width));
    this.x = (room.width - size.width * this.scale) / 2;
    this.y = 20;
    this.apply();
  }

  /** Zoom around a point of the window, by default its middle. */
  zoom(factor, point = this.middle()) {
    const scale = Math.min(LARGEST, Math.max(SMALLEST, this.scale * factor));
    this.x = point.x - (point.x - this.x) * (scale / this.scale);
    this.y = point.y - (point.y - this.y) * (scale / this.scale);
    this.scale = scale;
    this.apply();
  }

  move(x, y) {
    this.x += x;
    this.y += y;
    this.apply();
  }

  /** Show a box in the middle, large enough to be read. */
  visit(box) {
    if (this.scale >= READABLE) {
      this.show(box);
      return;
    }
    const room = this.middle();
    this.scale = 1;
    this.x = room.x - (box.x + box.width / 2);
    this.y = room.y - (box.y + Math.min(box.height / 2, room.y - 40));
    this.apply();
  }

  /** Move as little as is needed for a box to be seen. */
  show({ x, y, width, height }) {
    const room = this.svg.getBoundingClientRect();
    const needed = (start, length, available) => {
      const edge = 30;
      if (start < edge || length > available - 2 * edge) return edge - start;
      return Math.min(0, available - edge - (start + length));
    };
    this.move(
      needed(x * this.scale + this.x, width * this.scale, room.width),
      needed(y * this.scale + this.y, height * this.scale, room.height),
    );
  }

  middle() {
    const { width, height } = this.svg.getBoundingClientRect();
    return { x: width / 2, y: height / 2 };
  }

  inside(event) {
    const { left, top } = this.svg.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  turn(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    this.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), this.inside(event));
  }

  press(event) {
    this.fingers.set(event.pointerId, this.inside(event));
    this.hasMoved = false;
  }

  drag(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const now = this.inside(event);
    const others = [...this.fingers].filter(([id]) => id !== event.pointerId);
    if (!this.hasMoved && Math.hypot(now.x - before.x, now.y - before.y) < 4) return;
    if (!this.hasMoved) this.svg.setPointerCapture(event.pointerId);
    this.hasMoved = true;
    if (others.length) {
      const [, other] = others[0];
      const apart = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
      this.zoom(apart(now) / apart(before), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    } else {
      this.move(now.x - before.x, now.y - before.y);
    }
    this.fingers.set(event.pointerId, now);
  }
}
