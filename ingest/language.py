"""Tell the language of a text. The only module that imports py3langid and pycld2.

The script comes first: what is written in Khmer letters is Khmer. Where a script serves many languages, two readers vote: py3langid and CLD2,
which is better on headings and knows Yiddish, Sindhi and Sundanese. A third, langdetect, is asked where they do not agree: it knows 55 languages
and is by far the slowest. Words decide between near languages for which all three are biased (ingest/near_languages.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate

import langcodes
import pycld2
import regex
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from ingest import third_reader
from ingest.near_languages import decide, near
from ingest.records import UNDETERMINED, primary
from ingest.scripts import OF_ONE_LANGUAGE, read_script

SAMPLE = 1000  # characters that are looked at; more changes no answer and costs time
MIN_LETTERS = 4  # fewer tell nothing
SURE = 0.5  # of the votes; only with more are the catalogue and the neighbours not asked
AGREED = 0.85  # of the votes of the first two readers, from which the third is not asked
IGNORANT = 0.5  # share of a vote against a language that a reader does not know
LONG = 60  # letters from which one reader suffices for a language that the others do not know
REMEMBERED = 4096  # texts; a document's pages are judged once more when one of them was recognised, and asked for its language
PLAUSIBLE = 0.05  # of the votes, for a language that is expected anyhow

NAMES = {  # of languages, where the readers' differ from the catalogue's
    "tl": "fil", "nb": "no", "prs": "fa", "cmn": "zh", "iw": "he", "jw": "jv", "hbo": "he", "grc": "el", "arz": "ar", "ary": "ar", "wuu": "zh", "yue": "zh",
    "uzs": "uz", "sdh": "ckb", "gug": "gn", "kik": "ki",
}  # fmt: skip
NOT_TOLD = {  # small languages that take headings of great ones for theirs, and CLD2's jokes
    "ace", "an", "bcl", "bh", "crs", "ext", "fuv", "gcf", "gcr", "gom", "guw", "ia", "ie", "kab", "lij", "ltg", "pcm", "sco", "tlh", "vec", "vo", "zzp",
}  # fmt: skip
OTHER_SCRIPTS = {  # in which a language is written besides its usual one
    "az": {"Cyrl", "Arab"}, "bs": {"Cyrl"}, "crh": {"Cyrl"}, "ha": {"Arab"}, "jv": {"Java"}, "kk": {"Latn", "Arab"}, "ku": {"Cyrl"}, "ky": {"Arab"},
    "mn": {"Mong"}, "ms": {"Arab"}, "pa": {"Arab"}, "sd": {"Deva"}, "sr": {"Latn"}, "tg": {"Latn"}, "tk": {"Cyrl"}, "tt": {"Latn"},
    "ug": {"Latn", "Cyrl"}, "uz": {"Cyrl", "Arab"},
}  # fmt: skip
OF_ONE_READER = {"bo", "ckb", "ku", "sd", "su", "ti", "yi"}  # that one reader knows, while the others take them for their relatives
NO_LANGUAGE = "zxx"  # what py3langid calls figures, codes and markup
SCRIPTS_NAMED = {"sr", "zh"}  # readers of one script may not read the other, so it is always named
ADDRESS = regex.compile(r"(?i)\b(?:https?://|www\.)\S+|\S+@\S+|\S+\.(?:org|com|net|int|html?|pdf)\b")
OF_ADDRESSES = regex.compile(r"(?i)@|://|www\.|\.(?:org|com|net|int|html?|pdf)\b")  # what every one holds; much faster to look for
NO_TEXT = regex.compile(r"[\p{Cc}\p{Cs}\p{Co}\p{Cn}--[\n]]", regex.V1)

Votes = Mapping[str, float]  # by language; each is at most 1


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What a text says about its language by itself."""

    tag: str  # "und" when it has too few letters, or letters of no language that can be told
    sure: bool
    script: str
    votes: Votes
    letters: int


def identify(text: str, expected: str = UNDETERMINED) -> str:
    """Return the BCP 47 tag of the language of `text`, or "und" when the evidence does not decide.

    `expected` is what the catalogue or the rest of the document says. It settles a doubt, decides between near languages and adds the region
    ("pt-BR" where the text only shows Portuguese); it never overrules clear evidence. The script is named where the language has several.
    """
    return _settled(_evidence(text), expected)


def identify_in_order(texts: Sequence[str], expected: str = UNDETERMINED) -> list[str]:
    """Tell the languages of texts that follow each other in one document, which the catalogue says is in `expected`.

    What a text leaves in doubt, the nearest sure texts before and after it settle if they agree, else `expected`.
    """
    evidence = [_evidence(text) for text in texts]
    sure = [_settled(one, expected) if one.sure else "" for one in evidence]
    before, after = _carried(sure), _carried(sure[::-1])[::-1]
    around = [left if left == right else "" for left, right in zip(before, after, strict=True)]
    return [firm or _settled(one, beside or expected) for firm, one, beside in zip(sure, evidence, around, strict=True)]


def prevailing(texts: Iterable[str]) -> str:
    """The language in which most of the letters of the texts are written, "und" when no language has more than half of them."""
    letters: defaultdict[str, int] = defaultdict(int)
    for text in texts:
        evidence = _evidence(text)
        letters[evidence.tag if evidence.sure else UNDETERMINED] += evidence.letters
    tag, most = max(letters.items(), key=lambda item: item[1], default=(UNDETERMINED, 0))
    return tag if 2 * most > sum(letters.values()) else UNDETERMINED


def reads_as(text: str, language: str = "") -> bool:
    """Whether CLD2, the fastest reader, takes most of a text for `language`, or for any one language, without doubt.

    If not, only `identify` can say what it is.
    """
    words = _words(text)
    _, used, _ = _cld2(words)  # it leaves aside what repeats itself and what it cannot place
    votes = _cld2_votes(words)
    vote = votes.get(_named(language), 0) if language else max(votes.values(), default=0)
    return used > max(SAMPLE, len(words.encode())) / 2 and vote >= AGREED


def same_language(left: str, right: str) -> bool:
    """Whether two tags name one language, whatever their regions and scripts."""
    return primary(left) == primary(right)


@cache
def known(tag: str) -> bool:
    """Whether `identify` can find this language at all."""
    language = _named(tag)
    return language in {"my", "ckb", *OF_ONE_LANGUAGE.values()} or language in _known_to_py3langid() | _known_to_cld2()


def _settled(evidence: _Evidence, expected: str) -> str:
    if evidence.tag == UNDETERMINED:
        return UNDETERMINED
    if near(primary(evidence.tag), primary(expected)) and _written_in(expected, evidence.script):
        return expected
    if evidence.sure:
        return evidence.tag
    return expected if evidence.votes.get(_named(expected), 0) >= PLAUSIBLE else UNDETERMINED


def _carried(tags: Iterable[str]) -> list[str]:
    """Put the last tag before it in the place of each empty one, "" where there is none."""
    return list(accumulate(tags, lambda last, tag: tag or last, initial=""))[1:]


def _evidence(text: str) -> _Evidence:
    return _evidence_of(_words(text))


@lru_cache(maxsize=REMEMBERED)
def _evidence_of(text: str) -> _Evidence:
    letters, script, languages = read_script(text)
    if letters < MIN_LETTERS:
        return _Evidence(UNDETERMINED, False, script, {}, letters)
    votes = {language: 1 / len(languages) for language in languages} or _votes(text, script, letters)
    if not votes:
        return _Evidence(UNDETERMINED, False, script, {}, letters)
    first = max(votes, key=lambda language: (votes[language], language))
    if first in {UNDETERMINED, NO_LANGUAGE}:
        return _Evidence(UNDETERMINED, False, script, {}, letters)
    best = decide(text, script, first)
    return _Evidence(_tag(best, script), sum(votes[there] for there in votes if near(there, best)) > SURE, script, votes, letters)


def _words(text: str) -> str:
    """What the readers are shown of a text."""
    text = text[:SAMPLE]
    return NO_TEXT.sub(" ", ADDRESS.sub(" ", text) if OF_ADDRESSES.search(text) else text)


def _votes(text: str, script: str, letters: int) -> Votes:
    """Join the readers' votes: for each language the mean over the readers that know it, two at least in a short text."""
    readers = [(_py3langid_votes(text), _known_to_py3langid()), (_cld2_votes(text), _known_to_cld2())]
    fewest = 1 if letters >= LONG else 2
    votes = _mean(readers, script, fewest)
    if max(votes.values(), default=0) < AGREED:
        votes = _mean([*readers, (_langdetect_votes(text), _known_to_langdetect())], script, fewest)
    return votes


def _mean(readers: Sequence[tuple[Votes, frozenset[str]]], script: str, fewest: int) -> Votes:
    languages = sorted({language for votes, _ in readers for language in votes if _can_be_written(language, script)})
    return {there: sum(votes.get(there, 0) for votes, _ in readers) / _weight(there, readers, fewest) for there in languages}


def _weight(language: str, readers: Sequence[tuple[Votes, frozenset[str]]], fewest: int) -> float:
    """By how many readers the votes for a language are divided: one that does not know it has spoken half against it."""
    knowing = sum(language in knows for _, knows in readers)
    if language in OF_ONE_READER or knowing == fewest == 1:
        return max(knowing, 1)
    return max(knowing + IGNORANT * (len(readers) - knowing), fewest)


def _tag(language: str, script: str) -> str:
    """Name the script where the language is read in several: zh-Hant, sr-Latn, az-Cyrl."""
    named = language in SCRIPTS_NAMED or (language in OTHER_SCRIPTS and script in OTHER_SCRIPTS[language])
    return f"{language}-{script}" if named and script else language


def _written_in(tag: str, script: str) -> bool:
    """Whether text of this script can bear the tag: one that names neither a script nor a region says nothing of it."""
    return "-" not in tag or not script or _usual_script(tag) in {script, "Jpan", "Kore"}


def _can_be_written(language: str, script: str) -> bool:
    return (
        language == NO_LANGUAGE
        or _usual_script(language) == script
        or script in OTHER_SCRIPTS.get(language, ())
        or (language, script) == ("crh", "Latn")
    )


@cache
def _usual_script(tag: str) -> str:
    return langcodes.get(tag).maximize().script or ""


def _named(tag: str) -> str:
    """The primary language by the catalogue's name, "" for one that is not told."""
    name = NAMES.get(primary(tag), primary(tag))
    return "" if name in NOT_TOLD else name


def _joined(votes: Iterable[tuple[str, float]]) -> Votes:
    joined: defaultdict[str, float] = defaultdict(float)
    for tag, share in votes:
        joined[_named(tag)] += share
    joined.pop("", None)
    return joined


def _py3langid_votes(text: str) -> Votes:
    return _joined(_py3langid().rank(text)[:5])


@lru_cache(maxsize=1)
def _cld2(text: str) -> tuple[bool, int, tuple[tuple[str, str, int, float], ...]]:
    """Whether CLD2 is sure, how many bytes it used, and each language with its name, tag, percentage and score."""
    sure, used, found = pycld2.detect(text, bestEffort=True)
    return bool(sure), int(used), found


def _cld2_votes(text: str) -> Votes:
    _, _, found = _cld2(text)
    return _joined((tag if tag != "ku" else "ckb", percent / 100) for _, tag, percent, _ in found if tag != "un")  # it knows the Arabic script only


def _langdetect_votes(text: str) -> Votes:
    return _joined(third_reader.read(text))


@cache
def _py3langid() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([tag for tag in identifier.labels if tag not in NOT_TOLD])
    return identifier


@cache
def _known_to_py3langid() -> frozenset[str]:
    return frozenset(_joined((tag, 1) for tag in _py3langid().labels))


@cache
def _known_to_cld2() -> frozenset[str]:
    return frozenset(
        _joined(
            (tag if tag != "ku" else "ckb", 1) for name, tag in pycld2.LANGUAGES if name in pycld2.DETECTED_LANGUAGES and not tag.startswith("xx")
        )
    )


@cache
def _known_to_langdetect() -> frozenset[str]:
    return frozenset(_joined((tag, 1) for tag in third_reader.languages()))
