"""Files to passages: the catalogue, the PDFs, their pages, the language of each, and the passages that are searched."""
