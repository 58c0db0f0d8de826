"""The stages: take collaborators as arguments, return what comes next; they never enqueue."""
