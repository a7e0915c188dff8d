"""From a pool to a landscape: the only room that knows the order of the stages."""
