"""The n-gram model of the pool: the default scorer, which needs nothing."""
