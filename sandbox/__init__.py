"""Three servers that speak the contracts of Trading Grid, Gemini and Zendesk, for trying and testing.

Nothing here is imported by casebridge and nothing of casebridge is imported here: started by
`python -m sandbox`, it is written from the system sheets and contracts alone.
"""
