"""Sound without a system library: a soft plucked voice and a small drum kit, made of sines and
noise; or FluidSynth with a sound font, where that is installed.

Waveforms are mono float32 between -1 and 1. The same notes always sound the same.
"""

import os
from pathlib import Path

import numpy as np
from note_seq import NoteSequence
from scipy.io import wavfile
from scipy.signal import butter, oaconvolve, sosfilt

from latentgen.errors import InputError
from latentgen.files import atomic_file
from latentgen.music.kit import (
    CLOSED_HI_HAT,
    CRASH,
    HIGH_TOM,
    KICK,
    LOW_TOM,
    MID_TOM,
    OPEN_HI_HAT,
    SNARE,
    drums,
)
from latentgen.music.timing import in_seconds, to_seconds, total_quarters

SAMPLE_RATE = 44100
TAIL = 1.2  # seconds after the last note, in which it rings out
MAX_SECONDS = 1800.0
PEAK = 0.89  # of full scale: one decibel of room
TOMS = {LOW_TOM: 95.0, MID_TOM: 130.0, HIGH_TOM: 175.0}  # Hz


def to_waveform(
    notes: NoteSequence,
    sample_rate: int = SAMPLE_RATE,
    soundfont: str | os.PathLike | None = None,
) -> np.ndarray:
    """The sound of the notes: (samples,) float32, its loudest sample 0.89, silence if none sounds.

    Args:
        notes: in seconds or quantised, with drums or without. The sound lasts as long as they do,
            and 1.2 seconds to ring out.
        sample_rate: samples a second.
        soundfont: an .sf2 file to be played by FluidSynth, programs and all, instead.

    Raises:
        InputError: a sample rate that is not between 8000 and 192000; more than half an hour;
            FluidSynth or its Python package is not installed; the sound font does not exist.
    """
    if not 8000 <= sample_rate <= 192000:
        raise InputError(f"sample_rate: expected 8000 to 192000 a second, received {sample_rate}")
    starts, ends = in_seconds(notes)
    starts, ends = starts.clip(0), ends.clip(0)
    length = float(to_seconds(notes, np.array([total_quarters(notes)]))[0])
    length = max(length, ends.max(initial=0.0)) + TAIL
    if not length <= MAX_SECONDS:
        raise InputError(
            f"notes: expected at most half an hour of music, received {length:.0f} seconds; "
            "cut them"
        )
    samples = int(np.ceil(length * sample_rate))
    if soundfont is not None:
        sound = _fluidsynth(notes, starts, ends, sample_rate, soundfont)[:samples]
        sound = np.pad(sound, (0, samples - len(sound)))
    else:
        sound = _synthesise(notes, starts, ends, sample_rate, samples)
    ending = min(samples, int(0.5 * sample_rate))
    sound[samples - ending :] *= np.linspace(1, 0, ending)  # cymbals ring on, but not for ever
    loudest = np.abs(sound).max(initial=0.0)
    return (sound * (PEAK / loudest) if loudest > 0 else sound).astype(np.float32)


def write_wav(
    path: str | os.PathLike,
    notes: NoteSequence,
    sample_rate: int = SAMPLE_RATE,
    soundfont: str | os.PathLike | None = None,
) -> None:
    """Writes `to_waveform(…)` as a WAV file of 16-bit samples, whole or not at all."""
    sound = to_waveform(notes, sample_rate, soundfont)
    with atomic_file(path) as temporary:
        wavfile.write(temporary, sample_rate, np.round(sound * 32767).astype(np.int16))


def _synthesise(
    notes: NoteSequence, starts: np.ndarray, ends: np.ndarray, sample_rate: int, samples: int
) -> np.ndarray:
    sound = np.zeros(samples)
    noise = np.random.default_rng(0).standard_normal(3 * sample_rate)
    struck = drums(np.array([note.pitch for note in notes.notes], int))
    for index, note in enumerate(notes.notes):
        loudness = (min(note.velocity or 80, 127) / 127) ** 1.5
        if not note.is_drum:
            voice = 0.5 * _pluck(note.pitch, ends[index] - starts[index], loudness, sample_rate)
        elif struck[index] >= 0:
            voice = _drum(int(struck[index]), sample_rate, noise)
        else:
            continue
        first = int(starts[index] * sample_rate)
        voice = voice[: samples - first]
        sound[first : first + len(voice)] += loudness * voice
    return sound + 0.2 * oaconvolve(sound, _room(sample_rate, noise))[:samples]


def _pluck(pitch: int, seconds: float, loudness: float, sample_rate: int) -> np.ndarray:
    """A note of a soft electric piano: higher partials are weaker, fade sooner, follow loudness."""
    seconds, release = min(max(seconds, 0.05), 20.0), 0.06  # longer, and it has faded
    time = np.arange(int((seconds + 7 * release) * sample_rate)) / sample_rate
    frequency = 440.0 * 2 ** ((pitch - 69) / 12)
    fading = (frequency / 440) ** 0.4
    partials = np.arange(1, min(8, int(0.45 * sample_rate / frequency)) + 1)
    amplitudes = (0.35 + 0.35 * loudness) ** (partials - 1) / partials**0.5
    # Partial n is the n-th power of a fading complex wave: the sum of all is a polynomial in it.
    wave = np.exp((2j * np.pi * frequency - 0.9 * fading) * time)
    sound = np.polynomial.polynomial.polyval(wave, np.append(0.0, amplitudes)).imag
    # Low notes seem softer at the same amplitude.
    sound *= (440 / frequency) ** 0.25 * np.exp(-0.8 * fading * time)
    attack = (1 - np.cos(np.pi * (time / 0.006).clip(0, 1))) / 2
    let_go = np.exp(-(time - seconds).clip(0) / release)
    return sound * attack * let_go * _fade(time)


def _drum(drum: int, sample_rate: int, noise: np.ndarray) -> np.ndarray:
    """One stroke on a drum of the kit, at full loudness."""
    if drum == KICK:
        return _skin(50, 110, 0.12, 0.035, 0.6, sample_rate)
    if drum == SNARE:
        body = _skin(185, 60, 0.07, 0.02, 0.4, sample_rate)
        wires = _rattle(0.09, 1500, 0.4, sample_rate, noise)
        return 0.9 * np.tanh(0.6 * body + 0.45 * wires)
    if drum in TOMS:
        return 0.8 * _skin(TOMS[drum], 0.6 * TOMS[drum], 0.16, 0.05, 0.8, sample_rate)
    decay, cutoff, level = {
        CLOSED_HI_HAT: (0.03, 7000, 0.30),
        OPEN_HI_HAT: (0.16, 6500, 0.26),
        CRASH: (0.55, 3500, 0.28),
    }.get(drum, (0.32, 5500, 0.16))  # the ride
    sound = _rattle(decay, cutoff, 5 * decay + 0.05, sample_rate, noise)
    if drum not in (CLOSED_HI_HAT, OPEN_HI_HAT, CRASH):
        time = np.arange(len(sound)) / sample_rate
        sound += 0.35 * np.sin(2 * np.pi * 3150 * time) * np.exp(-time / 0.12)  # the ping
    return level * sound


def _skin(
    pitch: float, drop: float, decay: float, fall: float, seconds: float, sample_rate: int
) -> np.ndarray:
    """A drum skin: a sine that falls by `drop` Hz to `pitch` within some `fall` seconds."""
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    phase = pitch * time + drop * fall * (1 - np.exp(-time / fall))
    attack = (time / 0.002).clip(0, 1)
    return attack * np.sin(2 * np.pi * phase) * np.exp(-time / decay) * _fade(time)


def _rattle(
    decay: float, cutoff: float, seconds: float, sample_rate: int, noise: np.ndarray
) -> np.ndarray:
    """Noise above some `cutoff` Hz that dies away: wires and cymbals."""
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    high = butter(2, min(cutoff, 0.4 * sample_rate), "high", fs=sample_rate, output="sos")
    sound = sosfilt(high, noise[: len(time)])
    return sound * np.exp(-time / decay) * (time / 0.001).clip(0, 1) * _fade(time)


def _room(sample_rate: int, noise: np.ndarray) -> np.ndarray:
    """What a small room answers to a click: noise that dies away, without much treble."""
    time = np.arange(int(0.7 * sample_rate)) / sample_rate
    mean = np.ones(round(sample_rate / 2000))
    answer = np.convolve(noise[: len(time)], mean, mode="same")
    answer *= np.exp(-time / 0.14) * (time > 0.012)
    return answer / np.sqrt((answer**2).sum())


def _fade(time: np.ndarray) -> np.ndarray:
    """1, but for the last ten milliseconds, in which it goes to 0: nothing ends with a click."""
    return ((time[-1] - time) / 0.01).clip(0, 1) if len(time) else time


def _fluidsynth(
    notes: NoteSequence,
    starts: np.ndarray,
    ends: np.ndarray,
    sample_rate: int,
    soundfont: str | os.PathLike,
) -> np.ndarray:
    import note_seq

    try:
        import fluidsynth  # noqa: F401
    except (ImportError, OSError) as error:  # OSError: the package without the system's library
        raise InputError(
            "soundfont: expected FluidSynth and the package pyfluidsynth to be installed, "
            f"received: {error}; install them, or leave out the sound font"
        ) from error
    if not Path(soundfont).is_file():
        raise InputError(f"soundfont: expected an .sf2 file, received {os.fspath(soundfont)!r}")
    timed = NoteSequence()
    timed.CopyFrom(notes)
    timed.ClearField("quantization_info")
    for note, start, end in zip(timed.notes, starts, ends, strict=True):
        note.start_time, note.end_time = start, max(end, start + 0.01)
        note.velocity = note.velocity or 80
    return note_seq.fluidsynth(timed, sample_rate, os.fspath(soundfont))
