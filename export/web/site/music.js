// A piano roll that grows note by note; a click plays it (player.js).

import { midi } from './midi.js';

const SVG = 'http://www.w3.org/2000/svg';
const KIT = ['kick', 'snare', 'closed hi-hat', 'open hi-hat', 'low tom', 'mid tom', 'high tom',
  'crash', 'ride'];
const DRUM_PITCHES = [36, 38, 42, 46, 45, 48, 50, 49, 51]; // General MIDI's, of each of the kit
const TEMPO = 120; // quarters a minute
const [WIDTH, HEIGHT] = [400, 140];

class Roll {
  static layout = 'pair';
  static pieces = 6;
  static file = 'MIDI';

  constructor(facts) {
    this.steps = facts.max_length;
    this.bar = facts.arguments.converter.steps_per_bar;
    this.beat = facts.arguments.converter.steps_per_quarter;
    this.figure = document.createElement('figure');
    this.figure.className = 'roll';
    this.figure.tabIndex = 0;
    this.figure.setAttribute('role', 'button');
    this.figure.setAttribute('aria-label', `Play ${this.constructor.what}`);
    this.figure.innerHTML = `<div class="stage"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}"></svg>` +
      '<i class="playhead"></i></div><figcaption>play</figcaption>';
    this.svg = this.figure.querySelector('svg');
    this.head = this.figure.querySelector('.playhead');
    this.begin();
  }

  begin() {
    this.step = 0;
    this.notes = []; // [step, steps, pitch, drum or -1]
  }

  x(step) {
    return this.left + (WIDTH - this.left) * step / this.steps;
  }

  // Draws everything anew: there is little of it, and the scale may have changed.
  show(done = true) {
    this.svg.replaceChildren();
    this.rows();
    const { bar, beat, steps } = this;
    for (let step = 0; step <= steps; step += beat)
      this.box(Math.min(this.x(step), WIDTH - 1), 0, step % bar ? 0.75 : 1, HEIGHT,
        step % bar ? 0.1 : 0.32);
    for (const note of this.notes) this.note(...note);
    this.figure.classList.toggle('coming', !done);
    this.head.style.left = `${100 * this.x(this.step) / WIDTH}%`;
    const seconds = step => step * 60 / TEMPO / beat;
    this.figure.dataset.song = JSON.stringify({
      notes: this.notes.map(([step, length, pitch, drum]) =>
        [seconds(step), seconds(length), pitch, 80, drum]),
      seconds: seconds(steps),
      clock: [[0, this.left / WIDTH], [seconds(steps), 1]],
    });
    return true;
  }

  box(x, y, width, height, opacity, radius = 0) {
    const box = document.createElementNS(SVG, 'rect');
    const values = { x, y, width, height, opacity, rx: radius, fill: 'currentColor' };
    for (const name in values) box.setAttribute(name, values[name]);
    this.svg.append(box);
  }

  label(text, y) {
    const label = document.createElementNS(SVG, 'text');
    const values = { x: this.left - 6, y, 'text-anchor': 'end', 'dominant-baseline': 'central',
      'font-size': 9, fill: 'var(--muted)', 'font-family': 'system-ui, sans-serif' };
    for (const name in values) label.setAttribute(name, values[name]);
    label.textContent = text;
    this.svg.append(label);
  }

  save() {
    const { beat } = this;
    return ['audio/midi', midi(this.notes.map(([step, length, pitch, drum]) =>
      ({ start: step / beat, length: length / beat, pitch, drum: drum >= 0 })), TEMPO)];
  }
}

export class Melody extends Roll {
  static what = 'a melody';
  left = 26;

  // The next element, one-hot: 0 goes on, 1 ends what sounds, from 2 on a note from A0 starts.
  add(element) {
    const event = element.indexOf(Math.max(...element));
    if (event >= 2) {
      this.notes.push([this.step, 1, event - 2 + 21, -1]);
      this.sounding = true;
    } else if (event === 1) {
      this.sounding = false;
    } else if (this.sounding && this.notes.length) {
      this.notes.at(-1)[1]++;
    }
    this.step++;
  }

  begin() {
    super.begin();
    this.sounding = false;
  }

  rows() {
    const pitches = this.notes.map(note => note[2]);
    this.low = Math.min(57, ...pitches) - 1;
    this.high = Math.max(79, ...pitches) + 1;
    this.row = HEIGHT / (this.high - this.low + 1);
    for (let pitch = this.low; pitch <= this.high; pitch++) {
      if (pitch % 12 === 0) {
        this.box(this.left, this.y(pitch) + this.row, WIDTH - this.left, 0.75, 0.18);
        this.label(`C${pitch / 12 - 1}`, this.y(pitch) + this.row / 2);
      } else if ([1, 3, 6, 8, 10].includes(pitch % 12)) {
        this.box(this.left, this.y(pitch), WIDTH - this.left, this.row, 0.025);
      }
    }
  }

  y(pitch) {
    return (this.high - pitch) * this.row;
  }

  note(step, length, pitch) {
    const x = this.x(step);
    this.box(x, this.y(pitch) + 0.04 * this.row, this.x(step + length) - x - 1.2, 0.92 * this.row,
      0.8, 2);
  }
}

export class Drums extends Roll {
  static what = 'drums';
  left = 66;

  // The next element, one-hot over the 512 sets of nine drums, or the nine drums themselves.
  add(element) {
    const chosen = element.indexOf(Math.max(...element));
    KIT.forEach((_, drum) => {
      if (element.length === KIT.length ? element[drum] > 0.5 : chosen >> drum & 1)
        this.notes.push([this.step, 1, DRUM_PITCHES[drum], drum]);
    });
    this.step++;
  }

  rows() {
    KIT.forEach((name, drum) => {
      this.box(this.left, this.y(drum), WIDTH - this.left, 0.75, 0.1);
      this.label(name, this.y(drum));
    });
  }

  y(drum) {
    return HEIGHT * (1 - (drum + 0.5) / KIT.length);
  }

  note(step, length, pitch, drum) {
    const height = 0.62 * HEIGHT / KIT.length;
    this.box(this.x(step), this.y(drum) - height / 2, 0.7 * height, height, 0.8, 2);
  }
}
