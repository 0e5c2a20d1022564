"""The check questions of a library: what analysts ask of each new generation before they publish it. Never what readers ask."""

from __future__ import annotations

from dataclasses import dataclass

from index.changes import Changes
from index.library import Library
from index.schema import NOW
from ingest.records import IsoglossError

MOST = 200  # questions; each is asked twice for a preview
LONGEST = 1000  # characters, as of any question


class WrongQuestionError(IsoglossError):
    """A check question is not what it must be."""


@dataclass(frozen=True, slots=True)
class Question:
    """One check question."""

    question_id: int
    text: str
    by: str  # the account that wrote it
    at: str  # ISO 8601, UTC


class Questions:
    """What a library is checked with."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def all(self) -> list[Question]:
        """In the order in which they were written."""
        return [Question(*row) for row in self._library.rows('SELECT question_id, text, "by", at FROM questions ORDER BY question_id')]

    def add(self, by: str, text: str) -> None:
        """Add a question; one that is there already stays as it is. Raises WrongQuestionError."""
        said = " ".join(text.split())
        there = {question.text for question in self.all()}
        if not any(char.isalnum() for char in said) or len(said) > LONGEST:
            raise WrongQuestionError(f"expected a question of at most {LONGEST} characters, got {said[:80]!r}")
        if len(there) >= MOST:
            raise WrongQuestionError(f"expected at most {MOST} questions; remove one first")
        if said not in there:
            with self._library.transaction(contents=False) as run:
                run(f'INSERT INTO questions (text, "by", at) VALUES (?, ?, {NOW})', (said, by))
                Changes(self._library).note(by, "question added", said)

    def remove(self, by: str, question_id: int) -> None:
        """Remove a question; one that is gone already stays gone."""
        with self._library.transaction(contents=False) as run:
            for question in self.all():
                if question.question_id == question_id:
                    run("DELETE FROM questions WHERE question_id = ?", (question_id,))
                    Changes(self._library).note(by, "question removed", question.text)
