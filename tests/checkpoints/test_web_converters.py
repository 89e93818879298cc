"""What @magenta/music's config.json says, as a converter of ours."""

import logging

import pytest

from latentgen.checkpoints.web_converters import describe, read_description
from latentgen.errors import FileError, InputError
from latentgen.music import (
    DrumConverter,
    GrooveConverter,
    MelodyConverter,
    PerformanceConverter,
    TrioConverter,
)
from latentgen.music.converters import FULL_KIT, PlainConverter

MELODY = {"minPitch": 21, "maxPitch": 108}
TRACKS = {
    "numSteps": 512,
    "numSegments": 8,
    "stepsPerQuarter": 24,
    "totalSteps": 96,
    "numVelocityBins": 8,
}
ROLAND = [
    [36],
    [38, 37, 40],
    [42, 22, 44],
    [46, 26],
    [43, 58],
    [47, 45],
    [50, 48],
    [49, 52, 55, 57],
    [51, 53, 59],
]
TRIO = {"melArgs": MELODY, "bassArgs": MELODY, "drumsArgs": {}}


def read(kind, arguments, **more):
    spec = {"type": kind, "args": arguments}
    return read_description({"type": "MusicVAE", "dataConverter": spec, **more}, "config.json")


def same(converter, expected):
    assert type(converter) is type(expected)
    assert converter.arguments() == expected.arguments()


@pytest.mark.parametrize(
    ("kind", "arguments", "more", "expected"),
    [
        ("MelodyConverter", MELODY | {"numSteps": 32}, {}, MelodyConverter(top_line=True)),
        (
            "MelodyConverter",
            MELODY | {"numSteps": 24, "ignorePolyphony": False},
            {},
            MelodyConverter(1, 24),
        ),
        (
            "MelodyConverter",
            MELODY | {"numSteps": 32},
            {"chordEncoder": "TriadChordEncoder", "conditionOnKey": True},
            MelodyConverter(chords=True, key=True, top_line=True),
        ),
        ("DrumsConverter", {"numSteps": 64}, {}, DrumConverter(4)),
        ("DrumRollConverter", {"numSteps": 32}, {}, DrumConverter(roll_output=True)),
        (
            "DrumRollConverter",
            {"numSteps": 32, "pitchClasses": [list(kind) for kind in FULL_KIT]},
            {},
            DrumConverter(full=True, roll_output=True),
        ),
        ("TrioConverter", TRIO | {"numSteps": 64}, {}, TrioConverter(4, top_line=True)),
        ("MultitrackConverter", TRACKS, {}, PerformanceConverter()),
        (
            "MultitrackConverter",
            TRACKS | {"numSteps": 96, "numSegments": 3},
            {"chordEncoder": "TriadChordEncoder"},
            PerformanceConverter(chords=True, instruments=3, events=32),
        ),
        ("GrooveConverter", {"numSteps": 48}, {}, GrooveConverter(3)),
        (
            "GrooveConverter",
            {"numSteps": 32, "humanize": True, "pitchClasses": ROLAND},
            {},
            GrooveConverter(humanize=True),
        ),
        (
            "GrooveConverter",
            {"numSteps": 16, "tapify": True},
            {},
            GrooveConverter(1, tap=True, fixed_velocities=True),
        ),
        (
            "GrooveConverter",
            {"numSteps": 32},
            {"extraControls": [{"name": "hits", "depth": 9}]},
            GrooveConverter(hits_as_controls=True),
        ),
    ],
)
def test_what_is_described_is_a_converter_of_ours(kind, arguments, more, expected):
    converter, segments = read(kind, arguments, **more)
    same(converter, expected)
    assert segments == arguments.get("numSegments", 0)
    again, segments = read_description(describe(converter, segments), "again")
    same(again, expected)
    assert segments == arguments.get("numSegments", 0)


def test_a_converter_alone_is_a_description_too():
    """converter.json, of the time before config.json."""
    converter, segments = read_description(
        {"type": "MelodyConverter", "args": MELODY | {"numSteps": 256, "numSegments": 16}}, "file"
    )
    same(converter, MelodyConverter(16, top_line=True))
    assert segments == 16


def arrays(steps, out, read=None, control=0, kind="categorical", end=None):
    return (steps, kind, out, out if read is None else read, control, end)


@pytest.mark.parametrize(
    ("kind", "arguments", "more", "expected"),
    [
        ("MelodyConverter", {"minPitch": 48, "maxPitch": 83}, {}, arrays(32, 38)),
        (
            "MelodyConverter",
            MELODY,
            {"chordEncoder": "PitchChordEncoder"},
            arrays(32, 90, None, 37),
        ),
        (
            "MelodyConverter",
            MELODY,
            {"chordEncoder": "MajorMinorChordEncoder", "conditionOnKey": True},
            arrays(32, 90, None, 37),
        ),
        ("MelodyConverter", MELODY, {"extraControls": [{"depth": 3}]}, arrays(32, 90, None, 3)),
        ("MelodyRhythmConverter", MELODY, {}, arrays(32, 1, kind="boolean")),
        ("MelodyShapeConverter", MELODY, {}, arrays(32, 3)),
        ("DrumsConverter", {"pitchClasses": [[36], [38], [42]]}, {}, arrays(32, 8, 4)),
        (
            "DrumRollConverter",
            {"pitchClasses": [[36], [38], [42]]},
            {},
            arrays(32, 3, 4, kind="nade"),
        ),
        ("DrumsOneHotConverter", {}, {}, arrays(32, 512)),
        ("TrioConverter", TRIO | {"drumsArgs": {"pitchClasses": [[36]]}}, {}, arrays(32, 182)),
        ("GrooveConverter", {"pitchClasses": [[36], [38]]}, {}, arrays(32, 6, kind="groove")),
        ("GrooveConverter", {"splitInstruments": True}, {}, arrays(288, 3, kind="groove")),
        (
            "MultitrackConverter",
            {"numSegments": 4, "stepsPerQuarter": 24, "totalSteps": 48, "numVelocityBins": 8},
            {},
            arrays(32, 442, end=441),
        ),
    ],
)
def test_what_none_of_ours_is_like_is_arrays(caplog, kind, arguments, more, expected):
    with caplog.at_level(logging.WARNING):
        converter, _ = read(kind, {"numSteps": 32} | arguments, **more)
    assert isinstance(converter, PlainConverter)
    found = (
        converter.steps,
        converter.output,
        converter.output_depth,
        converter.input_depth,
        converter.control_depth,
        converter.end_class,
    )
    assert found == expected
    assert "takes and gives arrays" in caplog.text


def test_a_nade_of_another_size_is_arrays():
    converter, _ = read_description(
        {"type": "DrumRollConverter", "args": {"numSteps": 32}}, "file", 16
    )
    assert converter.arguments() == PlainConverter(32, "nade", [9], 10, 0, 16).arguments()


def test_what_only_latentgen_reads_is_kept_and_said(caplog):
    expected = GrooveConverter(3, 12, add=[2], tap=True)
    with caplog.at_level(logging.WARNING):
        content = describe(expected, 0)
    same(read_description(content, "file")[0], expected)
    assert "'add': [2]" in caplog.text
    content["dataConverter"]["args"]["latentgen"]["bars"] = 4
    with pytest.raises(FileError, match="other sizes"):
        read_description(content, "file")


def test_an_array_model_is_no_converter_of_theirs():
    with pytest.raises(InputError, match="converter that @magenta/music has too"):
        describe(PlainConverter(8), 0)


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        7,
        {},
        {"type": "MusicVAE"},
        {"type": "MusicRNN", "dataConverter": {"type": "MelodyConverter", "args": MELODY}},
        {"type": "TrioRhythmConverter", "args": {"numSteps": 32}},
        {"type": "MelodyConverter", "args": MELODY},
        {"type": "MelodyConverter", "args": MELODY | {"numSteps": 10**12}},
        {"type": "MelodyConverter", "args": MELODY | {"numSteps": 1.5}},
        {"type": "MelodyConverter", "args": MELODY | {"numSteps": 32, "numSegments": 5}},
        {"type": "MelodyConverter", "args": MELODY | {"numSteps": 32, "numSegments": -2}},
        {"type": "MelodyConverter", "args": MELODY | {"numSteps": 32, "latentgen": {"x": 1}}},
        {"type": "MelodyConverter", "args": MELODY | {"numSteps": 32, "latentgen": 3}},
        {"type": "MelodyConverter", "args": {"numSteps": 32}},
        {"type": "MelodyConverter", "args": {"numSteps": 32, "minPitch": 0, "maxPitch": 10**9}},
        {"type": "MelodyConverter", "args": {"numSteps": 32, "minPitch": 100, "maxPitch": 10}},
        {"type": "DrumsConverter", "args": {"numSteps": 32, "pitchClasses": [[1]] * 61}},
        {"type": "DrumsConverter", "args": {"numSteps": 32, "pitchClasses": [[]] * 9}},
        {"type": "DrumsConverter", "args": {"numSteps": 32, "pitchClasses": 3}},
        {"type": "TrioConverter", "args": {"numSteps": 32}},
        {"type": "MultitrackConverter", "args": {"numSteps": 32}},
        {
            "type": "MusicVAE",
            "dataConverter": {"type": "MelodyConverter", "args": MELODY | {"numSteps": 32}},
            "chordEncoder": "Other",
        },
    ],
)
def test_other_descriptions_are_refused(content):
    with pytest.raises(FileError, match=r"config\.json: expected what @magenta/music reads"):
        read_description(content, "config.json")
