"""Passages to ranked hits: the encoder, the library on disk, the vectors FAISS serves, the searcher and its evaluation."""
