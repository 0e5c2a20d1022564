"""The web application and the command line, where the parts meet."""
