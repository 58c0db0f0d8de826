"""A Gemini site for trying and testing, written from the system sheet and the contract."""
