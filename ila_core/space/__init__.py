"""Instructions to unit vectors, vectors to the plane and to domains."""
