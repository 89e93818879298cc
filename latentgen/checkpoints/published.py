"""Models that Magenta published, by name: where they lie and what they are.

From the model tables in the READMEs of magenta and magenta-js and the model list of magenta-js's
sketch demonstration; all were published under the Apache licence 2.0. The files are Magenta's to
keep: whether an address still answers is not for us to say.
"""

from dataclasses import dataclass

from latentgen.errors import InputError

PREFIX = "magenta"
MUSIC = "https://storage.googleapis.com/magentadata/models/music_vae/checkpoints"
WEB = "https://storage.googleapis.com/magentadata/js/checkpoints"
SKETCHES = "https://storage.googleapis.com/quickdraw-models/sketchRNN/models"
SKETCH_ZIP = "http://download.magenta.tensorflow.org/models/sketch_rnn.zip"

CHECKPOINTS = {  # name: what it is; the configuration is the name as far as the first dot
    "cat-mel_2bar_big": "melodies of two bars",
    "hierdec-mel_16bar": "melodies of sixteen bars",
    "hierdec-trio_16bar": "melody, bass and drums of sixteen bars; 2 GB",
    "cat-drums_2bar_small.lokl": "drums of two bars, the better for sampling",
    "cat-drums_2bar_small.hikl": "drums of two bars, the better for reconstructing",
    "nade-drums_2bar_full": "drums of two bars, 61 drums",
    "groovae_4bar": "grooves of four bars",
    "groovae_2bar_humanize": "a groove for a drum pattern",
    "groovae_2bar_tap_fixed_velocity": "a groove for tapped rhythms",
    "groovae_2bar_add_closed_hh": "a closed hi-hat for a groove",
    "groovae_2bar_hits_control": "grooves, led by their hits",
}
WEB_CHECKPOINTS = {  # of magenta-js; drums_4bar_med_* are called two-bar there, and are four
    "music_vae/drums_2bar_lokl_small": "drums of two bars, the better for sampling",
    "music_vae/drums_2bar_hikl_small": "drums of two bars, the better for reconstructing",
    "music_vae/drums_2bar_nade_9_q2": "drums of two bars, several at once",
    "music_vae/drums_4bar_med_q2": "drums of four bars, the better for reconstructing",
    "music_vae/drums_4bar_med_lokl_q2": "drums of four bars, the better for sampling",
    "music_vae/mel_2bar_small": "melodies of two bars",
    "music_vae/mel_4bar_med_q2": "melodies of four bars, the better for reconstructing",
    "music_vae/mel_4bar_med_lokl_q2": "melodies of four bars, the better for sampling",
    "music_vae/mel_4bar_small_q2": "melodies of four bars, small",
    "music_vae/mel_chords": "melodies of two bars to chords",
    "music_vae/mel_16bar_small_q2": "melodies of sixteen bars",
    "music_vae/trio_4bar": "melody, bass and drums of four bars",
    "music_vae/trio_16bar": "melody, bass and drums of sixteen bars; 1.7 GB",
    "music_vae/multitrack": "one bar of up to eight instruments",
    "music_vae/multitrack_med": "the same, larger",
    "music_vae/multitrack_med_fb256": "the same, the better for reconstructing",
    "music_vae/multitrack_chords": "one bar of up to eight instruments to a chord",
    "music_vae/multitrack_med_chords": "the same, larger",
    "music_vae/multitrack_med_chords_fb256": "the same, the better for reconstructing",
    "music_vae/groovae_2bar_humanize": "a groove for a drum pattern",
    "music_vae/groovae_4bar": "grooves of four bars",
    "groovae/tap2drum_1bar": "a groove for a tapped rhythm of one bar",
    "groovae/tap2drum_2bar": "the same of two bars",
    "groovae/tap2drum_3bar": "the same of three bars",
    "groovae/tap2drum_4bar": "the same of four bars",
}
ZIPPED = (  # folders of SKETCH_ZIP
    "aaron_sheep/lstm",
    "aaron_sheep/lstm_uncond",
    "aaron_sheep/layer_norm",
    "aaron_sheep/layer_norm_uncond",
    "owl/lstm",
    "flamingo/lstm_uncond",
    "catbus/lstm",
    "elephantpig/lstm",
)
DRAWN = """
    alarm_clock ambulance angel ant antyoga backpack barn basket bear bee beeflower bicycle bird
    book brain bridge bulldozer bus butterfly cactus calendar castle cat catbus catpig chair couch
    crab crabchair crabrabbitfacepig cruise_ship diving_board dog dogbunny dolphin duck elephant
    elephantpig everything eye face fan fire_hydrant firetruck flamingo flower floweryoga frog
    frogsofa garden hand hedgeberry hedgehog helicopter kangaroo key lantern lighthouse lion
    lionsheep lobster map mermaid monapassport monkey mosquito octopus owl paintbrush palm_tree
    parrot passport peas penguin pig pigsheep pineapple pool postcard power_outlet rabbit
    rabbitturtle radio radioface rain rhinoceros rifle roller_coaster sandwich scorpion sea_turtle
    sheep skull snail snowflake speedboat spider squirrel steak stove strawberry swan swing_set
    the_mona_lisa tiger toothbrush toothpaste tractor trombone truck whale windmill yoga yogabicycle
"""


@dataclass(frozen=True)
class Published:
    """A published model.

    Attributes:
        name: such as 'magenta/cat-mel_2bar_big'.
        address: of a file, or of a folder whose manifest lists its files.
        description: what it makes.
        config: its configuration, where the file does not say.
        member: the folder in an archive of several models.
    """

    name: str
    address: str
    description: str
    config: str | None = None
    member: str | None = None


def published() -> dict[str, Published]:
    """Every published model by name."""
    models = [
        Published(f"{PREFIX}/{name}", f"{MUSIC}/{name}.tar", what, _config(name))
        for name, what in CHECKPOINTS.items()
    ]
    models += [
        Published(f"{PREFIX}/js/{path.split('/')[1]}", f"{WEB}/{path}", what)
        for path, what in WEB_CHECKPOINTS.items()
    ]
    models += [
        Published(f"{PREFIX}/sketch_rnn/{name}", SKETCH_ZIP, f"drawings: {name}", member=name)
        for name in ZIPPED
    ]
    models += [
        Published(f"{PREFIX}/sketch_rnn/{name}", f"{SKETCHES}/{name}.gen.json", f"draws {name}")
        for name in DRAWN.split()
    ]
    return {model.name: model for model in models}


def _config(name: str) -> str:
    name = name.split(".")[0]
    return "groovae_2bar_hits_control_tfds" if name == "groovae_2bar_hits_control" else name


def find_published(name: str) -> Published:
    """The published model of a name.

    Raises:
        InputError: there is none; says which are alike.
    """
    from difflib import get_close_matches

    models = published()
    if name not in models:
        alike = get_close_matches(name, models, n=3, cutoff=0.5)
        hint = f"; did you mean {', '.join(alike)}?" if alike else ""
        raise InputError(
            f"{name}: expected a file, a folder, an address or a published model's name "
            f"(latentgen presets lists them), found none{hint}"
        )
    return models[name]
