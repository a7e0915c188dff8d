"""Finding records of a landscape: by words, by meaning, and like another."""
