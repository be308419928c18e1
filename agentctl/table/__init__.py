"""The live table: what each run does now, and who of them needs a person."""
