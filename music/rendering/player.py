"""What makes a roll in a page audible: its style and its script, without any network.

The script plays a `figure` of `latentgen.music.rendering.page` when it is clicked (or Enter or the
space bar is pressed on it) and stops it when it is clicked again, another one is, or Escape is
pressed. The notes are in the figure's `data-song`: {"notes": [[start, length, pitch, velocity,
drum], …], "seconds": …, "clock": [[seconds, share of the picture's width], …]}, drum being -1 for a
pitched note. The colours are the page's variables --ink, --muted and --accent, where it has them.
"""

STYLE = """
.rolls { display:grid; grid-template-columns:repeat(auto-fill,minmax(min(330px,100%),1fr));
  gap:30px 34px; margin:22px 0 8px }
.rolls.wide { grid-template-columns:1fr }
.roll { margin:0; cursor:pointer; min-width:0; border-radius:4px; outline-offset:8px;
  color:var(--ink,#1d1d1f); -webkit-tap-highlight-color:transparent }
.roll:focus:not(:focus-visible) { outline:none }
.roll .stage { position:relative }
.roll svg { display:block; width:100%; height:auto }
.roll .playhead { position:absolute; top:0; bottom:0; left:0; width:2px; margin-left:-1px;
  background:var(--accent,#c2452d); visibility:hidden }
.roll.playing .playhead { visibility:visible }
.roll rect.on { fill:var(--accent,#c2452d); opacity:1 }
.roll figcaption { font:13px/1.4 system-ui,'Segoe UI',Helvetica,sans-serif; margin-top:8px;
  color:var(--muted,#77757a); display:flex; gap:8px; align-items:baseline }
.roll figcaption::before { content:''; flex:none; width:9px; height:10px; background:currentColor;
  clip-path:polygon(0 0,100% 50%,0 100%) }
.roll:hover figcaption, .roll.playing figcaption { color:var(--ink,#1d1d1f) }
.roll.playing figcaption::before { clip-path:none; height:9px; background:var(--accent,#c2452d) }
"""

SCRIPT = """
(() => {
  'use strict';
  let context, output, noise, wave, current = null;

  function start() {
    context = new (window.AudioContext || window.webkitAudioContext)();
    output = context.createDynamicsCompressor();
    output.connect(context.destination);
    const rate = context.sampleRate;
    noise = context.createBuffer(1, 3 * rate, rate);
    const samples = noise.getChannelData(0);
    for (let i = 0; i < samples.length; i++) samples[i] = 2 * Math.random() - 1;
    const room = context.createBuffer(2, 0.7 * rate, rate);
    for (const channel of [0, 1]) {
      const answer = room.getChannelData(channel);
      for (let i = 0.012 * rate | 0; i < answer.length; i++)
        answer[i] = (2 * Math.random() - 1) * Math.exp(-i / rate / 0.14);
    }
    const reverb = context.createConvolver(), wet = context.createGain();
    reverb.buffer = room;
    wet.gain.value = 0.22;
    const input = context.createGain();
    input.gain.value = 0.5;
    input.connect(output);
    input.connect(reverb).connect(wet).connect(output);
    output = input;
    const partials = [0, 1, 0.4, 0.18, 0.09, 0.045, 0.02, 0.01];
    wave = context.createPeriodicWave(new Float32Array(8), new Float32Array(partials),
      { disableNormalization: true });
  }

  // A source through a gain that is `level` at `time` and has faded by a half `half` seconds later.
  function voice(song, source, time, level, half, end) {
    const gain = context.createGain();
    gain.gain.setValueAtTime(0, time);
    gain.gain.linearRampToValueAtTime(level, time + 0.004);
    gain.gain.setTargetAtTime(0, time + 0.004, half * 1.44);
    gain.connect(song.output);
    source.start(time);
    source.stop(end);
    song.sources.push(source);
    return gain;
  }

  function pluck(song, time, length, pitch, loudness) {
    const frequency = 440 * 2 ** ((pitch - 69) / 12);
    const source = context.createOscillator(), filter = context.createBiquadFilter();
    source.setPeriodicWave(wave);
    source.frequency.value = frequency;
    filter.type = 'lowpass';
    filter.frequency.setValueAtTime(Math.min(18000, frequency * (3 + 6 * loudness)), time);
    filter.frequency.setTargetAtTime(frequency * 1.5, time, 0.5);
    const level = 0.5 * loudness * (440 / frequency) ** 0.25;
    const half = 0.42 * (440 / frequency) ** 0.4;
    const gain = voice(song, source, time, level, half, time + length + 0.4);
    gain.gain.setTargetAtTime(0, time + length, 0.06);
    source.connect(filter).connect(gain);
  }

  function skin(song, time, pitch, drop, half, level) {
    const source = context.createOscillator();
    source.frequency.setValueAtTime(pitch + drop, time);
    source.frequency.setTargetAtTime(pitch, time, 0.035);
    source.connect(voice(song, source, time, level, half, time + 10 * half));
  }

  function rattle(song, time, cutoff, half, level) {
    const source = context.createBufferSource(), filter = context.createBiquadFilter();
    source.buffer = noise;
    source.loop = true;
    filter.type = 'highpass';
    filter.frequency.value = cutoff;
    source.connect(filter).connect(voice(song, source, time, level, half, time + 8 * half));
  }

  const KIT = [
    (song, time, loud) => skin(song, time, 50, 110, 0.085, loud),
    (song, time, loud) => { skin(song, time, 185, 60, 0.05, 0.5 * loud);
      rattle(song, time, 1500, 0.06, 0.7 * loud); },
    (song, time, loud) => rattle(song, time, 7000, 0.02, 0.5 * loud),
    (song, time, loud) => rattle(song, time, 6500, 0.11, 0.42 * loud),
    (song, time, loud) => skin(song, time, 95, 57, 0.11, 0.8 * loud),
    (song, time, loud) => skin(song, time, 130, 78, 0.11, 0.8 * loud),
    (song, time, loud) => skin(song, time, 175, 105, 0.11, 0.8 * loud),
    (song, time, loud) => rattle(song, time, 3500, 0.38, 0.42 * loud),
    (song, time, loud) => { rattle(song, time, 5500, 0.22, 0.24 * loud);
      skin(song, time, 3150, 0, 0.08, 0.05 * loud); },
  ];

  function stop() {
    if (!current) return;
    const { song, figure, marks, frame } = current;
    current = null;
    cancelAnimationFrame(frame);
    song.output.gain.setTargetAtTime(0, context.currentTime, 0.015);
    for (const source of song.sources) source.stop(context.currentTime + 0.1);
    figure.classList.remove('playing');
    figure.setAttribute('aria-pressed', 'false');
    for (const mark of marks) mark.classList.remove('on');
  }

  function play(figure) {
    if (!context) start();
    context.resume();
    const { notes, seconds, clock } = JSON.parse(figure.dataset.song);
    const song = { output: context.createGain(), sources: [] };
    song.output.connect(output);
    const begin = context.currentTime + 0.06;
    for (const [time, length, pitch, velocity, drum] of notes) {
      const loudness = (velocity / 127) ** 1.5;
      if (drum < 0) pluck(song, begin + time, length, pitch, loudness);
      else KIT[drum](song, begin + time, loudness);
    }
    // A picture's last rectangles are its notes, in the same order.
    const marks = notes.length ? [...figure.querySelectorAll('rect')].slice(-notes.length) : [];
    const head = figure.querySelector('.playhead');
    figure.classList.add('playing');
    figure.setAttribute('aria-pressed', 'true');
    current = { song, figure, marks, frame: 0 };
    (function tick() {
      const time = context.currentTime - begin;
      if (time > seconds + 0.5) return stop();
      let piece = 1;
      while (piece < clock.length - 1 && clock[piece][0] < time) piece++;
      const [[t0, x0], [t1, x1]] = clock.slice(piece - 1, piece + 1);
      const share = Math.min(1, Math.max(0, (time - t0) / (t1 - t0)));
      head.style.left = 100 * (x0 + share * (x1 - x0)) + '%';
      notes.forEach(([from, length], index) => marks[index].classList.toggle('on',
        time >= from && time < from + Math.max(length, 0.1)));
      current.frame = requestAnimationFrame(tick);
    })();
  }

  function toggle(figure) {
    const again = current && current.figure === figure;
    stop();
    if (!again) play(figure);
  }

  document.addEventListener('click', event => {
    const figure = event.target.closest('.roll[data-song]');
    if (figure) toggle(figure);
  });
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') return stop();
    const figure = event.target.closest && event.target.closest('.roll[data-song]');
    if (!figure || (event.key !== 'Enter' && event.key !== ' ')) return;
    event.preventDefault();
    if (!event.repeat) toggle(figure);
  });
})();
"""
