"""The one object that everybody reads: places, depth, patches of the map."""
