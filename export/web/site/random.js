// Numbers that a seed determines: each row of a batch has streams of its own.

// A function that gives uniforms in [0, 1), of some whole numbers (xmur3's mixing, mulberry32).
export function uniforms(...seeds) {
  let state = 1779033703;
  for (const seed of seeds) {
    state = Math.imul(state ^ seed, 3432918353);
    state = (state << 13) | (state >>> 19);
    state = Math.imul(state ^ (state >>> 16), 2246822507);
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// A point z of the prior N(0, 1) (Box & Muller 1958).
export function normals(size, ...seeds) {
  const uniform = uniforms(...seeds);
  return Float32Array.from({ length: size }, () =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}

// The point a share of the way along the arc from one point to another, as latentgen.vae.slerp.
export function onTheWay(from, to, share) {
  const dot = (a, b) => a.reduce((sum, value, index) => sum + value * b[index], 0);
  const cosine = dot(from, to) / Math.sqrt(dot(from, from) * dot(to, to));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const [first, second] = Math.sin(angle) < 1e-6 ? [1 - share, share]
    : [Math.sin((1 - share) * angle) / Math.sin(angle), Math.sin(share * angle) / Math.sin(angle)];
  return from.map((value, index) => first * value + second * to[index]);
}
