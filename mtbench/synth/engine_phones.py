"""From the phone sets of held-out engines to the inventory: one table and one set of rules per phone set.

Conventions
-----------
Input are the phones that an engine says it spoke, output are letters of :data:`mtbench.synth.phones.PHONES` in the
spelling that the bundled benchmark uses for the language, which is that of espeak-ng. Where engine and benchmark
merely *write* the same sound differently, the benchmark's letter is taken; where the engine *speaks* differently
(an accent, an assimilation, a vowel that is not dropped), its own sound is kept. Length is dropped, diphthongs and
affricates are two letters. Every phone of an engine's phone set has an entry; any other raises
:class:`~mtbench.synth.phones.UnknownPhoneError`.

Sources: the definitions of the phone sets in festival's and flite's packages; the benchmark's spelling was read
off espeak-ng's transcription of the same sentences of the Declaration (training articles).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mtbench.synth.engine_segments import Segment
from mtbench.synth.phones import SILENCE, VOWELS, UnknownPhoneError

_Phones = tuple[str, ...]
_PAUSE: _Phones = (SILENCE,)


def _table(*lines: str) -> dict[str, _Phones]:
    """Return ``{name: letters}`` of lines of ``name=letters`` items; ``name=`` is a pause."""
    items = [item.partition("=") for line in lines for item in line.split()]
    return {name: tuple(letters) or _PAUSE for name, _, letters in items}


# English of America (flite; festival's HTS voice): CMU's phones. ------------------------------------------------

#: The benchmark's English is espeak's British voice. Its letter for the vowel of "trap" is ``a``, and American ``ae``
#: is that vowel. What differs to the ear keeps its own letter: "lot" is unrounded (ɑ), "goat" begins rounded (oʊ),
#: r is said after vowels. ``er`` is the rhotic vowel of "nurse" (ɜ) and, unstressed, of "letter" (ə), as the
#: inventory writes ɝ and ɚ.
_ENGLISH = _table(
    "aa=ɑ ae=a ah=ʌ ao=ɔ aw=aʊ ax=ə axr=ə ay=aɪ eh=ɛ er=ɜ ey=eɪ ih=ɪ iy=i ow=oʊ oy=ɔɪ uh=ʊ uw=u",
    "b=b ch=tʃ d=d dh=ð dx=ɾ el=əl em=əm en=ən f=f g=ɡ hh=h hv=h jh=dʒ k=k l=l m=m n=n nx=n ng=ŋ p=p r=ɹ s=s",
    "sh=ʃ t=t th=θ v=v w=w y=j z=z zh=ʒ pau= h#= brth= #=",
)


def _english(segments: Sequence[Segment], i: int) -> _Phones | None:
    here, after = segments[i], _name(segments, i + 1)
    vowel_follows = after in _ENGLISH and _ENGLISH[after][0] in VOWELS
    if here.name == "ah" and not here.stressed:
        return ("ə",)
    if here.name == "er":
        letter = "ɜ" if here.stressed else "ə"
        # Before a vowel the tongue's release is a consonant of its own ("arrest", "wondering").
        return (letter, "ɹ") if vowel_follows else (letter,)
    if here.name == "iy" and vowel_follows:
        # The glide between the two vowels of "being", which the benchmark writes.
        return ("i", "j")
    return None


# Italian (festival's lp and pc). --------------------------------------------------------------------------------

#: SAMPA with 1 for stress. n before velars and labiodentals is written n, as the benchmark does.
_ITALIAN = _table(
    "i=i e=e E=ɛ a=a o=o O=ɔ u=ʊ i1=i e1=e E1=ɛ a1=a o1=o O1=ɔ u1=u j=j w=w",
    "p=p t=t k=k b=b d=d g=ɡ f=f s=s S=ʃ v=v z=z Z=ʒ ts=ts tS=tʃ dz=dz dZ=dʒ m=m n=n J=ɲ ng=n nf=n l=l L=ʎ r=r #=",
)
#: Long consonants that the benchmark writes twice; other long consonants are one letter there.
_ITALIAN_DOUBLED = frozenset("lnmfv")


def _italian(segments: Sequence[Segment], i: int) -> _Phones | None:
    here, before = segments[i].name, _name(segments, i - 1)
    if here == before and here in _ITALIAN and _ITALIAN[here][0] not in (*VOWELS, SILENCE):
        # The second half of a long consonant. That of r is written as a tap.
        if here == "r":
            return ("ɾ",)
        return None if here in _ITALIAN_DOUBLED else ()
    last = _ends_word(segments, i)
    if here == "i" and last:
        # The unstressed final vowel ("tutti") has its own letter in the benchmark.
        return ("ɪ",)
    if here == "i1" and last and not any(_ITALIAN[s.name][0] in VOWELS for s in _word_before(segments, i)):
        # Unstressed words of one syllable ("di", "gli"), to which the engine gives the stress of a citation.
        return ("ɪ",)
    if here == "w" and before not in ("k", "g"):
        # "può", "luogo"; after velars ("quale", "eguale") it is w.
        return ("ʊ",)
    return None


# Czech (festival-czech, four voices). ---------------------------------------------------------------------------

#: Length and syllabicity are dropped; ř is trill and fricative, as the benchmark writes it. The stroke of the glottis
#: before vowels (``_``), which the benchmark never writes, is a short silence.
_CZECH = _table(
    "a=a a:=a e=e e:=e i=i i:=i o=o o:=o u=u u:=u",
    "b=b c=ts c~=tʃ ch=x d=d d~=ɟ dz=dz dz~=dʒ f=f g=ɡ h=h j=j k=k l=l m=m n=n n*=ŋ n~=ɲ p=p r=r r~=rʒ r~*=rʃ",
    "s=s s~=ʃ t=t t~=c v=v z=z z~=ʒ #= _=",
)


def _czech(segments: Sequence[Segment], i: int) -> _Phones | None:
    before = _name(segments, i - 1)
    if segments[i].name == "u" and before in ("o", "e", "a") and not _ends_word(segments, i - 1):
        # The end of the diphthongs ou, eu, au.
        return ("ʊ",)
    return None


# Russian (festival's msu_ru_nsh). -------------------------------------------------------------------------------

#: Soft consonants are doubled letters. The benchmark writes ɨ as y, l of both kinds as ɭ, stressed а as ɑ.
_RUSSIAN = _table(
    "ii=i yy=y uu=u ee=e oo=o aa=ɑ a=ʌ e=i i=i y=y u=u ae=i ay=ʌ ur=u",
    "p=p pp=p b=b bb=b t=t tt=t d=d dd=d k=k kk=k g=ɡ gg=ɡ c=ts ch=tʃ f=f ff=f v=v vv=v s=s ss=s z=z zz=ʑ sh=ʃ",
    "sch=ɕ zh=ʒ h=x hh=x m=m mm=m n=n nn=n l=ɭ ll=ɭ r=r rr=r j=j pau= #=",
)
#: Soft consonants whose glide before a vowel is a segment in the benchmark; t d s m x have none there.
_RUSSIAN_GLIDES = frozenset(("nn", "ll", "rr", "vv", "bb", "pp", "kk", "gg", "ff"))
#: Consonants that are always hard: и, е after them are said as ы, э.
_RUSSIAN_HARD = frozenset(("sh", "zh", "c"))


def _russian(segments: Sequence[Segment], i: int) -> _Phones | None:
    here, before, after = segments[i].name, _name(segments, i - 1), _name(segments, i + 1)
    first, last = _begins_word(segments, i), _ends_word(segments, i)
    if here in _RUSSIAN_GLIDES and not last and after in _RUSSIAN and _RUSSIAN[after][0] in VOWELS:
        return (*_RUSSIAN[here], "j")
    if not first and before in _RUSSIAN_HARD:
        if here == "ee":
            return ("ɛ",)
        if here in ("ii", "i", "e", "ae") or (here == "ay" and (before != "c" or not last)):
            return ("y",)
    if here in ("i", "e", "ae") and (first or last):
        # Unstressed и at the edges of words.
        return ("ɪ",)
    if here == "ay" and after == "j" and not last and _ends_word(segments, i + 1):
        # The ending -ый.
        return ("y",)
    if here in ("aa", "a") and before == "j" and not first:
        # я is fronted.
        return ("a",)
    return None


# Catalan (festival's upc_ca_ona_hts, the central dialect). ------------------------------------------------------

#: SAMPA with 1 for stress.
_CATALAN = _table(
    "ax=ə a=a a1=a e=e e1=e E=ɛ E1=ɛ i=i i1=i o=o o1=o O=ɔ O1=ɔ u=u u1=u j=j w=w",
    "b=b d=d g=ɡ f=f J=ɲ k=k l=l L=ʎ m=m n=n p=p r=ɾ rr=r s=s S=ʃ t=t z=z Z=ʒ pau= _= #=",
)
_CATALAN_LENIS = {"b": "β", "d": "ð", "g": "ɣ"}
_CATALAN_STOPS = frozenset("ptkbdg")


def _catalan(segments: Sequence[Segment], i: int) -> _Phones | None:
    here, before, after = segments[i].name, _name(segments, i - 1), _name(segments, i + 1)
    if here in _CATALAN_LENIS:
        # The phone set has stops only; the dialect says approximants but after pauses, nasals and stops, and d
        # but after l too. A long b ("poble") stays a stop.
        blocked = before in ("", "m", "n", "J", "L") or before in _CATALAN_STOPS or after == here
        if not blocked and _CATALAN.get(before) != _PAUSE and not (here == "d" and before == "l"):
            return (_CATALAN_LENIS[here],)
    if here == "n" and after in ("k", "g"):
        return ("ŋ",)
    return None


# Hindi (festival's hindi_NSK_diphone). --------------------------------------------------------------------------

#: th dh are dental stops, T D retroflex, ch j palatal stops as the benchmark writes them, aspirates two letters. The
#: engine drops no inherent vowel and reads every anusvara as m; its transcription says so, and so do we. Short a is
#: written ʌ in the first syllable of a word and ə elsewhere.
_HINDI = _table(
    "a=ə aa=a ih=ɪ iy=i uh=ʊ uw=u eh=e ee=e ay=ɛ oh=o oo=o aw=ɔ @=a",
    "k=k kh=kh g=ɡ gh=ɡh ch=c j=ɟ zh=ʒ T=ʈ td=ʈh D=ɖ N=n th=t tth=th dh=d ddh=dh n=n p=p f=f b=b bh=bh m=m",
    "y=j r=ɾ l=l v=ʋ w=w L=ɭ R=ɽ s=s sh=ʃ h=h ksh=kʃ sri=ʃɾi x=x pau=",
)


def _hindi(segments: Sequence[Segment], i: int) -> _Phones | None:
    if segments[i].name == "a":
        earlier = (s.name for s in _word_before(segments, i))
        return ("ə",) if any(_HINDI[name][0] in VOWELS for name in earlier) else ("ʌ",)
    return None


_Rule = Callable[[Sequence[Segment], int], _Phones | None]
#: Phones of each phone set, and what its table cannot say, by the set's name.
PHONE_SETS: dict[str, tuple[dict[str, _Phones], _Rule]] = {
    "english": (_ENGLISH, _english),
    "italian": (_ITALIAN, _italian),
    "czech": (_CZECH, _czech),
    "russian": (_RUSSIAN, _russian),
    "catalan": (_CATALAN, _catalan),
    "hindi": (_HINDI, _hindi),
}


def map_segments(segments: Sequence[Segment], phone_set: str) -> tuple[tuple[str, ...], ...]:
    """Return the letters of each segment.

    Parameters
    ----------
    segments : sequence of Segment
        An utterance.
    phone_set : str
        One of :data:`PHONE_SETS`.

    Returns
    -------
    tuple of tuple of str
        As many as *segments*: letters of the inventory, or ``("sil",)``; empty where the segment is the second half
        of a long consonant and belongs to the segment before.

    Raises
    ------
    UnknownPhoneError
        For a phone that is not in the phone set's table.

    Examples
    --------
    >>> names = ["#", "t", "u1", "t", "t", "i", "#"]
    >>> map_segments([Segment(n, 0.1 * i, 0.1 * i + 0.1, False, 0) for i, n in enumerate(names)], "italian")[1:5]
    (('t',), ('u',), ('t',), ())
    """
    table, rule = PHONE_SETS[phone_set]
    for s in segments:
        if s.name not in table:
            raise UnknownPhoneError(
                f"the engine says {s.name!r} at {s.start:.2f} s, which the phone set {phone_set!r} does not list; "
                "add it to mtbench.synth.engine_phones"
            )
    found = ((rule(segments, i), table[s.name]) for i, s in enumerate(segments))
    return tuple(plain if special is None else special for special, plain in found)


def _name(segments: Sequence[Segment], i: int) -> str:
    """Return the name of segment *i*, ``""`` beyond the ends."""
    return segments[i].name if 0 <= i < len(segments) else ""


def _begins_word(segments: Sequence[Segment], i: int) -> bool:
    return i == 0 or segments[i - 1].token != segments[i].token


def _ends_word(segments: Sequence[Segment], i: int) -> bool:
    return i + 1 == len(segments) or segments[i + 1].token != segments[i].token


def _word_before(segments: Sequence[Segment], i: int) -> list[Segment]:
    """Return the segments of the same word before segment *i*."""
    first = i
    while first and segments[first - 1].token == segments[i].token:
        first -= 1
    return list(segments[first:i])
