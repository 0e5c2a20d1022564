"""What every reading process needs, loaded once, in the process that they are all forked from: each then starts in milliseconds and shares its memory.

`multiprocessing` imports this there, where systems can fork; nobody else does. It opens no file of a library and starts no thread.
"""

from __future__ import annotations

from ingest import reading as reading
from ingest.language import identify

identify("a text in doubt")  # its languages are read from files when a text first needs them, which takes a second
