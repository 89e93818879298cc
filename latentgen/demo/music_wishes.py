"""What the demonstration asks of melodies and of drums: rules alone, nothing is labelled."""

from note_seq import NoteSequence

from latentgen.demo.rule_story import RuleWish
from latentgen.music.attributes import mean_pitch, note_density, number_of_notes, share_in_key
from latentgen.music.drum_attributes import hi_hat_share, hit_density, kick_on_beat


def in_c_major(notes: NoteSequence) -> bool:
    return number_of_notes(notes) >= 4 and share_in_key(notes, "C major") > 0.95


def high(notes: NoteSequence) -> bool:
    return mean_pitch(notes) > 72


def sparse(notes: NoteSequence) -> bool:
    return 1.5 <= note_density(notes) <= 3


def dense(notes: NoteSequence) -> bool:
    return note_density(notes) >= 7


def busy(notes: NoteSequence) -> bool:
    return hit_density(notes) >= 22


def four_on_the_floor(notes: NoteSequence) -> bool:
    return kick_on_beat(notes) > 0.99


def hats(notes: NoteSequence) -> bool:
    return hit_density(notes) >= 4 and hi_hat_share(notes) > 0.5


MELODY_WISHES = (
    RuleWish("in_c", "in C major (95% of the notes)", in_c_major),
    RuleWish("high", "high (above C5 on average)", high),
    RuleWish("sparse", "sparse (3 notes a bar or fewer)", sparse),
    RuleWish("dense", "dense (7 notes a bar or more)", dense),
)
DRUM_WISHES = (
    RuleWish("busy", "busy (22 hits a bar or more)", busy),
    RuleWish("four", "four on the floor (a kick on every beat)", four_on_the_floor),
    RuleWish("hats", "hi-hats (over half of the hits)", hats),
)
MELODY_PAIRS = (("in_c", "high"), ("in_c", "dense"))
DRUM_PAIRS = (("busy", "four"),)
