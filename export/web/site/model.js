// An exported model: its ONNX graphs, and the loop that draws with them.

import { normals, uniforms } from './random.js';
import * as ort from './runtime/ort.wasm.min.mjs';

const WASM = 'runtime/ort-wasm-simd-threaded.wasm.gz';
let runtime;

// Bytes of one of the site's files.
async function bytes(path) {
  let response;
  try {
    response = await fetch(path);
  } catch {
    throw new Error(`${path} could not be fetched. Is the server still there?`);
  }
  if (!response.ok)
    throw new Error(`${path} is missing (the server says ${response.status}). Write the site again.`);
  return response.arrayBuffer();
}

// Starts the runtime, once: one thread, so that no server needs to send special headers.
function start() {
  runtime ??= bytes(WASM).then(async packed => {
    const isPacked = new Uint8Array(packed)[0] === 0x1f; // some servers unpack by themselves
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = isPacked ? await new Response(new Blob([packed]).stream()
      .pipeThrough(new DecompressionStream('gzip'))).arrayBuffer() : packed;
  });
  return runtime;
}

function tensor(rows) {
  const data = new Float32Array(rows.length * rows[0].length);
  rows.forEach((row, index) => data.set(row, index * row.length));
  return new ort.Tensor('float32', data, [rows.length, rows[0].length]);
}

function column(n, value) {
  return new ort.Tensor('float32', new Float32Array(n).fill(value), [n]);
}

function rows(tensor) {
  const [n, size] = tensor.dims;
  return Array.from({ length: n }, (_, row) => tensor.data.subarray(row * size, (row + 1) * size));
}

export class Model {
  // Loads what an exhibit of latentgen.json says; throws an Error that a person can read.
  static async open(facts) {
    const model = new Model();
    model.facts = facts;
    const parts = ['start', 'step', ...(facts.attributes.length ? ['constrain'] : [])];
    const files = await Promise.all([...parts.map(part => bytes(`${facts.folder}/${part}.onnx`)),
      facts.points ? bytes(`${facts.folder}/points.bin`) : null, start()]);
    model.points = new Float32Array(files[parts.length] ?? 0);
    for (const [index, part] of parts.entries()) {
      try {
        model[part] = await ort.InferenceSession.create(files[index]);
      } catch (error) {
        throw new Error(`${facts.folder}/${part}.onnx could not be read (${error.message}).`);
      }
    }
    return model;
  }

  // A point to start from that the seeds determine: of one that a person made where there are
  // such, else of the prior.
  point(...seeds) {
    const { points, latent_size: size } = this.facts;
    if (!points) return normals(size, ...seeds);
    const row = Math.floor(uniforms(...seeds)() * points);
    return this.points.slice(row * size, (row + 1) * size);
  }

  // The points z moved to what is wished: [{ column, target, strength }, …].
  //
  // Wishes of one strength are asked for together. Where strengths differ, the weaker ones are
  // asked for on a part of the way only: with strengths s1 ≥ s2 ≥ … and G(k) where z goes
  // when asked for the first k wishes, z' = z + Σ (s_k − s_(k+1)) (G(k) − z).
  async constrained(z, wishes) {
    const asked = wishes.filter(wish => wish.strength > 0).sort((a, b) => b.strength - a.strength);
    const targets = new Float32Array(this.facts.attributes.length).fill(NaN);
    const result = z.map(row => row.slice());
    for (const [index, wish] of asked.entries()) {
      targets[wish.column] = wish.target;
      const share = wish.strength - (asked[index + 1]?.strength ?? 0);
      if (share <= 0) continue;
      const { moved } = await this.constrain.run({
        z: tensor(z), targets: tensor(z.map(() => targets)), strength: column(z.length, share),
      });
      rows(moved).forEach((row, n) => row.forEach((value, i) => { result[n][i] += value - z[n][i]; }));
    }
    return result;
  }

  // Draws a sequence for each z: yields, step by step, each row's element and whether it ended.
  //
  // `noises` are functions that give uniforms, one a row.
  async *draw(z, noises, temperature) {
    const { noise_size: size, max_length: most } = this.facts;
    let { element, state, context } = await this.start.run({ z: tensor(z) });
    const temperatures = column(z.length, temperature);
    for (let index = 0; index < most; index++) {
      const noise = tensor(noises.map(uniform => Float32Array.from({ length: size }, uniform)));
      const drawn = await this.step.run({ element, state, context, noise,
        temperature: temperatures });
      ({ next_element: element, next_state: state } = drawn);
      yield { elements: rows(element), ended: drawn.ended.data };
    }
  }
}
