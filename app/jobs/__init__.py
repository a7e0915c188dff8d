"""Builds and studies in processes of their own, and the folders that hold them."""
