"""The map as a component of the page: one canvas that stays while its pictures change."""
