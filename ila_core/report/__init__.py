"""A selection as one HTML file that can be sent to anybody: the map, the numbers, the records."""
