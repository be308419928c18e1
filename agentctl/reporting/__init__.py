"""The morning: one page on what was done meanwhile, put together from files alone."""
