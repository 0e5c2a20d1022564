"""Files to passages: the catalogue, the files, their pages, the language of each, and the passages that are searched."""
