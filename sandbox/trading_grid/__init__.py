"""A Trading Grid that speaks the project's contract, with state in memory and a person's pages beside the API."""
