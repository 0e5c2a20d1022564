"""The interface's words in other languages: gettext catalogues, read as they are, so that nothing is to be compiled. `make messages` renews them."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask_babel import Domain, get_locale

FOLDER = Path(__file__).parent / "translations"
LANGUAGES = ("en", *sorted(path.name for path in FOLDER.iterdir() if path.is_dir()))  # that the interface speaks


class Catalogues(Domain):
    """Finds what a page says in the language of the interface."""

    def get_translations(self) -> NullTranslations:
        return _read(str(get_locale() or ""))


@cache
def _read(language: str) -> NullTranslations:
    path = FOLDER / language / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)
