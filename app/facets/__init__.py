"""The facets beside the map as a component of the page: bars that are brushed and clicked."""
