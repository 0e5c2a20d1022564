"""The command line, for processes that start another one of this installation: python -m search_app."""

from search_app.cli import main

main()
