"""The tense of a sentence, told by auxiliaries, endings and a list of irregular verbs.

There is no tagger here: a sentence is read from left to right for a finite verb, and words that
are surely one go before words that may be one.
"""

import re
from collections.abc import Sequence

# Irregular verbs: the base form, the past, and the participle where that is another word.
_IRREGULAR = """
arise arose arisen, awake awoke awoken, bear bore borne, beat beat beaten, become became become,
begin began begun, bend bent, bet bet, bind bound, bite bit bitten, bleed bled, blow blew blown,
break broke broken, breed bred, bring brought, build built, burn burnt, buy bought,
catch caught, choose chose chosen, cling clung, come came come, cost cost, creep crept, cut cut,
deal dealt, dig dug, draw drew drawn, dream dreamt, drink drank drunk, drive drove driven,
eat ate eaten, fall fell fallen, feed fed, feel felt, fight fought, find found, flee fled,
fly flew flown, forbid forbade forbidden, forget forgot forgotten, forgive forgave forgiven,
freeze froze frozen, get got gotten, give gave given, go went gone, grind ground, grow grew grown,
hang hung, hear heard, hide hid hidden, hit hit, hold held, hurt hurt, keep kept, kneel knelt,
know knew known, lay laid, lead led, lean leant, leave left, lend lent, let let, lie lay lain,
light lit, lose lost, make made, mean meant, meet met, pay paid, put put, quit quit, read read,
ride rode ridden, ring rang rung, rise rose risen, run ran run, say said, see saw seen, seek sought,
sell sold, send sent, set set, shake shook shaken, shine shone, shoot shot, show showed shown,
shrink shrank shrunk, shut shut, sing sang sung, sink sank sunk, sit sat, sleep slept, slide slid,
speak spoke spoken, spend spent, spill spilt, spin spun, split split, spread spread,
spring sprang sprung, stand stood, steal stole stolen, stick stuck, sting stung, stink stank stunk,
strike struck, strive strove striven, swear swore sworn, sweep swept, swim swam swum, swing swung,
take took taken, teach taught, tear tore torn, tell told, think thought, throw threw thrown,
understand understood, undergo underwent undergone, upset upset, wake woke woken, wear wore worn,
weep wept, win won, wind wound, withdraw withdrew withdrawn, write wrote written
"""
_REGULAR = """
accept add admit agree aim allow announce answer appear appreciate argue arrange arrive ask assume
avoid bake believe belong call care carry cause change charge check claim clean close consider
contain continue cook cover cross cry decide decline deliver depend describe deserve despise dislike
discover doubt drop earn end enjoy enter expect explain face fail fill finish fit follow gain greet
guess handle happen hate help hope hurry imagine improve include increase indicate invite involve
jump kick kill lack last laugh learn lie lift like listen live look love maintain manage matter
mention miss move need note notice offer open order own park pass plan play please point prefer
prepare prove provide pull push raise reach receive recommend refuse release remain remember remind
remove rent replace reply report require rest return save seem serve smell smile sound stare start
state stay step stop suck suffer suggest suppose surprise surround talk taste tend touch travel
treat trust try turn use visit wait walk want waste watch wish wonder work worry yell
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ROWS = [row.split() for row in _IRREGULAR.split(",")]
_BASES = frozenset(row[0] for row in _ROWS) | _words(_REGULAR)
_PARTICIPLES = frozenset(row[-1] for row in _ROWS)
_PASTS = frozenset(row[1] for row in _ROWS if row[1] not in _BASES) | {"lay"}
_SURE_PASTS = _PASTS - _PARTICIPLES  # "went" is finite, "made" may be a participle
_THIRDS = frozenset(
    base[:-1] + "ies"
    if re.search(r"[^aeou]y$", base)
    else base + ("es" if re.search(r"(?:s|sh|ch|x|o)$", base) else "s")
    for base in _BASES
)

_PRESENT = _words("am is are 'm 're do does have has 've ai ca can")
_PAST = _words("was were did had")
_FUTURE = _words("will 'll wo shall gonna")
_MODAL = _words("would could should might may must 'd")
_SUBJECTS = _words(
    "i you he she it we they who that which this these those there what everyone everybody "
    "everything someone somebody nobody anyone something nothing one people all both"
)
_PLURALS = _words("i you we they who people these those all both")
_BEFORE_NOUNS = _words(
    "the a an my your his her its our their this that these those some any no every each another "
    "very so too really of in on at by for from with without than as like over under well freshly "
    "deep pan oven $ n ``"
)
_ADVERBS = _words(
    "never always also just really still even often usually definitely actually already only again "
    "then now soon not n't almost all both"
)
_NO_VERB = _words(
    "need indeed bed red speed seed feed exceed proceed succeed hundred naked wicked sacred shed "
    "weed breed bleed greed agreed-upon unlimited limited united talented crowded so-called"
)
_OBJECTS = _words(
    "the a an my your his her its our their this that these those it me us him them you"
)
_SURE_THIRDS = _words(
    "says gets makes goes takes gives knows thinks comes seems wants becomes keeps tells does "
    "brings finds feels loses includes provides continues remains expects believes"
)
# Participles that say how something is: "a car parked in the street".
_STATES = _words(
    "parked filled topped covered dressed seated surrounded stacked placed lined decorated "
    "displayed attached loaded painted located mounted stopped lit made set gathered piled tied"
)
_JOINTS = _words(", ; : - -- and but or so because")


def tense_of(tokens: Sequence[str]) -> str:
    """'past', 'present', 'future' or 'none' of the tokens of a sentence, in small letters."""
    weak = "none"
    for place in range(len(tokens)):
        found, sure = _verb(tokens, place)
        if found and sure:
            return found
        if found and weak == "none":
            weak = found
    return weak


def _verb(tokens: Sequence[str], place: int) -> tuple[str, bool]:
    """The tense of a token as a finite verb, and whether it surely is one; '' if it is none."""
    token, after = tokens[place], list(tokens[place + 1 : place + 5])
    before = tokens[place - 1] if place else ""
    subject = next((t for t in reversed(tokens[:place]) if t not in _ADVERBS and not _is_ly(t)), "")
    begins = subject == "" or subject in _JOINTS
    if token in _FUTURE:
        return "future", True
    if token in _MODAL:
        return ("past" if "have" in after[:3] else "present"), True
    if token in _PAST:
        return "past", True
    if token == "'s":
        verb = subject in _SUBJECTS | {"here", "where", "how", "let"}
        return ("present", True) if verb else ("", False)
    if token in _PRESENT and before != "to":
        going = token in _PRESENT - {"do", "does", "have", "has"} and "going" in after[:3]
        if going and re.search(r"\bgoing to (?!(?:the|a|an|my|your|this|our)\b)", " ".join(after)):
            return "future", True
        return "present", True
    if before == "to" or _after_auxiliary(tokens, place):
        return "", False
    if token in _SURE_PASTS:
        return "past", True
    follows = after[0] if after else ""
    if token in _PASTS or _is_regular_past(token):
        if subject in _SUBJECTS and before not in _BEFORE_NOUNS:
            return "past", True
        if before in _BEFORE_NOUNS or follows in ("with", "by", "of"):
            return "", False
        if follows in _OBJECTS:
            return "past", True
        return ("", False) if token in _STATES else ("past", False)
    if token in _BASES and begins:
        return ("present", follows in _OBJECTS) if token != "like" else ("", False)
    if token in _BASES and subject in _PLURALS:
        return "present", before not in _BEFORE_NOUNS | {"all", "both"}
    if token in _BASES and re.search(r"[^s]s$", before) and before not in _BEFORE_NOUNS:
        return "present", False
    if token in _THIRDS and before not in _BEFORE_NOUNS - {"this", "that"}:
        return "present", subject in _SUBJECTS or token in _SURE_THIRDS
    return "", False


def _after_auxiliary(tokens: Sequence[str], place: int) -> bool:
    """Whether an auxiliary stands before, but for adverbs and one subject: "did you like"."""
    seen = [t for t in tokens[max(0, place - 4) : place] if t not in _ADVERBS and not _is_ly(t)]
    auxiliaries = _PRESENT | _PAST | _FUTURE | _MODAL | {"be", "been", "being", "'s"}
    return any(t in auxiliaries for t in seen[-1:]) or (
        len(seen) > 1 and seen[-2] in auxiliaries and seen[-1] in _SUBJECTS
    )


def _is_ly(token: str) -> bool:
    return len(token) > 4 and token.endswith("ly")


def _is_regular_past(token: str) -> bool:
    return len(token) > 4 and token.endswith("ed") and "-" not in token and token not in _NO_VERB
