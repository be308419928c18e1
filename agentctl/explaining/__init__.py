"""Why a run is in the state it is in: facts, each with the file that it is from."""
