"""The command line's verbs as tools for a model: the same names, the same options, answers of bounded length."""
