"""What @magenta/music's config.json says of a model's music, as a converter of ours, and back.

What it describes and our converters cannot hold (other pitches, other chord encodings) becomes a
PlainConverter: such a model takes and gives arrays.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from latentgen.checkpoints.music_representation import NADE_HIDDEN
from latentgen.errors import FileError, InputError
from latentgen.music.converters import (
    FULL_KIT,
    GENERAL_KIT,
    Converter,
    DrumConverter,
    GrooveConverter,
    MelodyConverter,
    PerformanceConverter,
    TrioConverter,
)
from latentgen.music.converters.groove import ROLAND_KIT
from latentgen.music.converters.melody import MAX_PITCH, MIN_PITCH
from latentgen.music.converters.performance import NUM_PROGRAMS, VELOCITY_BINS
from latentgen.music.converters.plain import PlainConverter

logger = logging.getLogger(__name__)

OURS = "latentgen"  # key of what @magenta/music does not read
BAR = 16
CHORDS = {"MajorMinorChordEncoder": 25, "TriadChordEncoder": 49, "PitchChordEncoder": 37}
OUR_CHORDS = "TriadChordEncoder"
KEYS = 12
MOST = 1 << 16  # steps, classes
# The pitches of each kind of drum in either kit; a few are of one kind here, of another there.
KINDS = [[*general, *roland] for general, roland in zip(GENERAL_KIT, ROLAND_KIT, strict=True)]
PITCHES = {"minPitch": MIN_PITCH, "maxPitch": MAX_PITCH}


def read_description(content: Any, source: Any, hidden: int = NADE_HIDDEN) -> tuple[Converter, int]:
    """The converter that a config.json or converter.json describes, and the conductor's segments.

    Args:
        content: what the file holds.
        source: what errors call it.
        hidden: of a NADE, the size of its hidden layer, which the weights tell.

    Raises:
        FileError: it describes no MusicVAE, or a converter that is not known.
    """
    try:
        if content.get("type") == "MusicVAE":
            spec = content["dataConverter"]
        elif "dataConverter" in content:
            raise FileError(f"a {content.get('type')!r}, not a MusicVAE")
        else:
            spec, content = content, {}
        kind, arguments = spec["type"], spec.get("args") or {}
        segments = _whole(arguments, "numSegments", 0)
        steps = _whole(arguments, "numSteps")
        if not steps or (segments and steps % segments):
            raise FileError(f"{steps} steps in {segments} segments")
        converter = _known(kind, arguments, content, steps, segments)
        if converter is None or (kind == "DrumRollConverter" and hidden != NADE_HIDDEN):
            converter = _plain(kind, arguments, content, steps, hidden)
            logger.warning(
                "%s: %s of another kind than latentgen's: the model takes and gives arrays",
                source,
                kind,
            )
        elif OURS in arguments:
            converter = _own(converter, arguments[OURS])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        found = f"no {error}" if isinstance(error, LookupError) else error
        raise FileError(f"{source}: expected what @magenta/music reads, found {found}") from None
    return converter, segments


def describe(converter: Converter, segments: int) -> dict[str, Any]:
    """The config.json of a model with this converter and so many segments of its conductor.

    Raises:
        InputError: a converter that @magenta/music has not.
    """
    kind, arguments = _specified(converter)
    if isinstance(converter, PerformanceConverter) and segments != converter.instruments:
        raise InputError(
            f"model: expected {converter.instruments} segments, an instrument each, which "
            f"@magenta/music needs, received {segments}"
        )
    arguments = {"numSteps": converter.steps, **arguments}
    if segments:
        arguments["numSegments"] = segments
    content: dict[str, Any] = {
        "type": "MusicVAE",
        "dataConverter": {"type": kind, "args": arguments},
    }
    if converter.chords:
        content["chordEncoder"] = OUR_CHORDS
    if converter.key:
        content["conditionOnKey"] = True
    if isinstance(converter, GrooveConverter) and converter.hits_as_controls:
        content["extraControls"] = [{"name": "hits", "depth": converter.control_depth}]
    ours, read = converter.arguments(), read_description(content, "model")[0].arguments()
    if ours != read:
        unknown = {key: value for key, value in ours.items() if value != read[key]}
        logger.warning("@magenta/music does not know what only latentgen reads: %s", unknown)
        arguments[OURS] = ours
    return content


def _specified(converter: Converter) -> tuple[str, dict[str, Any]]:
    """The type and arguments of theirs that do what this converter does, or nearly so."""
    match converter:
        case MelodyConverter():
            return "MelodyConverter", PITCHES | {"ignorePolyphony": converter.top_line}
        case DrumConverter(full=True):
            return "DrumRollConverter", {"pitchClasses": [list(kind) for kind in FULL_KIT]}
        case DrumConverter():
            return "DrumRollConverter" if converter.roll_output else "DrumsConverter", {}
        case TrioConverter():
            line = PITCHES | {"ignorePolyphony": converter.top_line}
            return "TrioConverter", {"melArgs": line, "bassArgs": dict(line), "drumsArgs": {}}
        case GrooveConverter():
            return "GrooveConverter", {
                "stepsPerQuarter": converter.steps_per_quarter,
                "humanize": converter.humanize,
                "tapify": converter.tap,
                "pitchClasses": _groove_kit(),
            }
        case PerformanceConverter() if converter.window_steps == 4 * converter.steps_per_quarter:
            return "MultitrackConverter", {
                "stepsPerQuarter": converter.steps_per_quarter,
                "totalSteps": converter.window_steps,
                "numVelocityBins": VELOCITY_BINS,
            }
    raise InputError(
        "model: expected a converter that @magenta/music has too, received "
        f"{type(converter).__name__} of {converter.arguments()}"
    )


def _known(
    kind: str, arguments: Mapping[str, Any], content: Mapping[str, Any], steps: int, segments: int
) -> Converter | None:
    """A converter of ours that has the same tensors, if there is one."""
    bars, bar = (steps // BAR, BAR) if steps % BAR == 0 else (1, steps)
    chords, key = content.get("chordEncoder"), bool(content.get("conditionOnKey"))
    extra = _extra(content)
    harmony = {"chords": chords is not None, "key": key}
    if chords not in (None, OUR_CHORDS):
        return None
    match kind:
        case "MelodyConverter" if _our_pitches(arguments) and not extra:
            return MelodyConverter(bars, bar, **harmony, top_line=_top_line(arguments))
        case "TrioConverter" if _our_trio(arguments) and not extra:
            top_line = _top_line(arguments["melArgs"])
            return TrioConverter(bars, bar, **harmony, top_line=top_line)
        case "MultitrackConverter" if not key and not extra and _our_events(arguments) and segments:
            quarter, window = arguments["stepsPerQuarter"], arguments["totalSteps"]
            return PerformanceConverter(
                1, window, quarter, harmony["chords"], segments, steps // segments
            )
    if any(harmony.values()):
        return None
    classes = _classes(arguments)
    match kind:
        case "DrumsConverter" if _leads(classes, GENERAL_KIT) and not extra:
            return DrumConverter(bars, bar)
        case "DrumRollConverter" if _leads(classes, GENERAL_KIT) and not extra:
            return DrumConverter(bars, bar, roll_output=True)
        case "DrumRollConverter" if _leads(classes, FULL_KIT) and not extra:
            return DrumConverter(bars, bar, full=True, roll_output=True)
        case "GrooveConverter" if _leads(classes, KINDS) and extra in ([], [len(classes)]):
            quarter, tap = arguments.get("stepsPerQuarter") or 4, bool(arguments.get("tapify"))
            if not arguments.get("splitInstruments"):
                return GrooveConverter(
                    bars,
                    bar,
                    quarter,
                    humanize=bool(arguments.get("humanize")),
                    tap=tap,
                    fixed_velocities=tap,
                    hits_as_controls=bool(extra),
                )
    return None


def _plain(
    kind: str, arguments: Mapping[str, Any], content: Mapping[str, Any], steps: int, hidden: int
) -> PlainConverter:
    """The tensors alone, of a converter that none of ours is like."""
    controls = sum(_extra(content)) + KEYS * bool(content.get("conditionOnKey"))
    if content.get("chordEncoder") is not None:
        controls += CHORDS[content["chordEncoder"]]
    drums = len(_classes(arguments))
    match kind:
        case "MelodyConverter":
            return PlainConverter(steps, parts=[_melody(arguments)], control_depth=controls)
        case "MelodyRhythmConverter":
            return PlainConverter(steps, "boolean", control_depth=controls)
        case "MelodyShapeConverter":
            return PlainConverter(steps, parts=[3], control_depth=controls)
        case "DrumsConverter":
            return PlainConverter(
                steps, parts=[_combinations(drums)], input_depth=drums + 1, control_depth=controls
            )
        case "DrumsOneHotConverter":
            return PlainConverter(steps, parts=[_combinations(drums)], control_depth=controls)
        case "DrumRollConverter":
            return PlainConverter(steps, "nade", [drums], drums + 1, controls, hidden)
        case "TrioConverter":
            lines = [_melody(arguments["melArgs"]), _melody(arguments["bassArgs"])]
            parts = [*lines, _combinations(len(_classes(arguments["drumsArgs"])))]
            return PlainConverter(steps, parts=parts, control_depth=controls)
        case "GrooveConverter":
            if arguments.get("splitInstruments"):
                return PlainConverter(steps * drums, "groove", [3], control_depth=controls)
            return PlainConverter(steps, "groove", [3 * drums], control_depth=controls)
        case "MultitrackConverter":
            end = 2 * (_melody(_pitches(arguments)) - 2) + _whole(arguments, "totalSteps")
            end += _whole(arguments, "numVelocityBins") + NUM_PROGRAMS
            return PlainConverter(steps, parts=[end + 1], control_depth=controls, end_class=end)
    raise FileError(f"a converter of type {kind!r}, which is not known")


def _own(converter: Converter, arguments: Mapping[str, Any]) -> Converter:
    """The converter that latentgen wrote beside what @magenta/music reads of it."""
    own = type(converter)(**arguments)
    depths = [(c.steps, c.input_depth, c.output_depth, c.control_depth) for c in (converter, own)]
    if depths[0] != depths[1]:
        raise FileError(f"{OURS} of other sizes than the rest")
    return own


def _whole(arguments: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = arguments.get(name, default)
    value = default if value is None else value
    if type(value) is not int or not 0 <= value <= MOST:
        raise FileError(f"{name} of {value!r}")
    return value


def _extra(content: Mapping[str, Any]) -> list[int]:
    """Columns of each further control."""
    return [_whole(control, "depth") for control in content.get("extraControls") or ()]


def _classes(arguments: Mapping[str, Any]) -> Sequence[Sequence[int]]:
    return arguments.get("pitchClasses") or GENERAL_KIT


def _leads(classes: Sequence[Sequence[int]], kit: Sequence[Sequence[int]]) -> bool:
    """Whether what each class is decoded to is of the kit's kind of the same number."""
    return len(classes) == len(kit) and all(
        pitches[0] in kind for pitches, kind in zip(classes, kit, strict=True)
    )


def _groove_kit() -> list[list[int]]:
    """Pitches of the kinds of a GrooveConverter, each once: Roland's, then General MIDI's."""
    taken = {pitch for kind in ROLAND_KIT for pitch in kind}
    return [
        [*roland, *(pitch for pitch in general if pitch not in taken)]
        for roland, general in zip(ROLAND_KIT, GENERAL_KIT, strict=True)
    ]


def _pitches(arguments: Mapping[str, Any]) -> dict[str, int]:
    """The pitches of a MultitrackConverter: MIDI's, unless it says others."""
    return {
        "minPitch": _whole(arguments, "minPitch", 0),
        "maxPitch": _whole(arguments, "maxPitch", 0) or 127,
    }


def _our_pitches(arguments: Mapping[str, Any]) -> bool:
    return all(arguments[name] == pitch for name, pitch in PITCHES.items())


def _our_trio(arguments: Mapping[str, Any]) -> bool:
    lines = _our_pitches(arguments["melArgs"]) and _our_pitches(arguments["bassArgs"])
    return lines and _leads(_classes(arguments["drumsArgs"]), GENERAL_KIT)


def _our_events(arguments: Mapping[str, Any]) -> bool:
    return (
        _pitches(arguments) == {"minPitch": 0, "maxPitch": 127}
        and _whole(arguments, "numVelocityBins") == VELOCITY_BINS
        and _whole(arguments, "totalSteps") == 4 * _whole(arguments, "stepsPerQuarter") > 0
    )


def _top_line(arguments: Mapping[str, Any]) -> bool:
    return bool(arguments.get("ignorePolyphony", True))


def _melody(arguments: Mapping[str, Any]) -> int:
    """Classes of a melody: no event, note-off, and a pitch each."""
    return _whole(arguments, "maxPitch") - _whole(arguments, "minPitch") + 3


def _combinations(drums: int) -> int:
    if drums > MOST.bit_length() - 1:
        raise FileError(f"combinations of {drums} drums")
    return 1 << drums
