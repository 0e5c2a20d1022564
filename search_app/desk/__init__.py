"""The analyst's side: everything below /desk, for those who are signed in."""
