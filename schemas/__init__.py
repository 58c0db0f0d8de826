"""The language: what crosses a boundary between rooms; imports nothing of ours."""
