// A MIDI file of some notes.

const TICKS = 220; // a quarter

const big = (value, bytes) =>
  Array.from({ length: bytes }, (_, index) => value >>> 8 * (bytes - 1 - index) & 255);
const letters = text => [...text].map(letter => letter.charCodeAt(0));

// A number in the file's own way: seven bits a byte, all but the last marked.
function variable(value) {
  const bytes = [value & 127];
  while (value >>>= 7) bytes.unshift(value & 127 | 128);
  return bytes;
}

// notes: [{ start, length, pitch, drum }, …] in quarters; tempo in quarters a minute.
export function midi(notes, tempo) {
  const events = notes.flatMap(({ start, length, pitch, drum }) => [
    [Math.round(start * TICKS), [0x90 | (drum ? 9 : 0), pitch, 80]],
    [Math.round((start + length) * TICKS), [0x80 | (drum ? 9 : 0), pitch, 0]],
  ]);
  // At one time a note ends before the next begins.
  events.sort((a, b) => a[0] - b[0] || (a[1][0] >> 4) - (b[1][0] >> 4));
  const track = [0, 0xff, 0x51, 3, ...big(Math.round(6e7 / tempo), 3)];
  let now = 0;
  for (const [time, event] of events) {
    track.push(...variable(time - now), ...event);
    now = time;
  }
  track.push(0, 0xff, 0x2f, 0);
  return new Uint8Array([...letters('MThd'), ...big(6, 4), 0, 0, 0, 1, ...big(TICKS, 2),
    ...letters('MTrk'), ...big(track.length, 4), ...track]);
}
