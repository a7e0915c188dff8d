"""A spec turns a landscape into a selection."""
