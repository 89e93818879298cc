// A drawing that grows stroke by stroke, as SVG.

const SVG = 'http://www.w3.org/2000/svg';
const MARGIN = 1.12;
const SMALLEST = 60; // half the width shown at least, in the data's units

export class Sketch {
  static layout = 'wall';
  static pieces = 12;
  static file = 'SVG';

  constructor(facts) {
    this.scale = facts.arguments.scale; // from the model's units to the data's
    this.figure = document.createElement('figure');
    this.figure.className = 'sketch';
    this.svg = document.createElementNS(SVG, 'svg');
    this.svg.setAttribute('role', 'img');
    this.svg.setAttribute('aria-label', 'a drawing');
    [this.line, this.pen] = [0, 1].map(() => document.createElementNS(SVG, 'path'));
    this.pen.setAttribute('class', 'pen');
    this.svg.append(this.line, this.pen);
    this.figure.append(this.svg);
    this.begin();
  }

  begin() {
    Object.assign(this, { x: 0, y: 0, path: '', lifted: true, ended: false, box: null });
    this.left = this.top = Infinity;
    this.right = this.bottom = -Infinity;
  }

  // The next element, a stroke-5 row: dx, dy, pen down, pen lifted after it, end.
  add([dx, dy, , lifts, ends]) {
    this.ended ||= ends > 0.5;
    if (this.ended) return;
    this.x += dx * this.scale;
    this.y += dy * this.scale;
    const point = `${this.x.toFixed(1)} ${this.y.toFixed(1)}`;
    this.path += this.lifted ? `M${point}l0 0` : `L${point}`;
    this.lifted = lifts > 0.5;
    this.left = Math.min(this.left, this.x);
    this.right = Math.max(this.right, this.x);
    this.top = Math.min(this.top, this.y);
    this.bottom = Math.max(this.bottom, this.y);
  }

  // Shows what there is. While it grows the view follows gently; true if it is where it should be.
  show(done = true) {
    const nothing = done && !this.path;
    this.line.setAttribute('d', nothing ? 'M4.4 5H5.6' : this.path);
    this.figure.classList.toggle('nothing', nothing);
    const tip = done || this.ended || !this.path ? '' : `M${this.x} ${this.y}l0 0`;
    this.pen.setAttribute('d', tip);
    if (!this.path) {
      this.svg.setAttribute('viewBox', '0 0 10 10');
      return true;
    }
    const half = Math.max(SMALLEST, this.right - this.left, this.bottom - this.top) / 2 * MARGIN;
    const goal = [(this.left + this.right) / 2, (this.top + this.bottom) / 2, half];
    const share = done || !this.box ? 1 : 0.2;
    this.box = goal.map((value, index) =>
      share === 1 ? value : this.box[index] + share * (value - this.box[index]));
    const [x, y, size] = this.box;
    this.svg.setAttribute('viewBox', `${x - size} ${y - size} ${2 * size} ${2 * size}`);
    return this.box.every((value, index) => Math.abs(value - goal[index]) < size / 200);
  }

  // The drawing as a file: its type and content.
  save() {
    return ['image/svg+xml', `<svg xmlns="${SVG}" viewBox="${this.svg.getAttribute('viewBox')}" ` +
      'width="512" height="512"><path fill="none" stroke="#1d1d1f" stroke-width="2" ' +
      'stroke-linecap="round" stroke-linejoin="round" vector-effect="non-scaling-stroke" ' +
      `d="${this.path}"/></svg>\n`];
  }
}
