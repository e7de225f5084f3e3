// The plane with its points, and the curve of the loss.

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

export function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Draw what the network says of every place: a class by its colour, the deeper the surer. */
export function drawPlane(canvas, state, chosen) {
  const { size } = state.plane;
  const classes = bytes(state.plane.chosen), shares = bytes(state.plane.share);
  const count = state.data.labels.length;
  const tones = state.data.labels.map((_, place) => rgb(colour(`--class${place}`)));
  const paper = rgb(colour("--paper"));
  const picture = new ImageData(size, size);
  for (let i = 0; i < size * size; i++) {
    const sure = (shares[i] / 255 - 1 / count) / (1 - 1 / count);
    const depth = 0.1 + 0.45 * Math.max(0, sure);
    for (let part = 0; part < 3; part++) {
      picture.data[4 * i + part] = paper[part] + depth * (tones[classes[i]][part] - paper[part]);
    }
    picture.data[4 * i + 3] = 255;
  }
  const small = document.createElement("canvas");
  small.width = small.height = size;
  small.getContext("2d").putImageData(picture, 0, 0);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = true;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  state.data.points.forEach((point, i) => {
    const [x, y] = toCanvas(canvas, state.data.box, point);
    context.beginPath();
    mark(context, state.data.classes[i], x, y, 8);
    context.fillStyle = colour(`--class${state.data.classes[i]}`);
    context.strokeStyle = colour("--paper");
    context.lineWidth = 2;
    context.fill();
    context.stroke();
  });
  if (chosen) {
    const [x, y] = toCanvas(canvas, state.data.box, chosen);
    context.beginPath();
    context.arc(x, y, 16, 0, 2 * Math.PI);
    context.strokeStyle = colour("--ink");
    context.lineWidth = 3.5;
    context.stroke();
  }
}

/** Classes differ in shape as well as in colour. */
function mark(context, kind, x, y, r) {
  if (kind === 1) {
    context.rect(x - r * 0.85, y - r * 0.85, r * 1.7, r * 1.7);
  } else if (kind === 2) {
    context.moveTo(x, y - r * 1.2);
    context.lineTo(x + r * 1.1, y + r * 0.8);
    context.lineTo(x - r * 1.1, y + r * 0.8);
    context.closePath();
  } else if (kind === 3) {
    context.moveTo(x, y - r * 1.25);
    context.lineTo(x + r * 1.1, y);
    context.lineTo(x, y + r * 1.25);
    context.lineTo(x - r * 1.1, y);
    context.closePath();
  } else {
    context.arc(x, y, r, 0, 2 * Math.PI);
  }
}

function toCanvas(canvas, [left, right, bottom, top], [x, y]) {
  return [
    ((x - left) / (right - left)) * canvas.width,
    ((top - y) / (top - bottom)) * canvas.height,
  ];
}

/** Return the place in the plane that was pointed at. */
export function toPlane(canvas, [left, right, bottom, top], event) {
  const box = canvas.getBoundingClientRect();
  return [
    left + ((event.clientX - box.left) / box.width) * (right - left),
    top - ((event.clientY - box.top) / box.height) * (top - bottom),
  ];
}

/** Draw the loss of each step. */
export function drawCurve(canvas, losses) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  const known = losses.filter(([, loss]) => loss !== null);
  if (!known.length) return;
  const first = known[0][0], last = Math.max(known[known.length - 1][0], first + 1);
  const most = Math.max(...known.map(([, loss]) => loss)) || 1;
  const [w, h, margin] = [canvas.width, canvas.height, 26];
  context.strokeStyle = colour("--line");
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(0, h - margin);
  context.lineTo(w, h - margin);
  context.stroke();
  context.strokeStyle = colour("--main");
  context.lineWidth = 3.5;
  context.lineJoin = "round";
  context.beginPath();
  known.forEach(([step, loss], i) => {
    const x = 4 + ((step - first) / (last - first)) * (w - 8);
    const y = h - margin - (loss / most) * (h - margin - 30);
    if (i) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
  context.stroke();
  context.fillStyle = colour("--pale");
  context.font = "20px system-ui, sans-serif";
  context.fillText(`loss, ${most.toPrecision(3)} at most`, 4, 20);
  context.fillText(`step ${first}`, 4, h - 4);
  context.textAlign = "right";
  context.fillText(`${last}`, w - 4, h - 4);
  context.textAlign = "left";
}
