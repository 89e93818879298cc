"""Choosing tracks of a sequence: by name, by program, or the drums."""

from collections.abc import Sequence

from note_seq import NoteSequence

from latentgen.errors import InputError

Tracks = str | int | Sequence[str | int]


def check_tracks(tracks: Tracks) -> tuple[str | int, ...]:
    """Track names in lower case and programs, as a tuple.

    Raises:
        InputError: something that is neither a name nor a program from 0 to 127, or nothing.
    """
    wanted = (tracks,) if isinstance(tracks, str | int) else tuple(tracks)
    for track in wanted:
        program = isinstance(track, int) and not isinstance(track, bool) and 0 <= track <= 127
        if not (program or (isinstance(track, str) and track.strip())):
            raise InputError(
                f"tracks: expected names of tracks, programs from 0 to 127, 'drums' or 'each', "
                f"received {track!r}"
            )
    if not wanted:
        raise InputError("tracks: expected at least one, received none; leave it out to take all")
    return tuple(t.strip().lower() if isinstance(t, str) else t for t in wanted)


def select_tracks(notes: NoteSequence, tracks: Tracks) -> NoteSequence:
    """The notes of the chosen tracks; without any the result has no notes.

    Args:
        notes: it is not changed.
        tracks: one or several of: a track's (MIDI) or part's (MusicXML) name, in upper or lower
            case; a program, of pitched notes; 'drums'.
    """
    wanted = check_tracks(tracks)
    programs = {track for track in wanted if isinstance(track, int)}
    numbers = {i.instrument for i in notes.instrument_infos if i.name.strip().lower() in wanted}
    parts = {i.part for i in notes.part_infos if i.name.strip().lower() in wanted}
    has_parts = bool(notes.part_infos)
    return _only(
        notes,
        [
            note
            for note in notes.notes
            if (note.is_drum and "drums" in wanted)
            or (not note.is_drum and note.program in programs)
            or (note.part in parts if has_parts else note.instrument in numbers)
        ],
    )


def each_track(notes: NoteSequence) -> list[NoteSequence]:
    """One sequence for each pitched instrument, and one for all drums, in order of number."""
    tracks: dict[tuple[int, int, int], list[NoteSequence.Note]] = {}
    for note in notes.notes:
        key = (1, 0, 0) if note.is_drum else (0, note.part, note.instrument)
        tracks.setdefault(key, []).append(note)
    return [_only(notes, tracks[key]) for key in sorted(tracks)]


def _only(notes: NoteSequence, kept: list[NoteSequence.Note]) -> NoteSequence:
    """A copy with these notes alone, and everything that is not a note."""
    frame = NoteSequence()
    frame.CopyFrom(notes)
    del frame.notes[:]
    frame.notes.extend(kept)
    return frame
