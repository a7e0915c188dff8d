"""What somebody has settled of a landscape by hand: made, kept under a name, put together."""
