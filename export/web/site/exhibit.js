// A model, what it draws, and what a visitor may change.

import { slider, Wish } from './controls.js';
import { Drums, Melody } from './music.js';
import { onTheWay, uniforms } from './random.js';
import { Model } from './model.js';
import { Sketch } from './sketch.js';

const KINDS = { sketch: [Sketch, 'Drawings'], melody: [Melody, 'Melodies'], drums: [Drums, 'Drums'] };
const STILL = matchMedia('(prefers-reduced-motion: reduce)');
const SEEDS = { from: 0, to: 1, noise: 2 }; // streams of random numbers
const PACE = 16; // milliseconds a step, where the eye follows
const BLOCK = 12; // milliseconds after which a page must be let breathe

const nextFrame = () => new Promise(resolve => {
  // A hidden page has no frames.
  if (document.hidden) setTimeout(resolve);
  else requestAnimationFrame(resolve);
});

export class Exhibit {
  constructor(facts) {
    const [Piece, title] = KINDS[facts.kind];
    this.facts = facts;
    this.element = document.createElement('section');
    this.element.className = 'exhibit';
    this.element.id = facts.name;
    this.element.innerHTML = '<h2></h2><div class="pieces"></div><form></form>';
    const [heading, pieces, form] = this.element.children;
    heading.textContent = title;
    if (facts.card) heading.append(this.about());
    pieces.classList.add(Piece.layout);
    this.pieces = Array.from({ length: Piece.pieces }, () => new Piece(facts));
    pieces.append(...this.pieces.map((piece, index) => this.tile(piece, index, Piece.file)));
    this.controls(form);
  }

  about() {
    const link = document.createElement('a');
    link.href = `${this.facts.folder}/card.txt`;
    link.textContent = 'about this model';
    return link;
  }

  tile(piece, index, kind) {
    const tile = document.createElement('div');
    tile.className = 'tile';
    const save = document.createElement('button');
    save.type = 'button';
    save.className = 'save';
    save.textContent = `save ${kind}`;
    save.addEventListener('click', () => {
      const [type, content] = piece.save();
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([content], { type }));
      const ending = kind === 'MIDI' ? 'mid' : 'svg';
      link.download = `${this.facts.name}-${this.seed.value}-${index + 1}.${ending}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href));
    });
    tile.append(piece.figure, save);
    return tile;
  }

  controls(form) {
    form.addEventListener('submit', event => event.preventDefault());
    this.temperature = slider('temperature', { min: 0, max: 1.2, step: 0.05,
      value: this.facts.temperature, told: value => value ? value.toFixed(2) : 'the likeliest' });
    this.way = slider('towards another', { min: 0, max: 1, step: 0.02, value: 0,
      told: value => `${Math.round(100 * value)} %` });
    this.wishes = this.facts.attributes.map((attribute, column) => new Wish(attribute, column));
    const again = document.createElement('div');
    again.className = 'again';
    again.innerHTML = '<label>seed <input type="number" min="0" max="999999" value="1"></label>' +
      '<button type="button">Draw again</button>';
    this.seed = again.querySelector('input');
    again.querySelector('button').addEventListener('click', () => {
      this.seed.value = (this.seedValue + 1) % 1000000;
      this.draw(true);
    });
    this.status = document.createElement('p');
    this.status.className = 'status';
    this.status.setAttribute('aria-live', 'polite');
    form.append(again, this.temperature.control, this.way.control);
    if (this.wishes.length) {
      const asked = document.createElement('h3');
      asked.textContent = 'Ask for it';
      form.append(asked, ...this.wishes.map(wish => wish.control));
    }
    form.append(this.status);
    form.addEventListener('input', event => this.draw(event.target === this.seed));
  }

  get seedValue() {
    return Math.abs(Math.trunc(this.seed.valueAsNumber)) || 0;
  }

  // Loads the model and draws; what goes wrong becomes a sentence in the page.
  async open() {
    this.element.dataset.state = 'loading';
    this.status.textContent = 'the model is on its way …';
    try {
      this.model = await Model.open(this.facts);
      await this.draw(true);
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error) {
    console.error(error);
    this.element.dataset.state = 'error';
    this.element.classList.add('failed');
    const trouble = document.createElement('p');
    trouble.className = 'trouble';
    trouble.setAttribute('role', 'alert');
    trouble.textContent = `This cannot be shown: ${error.message}`;
    this.element.append(trouble);
  }

  // Draws what the controls say, `slowly` for the eye to follow. While something is being drawn,
  // the newest wish waits for it; a slow drawing gives way.
  async draw(slowly) {
    if (!this.model) return;
    this.wanted = { slowly: slowly && !STILL.matches };
    if (this.drawing) return;
    this.drawing = true;
    try {
      while (this.wanted) {
        const { slowly } = this.wanted;
        this.wanted = null;
        await this.drawOnce(slowly);
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.drawing = false;
    }
  }

  async points() {
    const points = this.pieces.map((_, row) => {
      const [from, to] = [SEEDS.from, SEEDS.to].map(end =>
        this.model.point(this.seedValue, row, end));
      return onTheWay(from, to, this.way.input.valueAsNumber);
    });
    return this.model.constrained(points, this.wishes.map(wish => wish.asked));
  }

  async drawOnce(slowly) {
    this.element.dataset.state = 'drawing';
    if (this.element.querySelector('.playing')) // what is about to change stops
      document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
    const noises = this.pieces.map((_, row) => uniforms(this.seedValue, row, SEEDS.noise));
    const steps = this.model.draw(await this.points(), noises,
      this.temperature.input.valueAsNumber);
    const drawn = [], open = new Set(this.pieces.keys());
    let spent = 0, breath = performance.now(), due = breath;
    if (slowly) this.pieces.forEach(piece => piece.begin());
    while (open.size) {
      const begun = performance.now();
      const { value, done } = await steps.next();
      if (done) break;
      spent += performance.now() - begun;
      drawn.push(value.elements);
      for (const row of open) {
        if (slowly) this.pieces[row].add(value.elements[row]);
        if (value.ended[row]) this.finished(open, row);
      }
      if (slowly && this.wanted) return;
      due += PACE;
      const now = performance.now();
      if (slowly && now < due || now - breath > BLOCK) {
        if (slowly) this.settled();
        await nextFrame();
        breath = performance.now();
      }
    }
    if (!slowly) this.replace(drawn);
    while (slowly && !this.wanted && !this.settled()) await nextFrame();
    this.pieces.forEach(piece => piece.show());
    this.tell(spent / drawn.length);
  }

  // A piece has come to its end; `data-seconds` says when, after the page was opened, the first did.
  finished(open, row) {
    open.delete(row);
    this.element.dataset.seconds ??= (performance.now() / 1000).toFixed(2);
  }

  // Shows all pieces as far as they are; true if none has to move any more.
  settled() {
    return this.pieces.map(piece => piece.show(false)).every(Boolean);
  }

  // Shows at once what was drawn: elements of each step and row.
  replace(drawn) {
    this.pieces.forEach((piece, row) => {
      piece.begin();
      for (const elements of drawn) piece.add(elements[row]);
    });
  }

  tell(milliseconds) {
    this.element.dataset.state = 'done';
    this.element.dataset.seconds ??= (performance.now() / 1000).toFixed(2);
    this.element.dataset.milliseconds = milliseconds.toFixed(2);
    this.status.textContent = `${this.pieces.length} at once, ${milliseconds.toFixed(1)} ms a step`;
  }
}
