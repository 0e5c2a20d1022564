"""Words on the engine: the passages that FTS5 finds are found, in every script, whatever a passage holds."""

from __future__ import annotations

import random

import pytest
from filling import fill, publication

from index.database import EMBEDDED
from index.engine_words import LAST, POSITIONS, kept, said
from index.library import Library
from index.query import parse, quoted, sought
from index.terms import indexed

TEXTS = {
    "ar": "غابة الماء قرب المدرسة، والماء في الغابة", "fa": "جنگل‌های کتابخانه و آب می‌روید", "he": "יער מים צה\"ל יער", "hi": "हिन्दी जंगल और पानी, पानी",
    "bn": "বন ও জল, বাংলা বন", "ta": "காடு மற்றும் தண்ணீர் காடு", "th": "แม่น้ำโขงในป่าไม้", "lo": "ປ່າໄມ້ແມ່ນ້ຳ", "km": "ព្រៃឈើក្រុមជាតិ", "my": "သစ်တောမြန်မာ",
    "am": "ደን ውኃ ትምህርት ደን", "ja": "森の水とガギ、森は水", "zh": "北京大学的森林和水，第12条COVID疫情", "ko": "서울 숲에서 물을 서울", "en": "The US and us: U.N. forest, water's Art. 12(3) NATO",
    "ru": "Владимир и лес, м'який лес", "el": "Βλαδίμηρος ΟΔΌΣ δάσος", "de": "Wald Straße O'Neill \\ Wald & Wasser | !", "": "— … 👩‍👩‍👧", "0": "",
}  # fmt: skip
SEED = 20


@pytest.fixture
def both(tmp_path, new_database, encoder):
    """The same passages, of random runs of words of all scripts, in both stores."""
    made = (Library.create(tmp_path / "embedded", EMBEDDED), Library.create(tmp_path / "engine", new_database()))
    chance = random.Random(SEED)
    words = [word for text in TEXTS.values() for word in text.split()]
    texts = [*TEXTS.values(), *(" ".join(chance.choices(words, k=chance.randrange(1, 12))) for _ in range(150))]
    texts += [
        "水 " * 400 + "森",
        "bin " * (POSITIONS + 1) + "ende bin",
        " ".join(map(str, range(LAST + 20))) + " غابة",
        "ä" * 3000 + " جنگل",
        "क" * 2046,
    ]
    for library in made:
        fill(library, encoder, publication("woods", ["mul"], titles={}), {"mul": texts})
    return made


def expressions(chance: random.Random, texts: list[str]) -> list[str]:
    """Words, phrases and prefixes of these texts, some of them altered, and all kinds of them put together."""

    def one() -> str:
        terms = indexed(chance.choice(texts)).split()
        if not terms:
            return quoted(["nowhere"])
        start = chance.randrange(len(terms))
        run = terms[start : start + chance.choice((1, 1, 2, 3))]
        if chance.random() < 0.3:
            return quoted([*run[:-1], run[-1][: chance.randrange(1, 4)]]) + "*"
        return quoted(run if chance.random() < 0.8 else run[::-1])

    def more(depth: int) -> str:
        if depth == 0 or chance.random() < 0.3:
            return one()
        joined = f"{more(depth - 1)} {chance.choice(('AND', 'OR', 'NOT'))} {more(depth - 1)}"
        return f"({joined})" if chance.random() < 0.5 else joined

    return [more(chance.randrange(3)) for _ in range(300)]


def test_both_stores_find_the_same_passages(both):
    chance = random.Random(SEED)
    texts = [passage.text for passage in both[0].passages_of("woods:mul").values()] or list(TEXTS.values())
    asked = [*expressions(chance, texts), *map(quoted, (["ä" * 3000], ["क" * 2046], ["bin", "ende", "bin"], ["bin"] * 3, ["16390", "16391"]))]
    asked += [quoted(["ä" * 2999]) + "*", quoted(["16391", "16390"]), '"bin" NOT "ende"', '"水"* AND ("森" OR "غابه")']
    last, found = both[0].extent().given, 0
    for expression in asked:
        after, until, most = chance.randrange(0, 30) * chance.randrange(2), last - chance.randrange(20), chance.choice((-1, -1, 0, 5))
        one, other = (library.matching(expression, after, until, most).tolist() for library in both)
        assert one == other, expression
        assert both[0].count_matching(expression, after, until) == both[1].count_matching(expression, after, until), expression
        found += len(one)
    assert found > 1000


@pytest.mark.parametrize(
    ("query", "texts"),
    [('"північний ліс"', ["північний ліс"]), ('"森の水" -京', ["森の水"]), ("水", ["森の水", "水 京"]), ("US -forest", ["The US"]), ('"צה״ל"', ['צה"ל'])],
)  # fmt: skip
def test_what_readers_type_finds_the_same(both, encoder, query, texts):
    asked = parse(query)
    expression = " AND ".join(words.expression for words in asked.wanted) + "".join(f" NOT {words.expression}" for words in asked.excluded)
    for library in both:
        fill(
            library,
            encoder,
            publication("more", ["mul"], titles={}),
            {"mul": ["північний ліс", "ліс північний", "森の水", "水 京", "The US", 'צה"ל']},
        )
    one, other = ([library.passages([key])[key].text for key in library.postings.of(expression).tolist()] for library in both)
    assert one == other and set(texts) <= set(one)


def test_words_leave_with_their_passages_and_can_be_made_anew(both, encoder):
    _, library = both
    last = library.extent().given
    before = library.matching(sought("水"), 0, last).tolist()
    with library.transaction() as run:
        run("DELETE FROM words WHERE key % 2 = 0")
    assert library.store.words.missing() == [key for key in range(1, last + 1) if key % 2 == 0]
    with library.transaction() as run:
        library.store.words.anew(run)
    assert library.matching(sought("水"), 0, last).tolist() == before and not library.store.words.missing() + library.store.words.stray()
    library.remove_publication("woods")
    assert library.matching(sought("水"), 0, last).tolist() == [] == library.store.words.stray()


@pytest.mark.parametrize(
    ("expression", "query"),
    [
        ('"a"', "('a')"), ('"a b"*', "('a' <-> 'b':*)"), ('"≡us" AND "∼nato" NOT ("水"* OR "森林")', "('≡us') & ('∼nato') & ! ( ('水':*) | ('森林') )"),
        ('"it\'s"', "('it' <-> 's')"), ('"a\\"', "('a')"), ('""', "' '"), (f'"{"क" * 700}"', "' '"),
    ],
)  # fmt: skip
def test_an_expression_is_said_in_the_words_of_the_engine(expression, query):
    assert said(expression).query == query


@pytest.mark.parametrize("expression", ["", "bare", '"open', '"a" NEAR "b"'])
def test_what_is_no_expression_is_refused(expression):
    with pytest.raises(ValueError, match="expected phrases"):
        said(expression)


def test_a_passage_past_what_a_tsvector_holds_is_kept_whole():
    assert kept("wald ∼vald wald") == ("'wald':1,3 '∼vald':2", None)
    for terms in ("x " * (POSITIONS + 1), " ".join(map(str, range(LAST + 1))), "क" * 700):
        assert kept(terms) == (None, f" {' '.join(terms.split())} ")
    assert kept("x " * POSITIONS)[1] is None and kept("")[0] == ""
