"""The methods to choose with: a registry, two doors, and one file a rule."""
