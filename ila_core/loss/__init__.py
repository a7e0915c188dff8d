"""Who supplies the loss of a response."""
