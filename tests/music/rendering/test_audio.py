"""Sound: the right pitches at the right times, every drum, no clipping, files that can be read."""

import sys
from pathlib import Path
from types import ModuleType

import note_seq
import numpy as np
import pytest
from note_seq import NoteSequence
from scipy.io import wavfile

from latentgen.errors import InputError
from latentgen.music.kit import KIT
from latentgen.music.rendering.audio import to_waveform, write_wav


def sequence(*notes: tuple[int, float, float], is_drum: bool = False, velocity: int = 90):
    result = NoteSequence()
    result.tempos.add(qpm=120)
    for pitch, start, end in notes:
        result.notes.add(
            pitch=pitch, velocity=velocity, start_time=start, end_time=end, is_drum=is_drum
        )
        result.total_time = max(result.total_time, end)
    return result


def strongest(sound: np.ndarray, rate: int) -> float:
    """The frequency of the strongest partial in Hz."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * rate / len(sound))


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_notes_sound_at_their_pitch_and_time(rate: int):
    sound = to_waveform(sequence((69, 0.0, 0.5), (57, 1.0, 1.5)), rate)
    assert sound.dtype == np.float32
    assert len(sound) == pytest.approx((1.5 + 1.2) * rate, abs=2)
    assert strongest(sound[: rate // 2], rate) == pytest.approx(440, abs=3)
    assert strongest(sound[rate : rate * 3 // 2], rate) == pytest.approx(220, abs=3)
    between = np.sqrt((sound[int(0.9 * rate) : rate] ** 2).mean())
    assert between < 0.1 * np.sqrt((sound[: rate // 2] ** 2).mean())


def test_nothing_clips_and_nothing_clicks_at_the_end():
    cluster = sequence(*[(pitch, 0.0, 2.0) for pitch in range(40, 90)], velocity=127)
    sound = to_waveform(cluster)
    assert np.abs(sound).max() == pytest.approx(0.89, abs=1e-6)
    assert np.isfinite(sound).all()
    assert np.abs(sound[-10:]).max() < 1e-3


@pytest.mark.parametrize("drum", range(9), ids=KIT)
def test_every_drum_is_heard_when_it_is_struck(drum: int):
    pitch = [36, 38, 42, 46, 45, 48, 50, 49, 51][drum]
    sound = to_waveform(sequence((pitch, 0.5, 0.6), is_drum=True))
    assert np.abs(sound[: 22050 - 1]).max() < 1e-9
    assert np.abs(sound[22050 : 22050 + 2205]).max() > 0.3
    quiet = np.sqrt((sound[-2205:] ** 2).mean())
    assert quiet < 0.2 * np.sqrt((sound[22050:26460] ** 2).mean())


def test_drums_differ_low_from_high():
    def centre(pitch: int) -> float:
        sound = to_waveform(sequence((pitch, 0.0, 0.1), is_drum=True))
        power = np.abs(np.fft.rfft(sound)) ** 2
        return float(np.average(np.fft.rfftfreq(len(sound), 1 / 44100), weights=power))

    kick, low, mid, high, snare, hat = (centre(p) for p in (36, 45, 48, 50, 38, 42))
    assert kick < low < mid < high < snare < hat


def test_loud_notes_are_louder():
    two = sequence((60, 0.0, 0.5), (60, 2.0, 2.5))
    two.notes[1].velocity = 40
    sound = to_waveform(two)
    assert np.abs(sound[:22050]).max() > 2 * np.abs(sound[88200:110250]).max()


def test_silence_is_silent():
    for notes in (NoteSequence(), sequence((1, 0, 1), is_drum=True)):
        sound = to_waveform(notes)
        assert len(sound) >= 44100
        assert np.abs(sound).max() == 0


def test_steps_and_seconds_sound_alike_and_always_the_same():
    notes = sequence((60, 0.0, 0.5), (64, 0.5, 1.0), (67, 1.0, 2.0))
    bare = note_seq.quantize_note_sequence(notes, 4)
    for note in bare.notes:
        note.start_time = note.end_time = 0
    np.testing.assert_array_equal(to_waveform(notes), to_waveform(notes))
    np.testing.assert_allclose(to_waveform(bare), to_waveform(notes), atol=1e-6)


def test_a_note_before_the_beginning_is_heard():
    early = note_seq.quantize_note_sequence(sequence((60, 0.01, 0.5)), 4)
    early.notes[0].start_time = -0.02  # as windows of performances have it
    assert np.abs(to_waveform(early)[:2205]).max() > 0.1


def test_files_hold_the_sound(tmp_path: Path):
    notes = sequence((60, 0.0, 0.5))
    write_wav(tmp_path / "a.wav", notes, 22050)
    rate, samples = wavfile.read(tmp_path / "a.wav")
    assert rate == 22050
    assert samples.dtype == np.int16
    np.testing.assert_allclose(samples / 32767, to_waveform(notes, 22050), atol=1e-4)


def test_what_cannot_be_played_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InputError, match="8000 to 192000"):
        to_waveform(NoteSequence(), 0)
    with pytest.raises(InputError, match="half an hour"):
        to_waveform(sequence((60, 0, 1e7)))
    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    with pytest.raises(InputError, match="pyfluidsynth"):
        to_waveform(sequence((60, 0, 1)), soundfont=tmp_path / "a.sf2")
    with pytest.raises(InputError, match="pyfluidsynth"):
        write_wav(tmp_path / "a.wav", sequence((60, 0, 1)), soundfont=tmp_path / "a.sf2")
    assert not list(tmp_path.iterdir())


def test_a_sound_font_is_played_by_fluidsynth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    heard = []

    def fluidsynth(notes: NoteSequence, sample_rate: int, path: str) -> np.ndarray:
        heard.append((notes, path))
        return np.sin(np.arange(sample_rate))

    monkeypatch.setitem(sys.modules, "fluidsynth", ModuleType("fluidsynth"))
    monkeypatch.setattr(note_seq, "fluidsynth", fluidsynth)
    font = tmp_path / "a.sf2"
    with pytest.raises(InputError, match=r"expected an \.sf2 file"):
        to_waveform(sequence((60, 0, 1)), soundfont=font)
    font.touch()
    steps = note_seq.quantize_note_sequence(sequence((60, 0.5, 1.0)), 4)
    steps.notes[0].start_time = steps.notes[0].end_time = 0
    sound = to_waveform(steps, 8000, soundfont=font)
    assert [(note.start_time, note.end_time) for note in heard[0][0].notes] == [(0.5, 1.0)]
    assert heard[0][1] == str(font)
    assert steps.notes[0].end_time == 0
    assert len(sound) == 2.2 * 8000
    assert np.abs(sound).max() == pytest.approx(0.89)
