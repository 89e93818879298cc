// Sliders and what else a visitor changes.

let count = 0;

// A labelled slider; `told` says what its value is called.
export function slider(title, { min, max, step, value, told = number => number.toFixed(2) }) {
  const control = document.createElement('div');
  control.className = 'control';
  const id = `control-${count++}`;
  control.innerHTML = `<label for="${id}"></label><output for="${id}"></output>` +
    `<input type="range" id="${id}">`;
  const [label, output, input] = control.children;
  label.textContent = title;
  Object.assign(input, { min, max, step, value });
  const tell = () => { output.value = told(input.valueAsNumber); };
  input.addEventListener('input', tell);
  tell();
  return { control, input, tell };
}

const STRONGEST = 1.5; // 1 is as learnt
const said = value => value ? value.toFixed(2) : 'not asked';

// What a visitor asks of an attribute: a strength, 0 for nothing, and the value wished for.
//
// Yes and no are the two ends of one slider; other values are chosen beside it.
export class Wish {
  constructor(attribute, column) {
    this.column = column;
    const yesOrNo = attribute.kind === 'binary';
    this.strength = slider(attribute.name.replaceAll('_', ' '), {
      min: yesOrNo ? -STRONGEST : 0, max: STRONGEST, step: 0.05, value: 0,
      told: value => yesOrNo && value ? `${value > 0 ? 'yes' : 'no'} ${said(Math.abs(value))}`
        : said(value),
    });
    this.control = this.strength.control;
    this.control.classList.toggle('middle', yesOrNo);
    if (yesOrNo) this.value = () => Number(this.strength.input.valueAsNumber > 0);
    else if (attribute.classes) this.choose(attribute);
    else this.measure(attribute);
    this.fade();
    this.control.addEventListener('input', event => {
      // Who chooses a value wishes for it.
      if (event.target !== this.strength.input && !this.strength.input.valueAsNumber) {
        this.strength.input.value = 1;
        this.strength.tell();
      }
      this.fade();
    });
  }

  choose({ name, classes }) {
    const select = document.createElement('select');
    select.setAttribute('aria-label', `which ${name}`);
    select.append(...classes.map((each, index) => new Option(each, index)));
    this.control.append(select);
    this.value = () => Number(select.value);
  }

  measure({ mean, scale }) {
    const { control, input } = slider('value', {
      min: mean - 2.5 * scale, max: mean + 2.5 * scale, step: scale / 20, value: mean,
      told: value => value.toPrecision(3),
    });
    this.control.append(control);
    this.value = () => input.valueAsNumber;
  }

  fade() {
    this.control.classList.toggle('off', !this.strength.input.valueAsNumber);
  }

  get asked() {
    return { column: this.column, target: this.value(),
      strength: Math.abs(this.strength.input.valueAsNumber) };
  }
}
