"""The numbers that describe selections, beside chance and beside each other."""
